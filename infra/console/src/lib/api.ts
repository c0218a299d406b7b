// The REST API, one method a route. Errors are `Problem`s; what is shown of them is the caller's matter.

import type {
  Agent, Contact, Entries, Head, Inbox, Me, Named, Overview, Page, Turn,
} from './types';

/** An answer that is not a success, or no answer at all (status 0). */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly detail?: string,
    readonly code?: string,
  ) {
    super(detail ?? `status ${status}`);
  }
}

/** What an unknown thing thrown by a call comes to. */
export function problemOf(thrown: unknown): Problem {
  return thrown instanceof Problem ? thrown : new Problem(0, thrown instanceof Error ? thrown.message : undefined);
}

export interface ApiOptions {
  token: () => string | undefined;
  onUnauthorized: () => void;
  fetch?: typeof fetch;
}

/** A key that no other client makes. */
export function newKey(): string {
  return crypto.randomUUID();
}

export class Api {
  readonly #options: ApiOptions;

  constructor(options: ApiOptions) {
    this.#options = options;
  }

  me = () => this.#call<Me>('GET', '/v1/me');
  ticket = async () => (await this.#call<{ ticket: string }>('POST', '/v1/tickets')).ticket;

  agents = () => this.#all<Agent>('/v1/agents');
  queues = () => this.#all<Named>('/v1/queues');
  inboxes = () => this.#all<Inbox>('/v1/inboxes');
  teams = () => this.#all<Named>('/v1/teams');
  createInbox = (body: object) => this.#call<Inbox>('POST', '/v1/inboxes', body);
  createAgent = (body: object) => this.#call<Agent>('POST', '/v1/agents', body);

  conversations(holder: string, status?: string, cursor?: string): Promise<Page<Head>> {
    const query = new URLSearchParams({ holder });
    if (status) query.set('status', status);
    if (cursor) query.set('cursor', cursor);
    return this.#call('GET', `/v1/conversations?${query}`);
  }

  head = (id: string) => this.#call<Head>('GET', `/v1/conversations/${id}`);
  entries = (id: string, after: number) => this.#call<Entries>('GET', `/v1/conversations/${id}/entries?after=${after}`);
  turn = (id: string, turn: string) => this.#call<Turn>('GET', `/v1/conversations/${id}/turns/${turn}`);
  give = (id: string, to: object) => this.#call<Turn>('PUT', `/v1/conversations/${id}/holder`, to);
  resolve = (id: string, disposition?: string) =>
    this.#call<Turn>('PUT', `/v1/conversations/${id}/resolution`, disposition ? { disposition } : {});
  reopen = (id: string) => this.#call<Turn>('DELETE', `/v1/conversations/${id}/resolution`);
  answerOffer = (id: string, accept: boolean) => this.#call<Turn>('POST', `/v1/conversations/${id}/offer`, { accept });
  retry = (id: string, seq: number) => this.#call<Turn>('POST', `/v1/conversations/${id}/messages/${seq}/retries`);

  contact = (id: string) => this.#call<Contact>('GET', `/v1/contacts/${id}`);
  overview = (from: string, to: string, by: string) =>
    this.#call<Overview>('GET', `/v1/reports/overview?${new URLSearchParams({ from, to, by })}`);

  /** A directory list, whether it comes bare or in pages. */
  async #all<T>(path: string): Promise<T[]> {
    const items: T[] = [];
    let cursor: string | null | undefined;
    do {
      const query = cursor ? `?${new URLSearchParams({ cursor })}` : '';
      const page = await this.#call<Page<T> | T[]>('GET', path + query);
      if (Array.isArray(page)) return page;
      items.push(...page.items);
      cursor = page.cursor;
    } while (cursor);
    return items;
  }

  async #call<T>(method: string, path: string, body?: object): Promise<T> {
    const headers: Record<string, string> = { accept: 'application/json' };
    const token = this.#options.token();
    if (token) headers['authorization'] = `Bearer ${token}`;
    if (body) headers['content-type'] = 'application/json';
    if (method !== 'GET') headers['idempotency-key'] = newKey();
    const send = this.#options.fetch ?? fetch;
    let response: Response;
    try {
      response = await send(path, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
    } catch {
      throw new Problem(0);
    }
    if (response.status === 401) this.#options.onUnauthorized();
    if (!response.ok) throw await readProblem(response);
    if (response.status === 204) return undefined as T;
    return (await response.json()) as T;
  }
}

async function readProblem(response: Response): Promise<Problem> {
  try {
    const body = (await response.json()) as { detail?: unknown; title?: unknown; code?: unknown; type?: unknown };
    const words = [body.detail, body.title].find((word) => typeof word === 'string') as string | undefined;
    const code = typeof body.code === 'string' ? body.code : lastOf(body.type);
    return new Problem(response.status, words, code);
  } catch {
    return new Problem(response.status);
  }
}

/** The last word of a problem's type, `held_by_other` of `https://…/problems/held_by_other`. */
function lastOf(type: unknown): string | undefined {
  if (typeof type !== 'string' || type === 'about:blank') return undefined;
  return type.split(/[/:#]/).pop();
}
