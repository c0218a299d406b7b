// The lists of the desk. Every head known is kept once; a list is those that belong to it, so a conversation that
// moves leaves one list and enters another by itself.

import { SvelteMap } from 'svelte/reactivity';

import type { Api } from '../lib/api';
import type { Head, Me } from '../lib/types';

/** `mine`, `bot`, `all`, `resolved` or `queue:<id>`. */
export type ListId = string;

export interface Listing {
  state: 'loading' | 'ready' | 'failed';
  cursor?: string | undefined;
}

export class Lists {
  readonly heads = new SvelteMap<string, Head>();
  readonly listings = new SvelteMap<ListId, Listing>();
  readonly #api: Api;
  readonly #me: Me;
  readonly #heard = new Map<string, number>();

  constructor(api: Api, me: Me) {
    this.#api = api;
    this.#me = me;
  }

  /** The lists this agent sees, in order. */
  get ids(): ListId[] {
    const queues = this.#me.queues.map((queue) => `queue:${queue.id}`);
    const everyone = this.#me.role === 'agent' ? [] : ['all'];
    return ['mine', ...queues, 'bot', ...everyone, 'resolved'];
  }

  /** Takes in a head, unless a later one is known. */
  take(head: Head): void {
    this.#heard.set(head.id, Date.now());
    const known = this.heads.get(head.id);
    if (known && known.seq > head.seq) return;
    this.heads.set(head.id, head);
  }

  /** Forgets a conversation that is no concern of ours any more. */
  drop(id: string): void {
    this.heads.delete(id);
  }

  items(list: ListId): Head[] {
    const found = [...this.heads.values()].filter((head) => belongs(list, head, this.#me.id));
    return found.sort(list.startsWith('queue:') ? longestWaiting : latest);
  }

  /** Offers that stand for this agent at `now`. */
  offers(now: number): Head[] {
    return [...this.heads.values()].filter(
      (head) => head.offer?.agent === this.#me.id && Date.parse(head.offer.until) > now,
    );
  }

  async load(list: ListId, more = false): Promise<void> {
    const listing = this.listings.get(list);
    if (more && !listing?.cursor) return;
    const begun = Date.now();
    if (!listing) this.listings.set(list, { state: 'loading' });
    try {
      const { holder, status } = query(list);
      const page = await this.#api.conversations(holder, status, more ? listing?.cursor : undefined);
      page.items.forEach((head) => this.take(head));
      if (!more && !page.cursor) this.#forget(list, page.items, begun);
      this.listings.set(list, { state: 'ready', cursor: page.cursor ?? undefined });
    } catch {
      this.listings.set(list, { state: 'failed' });
    }
  }

  /** Loads anew the lists that are counted. What has ended is long, and loaded when looked at. */
  loadAll(): void {
    for (const list of this.ids) if (list !== 'resolved') void this.load(list);
  }

  /** What a complete answer does not name has left the list unseen, while we were away. */
  #forget(list: ListId, items: Head[], begun: number): void {
    const named = new Set(items.map((head) => head.id));
    for (const head of this.items(list)) {
      if (!named.has(head.id) && (this.#heard.get(head.id) ?? 0) < begun) this.heads.delete(head.id);
    }
  }
}

export function belongs(list: ListId, head: Head, me: string): boolean {
  if (list === 'resolved') return head.status === 'resolved';
  if (head.status === 'resolved') return false;
  if (list === 'all') return true;
  if (list === 'bot') return head.holder.kind === 'bot';
  if (list === 'mine') return head.holder.kind === 'agent' && head.holder.agent === me;
  return head.holder.kind === 'queue' && list === `queue:${head.holder.queue}`;
}

function query(list: ListId): { holder: string; status?: string } {
  if (list === 'mine') return { holder: 'me' };
  if (list === 'resolved') return { holder: 'all', status: 'resolved' };
  return { holder: list };
}

function latest(left: Head, right: Head): number {
  return right.updated_at.localeCompare(left.updated_at);
}

function longestWaiting(left: Head, right: Head): number {
  return (left.queued_at ?? left.since).localeCompare(right.queued_at ?? right.since);
}
