// The visitor's side of the REST API. No retries here: the session decides what is worth repeating.

import type { Entry } from "./thread";

export interface Visit {
  visitor: string;
  token: string;
  ticket: string;
  conversation: string | null;
}

export interface Page {
  conversation: string | null;
  items: Entry[];
  /** The number up to which this answer goes, entries a visitor never sees included. */
  seq: number;
}

/** Who the visitor is, as far as the page says. */
export interface Who {
  name?: string;
  /** The site's own user, vouched for by `hash`: HMAC-SHA256 of `id` under the inbox's identity secret, in hex. */
  identity?: { id: string; hash: string; name?: string };
}

/** An answer other than success; `status` 0 when there was none. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
  /** Whether the same request may well succeed later. */
  get passing(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

export interface Api {
  enter(inbox: string, token: string | null, who: Who): Promise<Visit>;
  ticket(visitor: string, token: string): Promise<string>;
  entries(visitor: string, token: string, after: number): Promise<Page>;
  post(visitor: string, token: string, text: string, key: string): Promise<void>;
}

const TIMEOUT_MS = 15_000;

export function api(origin: string): Api {
  async function call<T>(method: string, path: string, token: string | null, body?: unknown): Promise<T> {
    const headers: Record<string, string> = {};
    if (token) headers.authorization = `Visitor ${token}`;
    const init: RequestInit = { method, headers, credentials: "omit", signal: AbortSignal.timeout(TIMEOUT_MS) };
    if (body !== undefined) {
      headers["content-type"] = "application/json";
      init.body = JSON.stringify(body);
    }
    let answer: Response;
    try {
      answer = await fetch(origin + path, init);
    } catch {
      throw new Refusal(0, "no answer");
    }
    const told: unknown = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Refusal(answer.status, String((told as { detail?: unknown }).detail ?? answer.status));
    return told as T;
  }
  const at = (visitor: string) => `/v1/visitors/${encodeURIComponent(visitor)}`;
  return {
    enter: (inbox, token, who) =>
      call<Visit>("POST", "/v1/visitors", null, { inbox, ...(token ? { token } : {}), ...who }),
    ticket: async (visitor, token) =>
      (await call<{ ticket: string }>("POST", `${at(visitor)}/tickets`, token, {})).ticket,
    entries: (visitor, token, after) => call<Page>("GET", `${at(visitor)}/entries?after=${after}`, token),
    post: async (visitor, token, text, key) => {
      await call("POST", `${at(visitor)}/messages`, token, { text, key });
    },
  };
}
