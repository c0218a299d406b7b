// Exactly-once application of numbered entries: each conversation's entries are taken in 1, 2, 3 … order, whatever
// order, repetition or gap they arrive with. It knows no socket; asking for what is missing is a function it is given.

import type { EntryEvent } from './types';

interface Feed {
  last: number;
  highest: number;
  held: Map<number, EntryEvent>;
  asked: number;
  waiting: boolean;
  apply: (event: EntryEvent) => void;
}

/** How often the same gap is asked for before it is left to `stuck`. */
const ASKS = 3;

export interface FeedsOptions {
  /** Asks the server for what follows `after`; false when it cannot be asked now. */
  ask: (conversation: string, after: number) => boolean;
  /** A gap that asking did not close. */
  stuck: (conversation: string, after: number) => void;
}

export class Feeds {
  readonly #feeds = new Map<string, Feed>();
  readonly #options: FeedsOptions;

  constructor(options: FeedsOptions) {
    this.#options = options;
  }

  /** Follows a conversation whose entries up to `after` are held. */
  watch(conversation: string, after: number, apply: (event: EntryEvent) => void): void {
    const feed = { last: after, highest: after, held: new Map<number, EntryEvent>(), asked: 0, waiting: false, apply };
    this.#feeds.set(conversation, feed);
    this.#ask(conversation, feed);
  }

  leave(conversation: string): boolean {
    return this.#feeds.delete(conversation);
  }

  watches(conversation: string): boolean {
    return this.#feeds.has(conversation);
  }

  /** The number of the last entry held. */
  last(conversation: string): number {
    return this.#feeds.get(conversation)?.last ?? 0;
  }

  /** Takes in an entry that arrived. */
  take(event: EntryEvent): void {
    const feed = this.#feeds.get(event.conversation);
    if (!feed || event.seq <= feed.last) return;
    feed.highest = Math.max(feed.highest, event.seq);
    feed.held.set(event.seq, event);
    this.#drain(feed);
    if (feed.held.size > 0 && !feed.waiting) this.#ask(event.conversation, feed);
  }

  /** The server has sent all it had up to `seq`. */
  resumed(conversation: string, seq: number): void {
    const feed = this.#feeds.get(conversation);
    if (!feed) return;
    feed.waiting = false;
    feed.highest = Math.max(feed.highest, seq);
    if (feed.last >= feed.highest) {
      feed.asked = 0;
    } else if (feed.asked < ASKS) {
      this.#ask(conversation, feed);
    } else {
      feed.asked = 0;
      this.#options.stuck(conversation, feed.last);
    }
  }

  /** A new connection: nothing asked on the old one will be answered. */
  resumeAll(): void {
    for (const [conversation, feed] of this.#feeds) {
      feed.asked = 0;
      this.#ask(conversation, feed);
    }
  }

  /** What was asked was refused; the next gap may be asked for again. */
  refused(conversation: string): void {
    const feed = this.#feeds.get(conversation);
    if (feed) feed.waiting = false;
  }

  #drain(feed: Feed): void {
    for (let next = feed.held.get(feed.last + 1); next; next = feed.held.get(feed.last + 1)) {
      feed.held.delete(next.seq);
      feed.last = next.seq;
      feed.apply(next);
    }
  }

  #ask(conversation: string, feed: Feed): void {
    feed.asked += 1;
    feed.waiting = this.#options.ask(conversation, feed.last);
  }
}
