// The agents' socket: a ticket, a connection, reconnection with jittered backoff, a heartbeat. Numbering is `feeds`';
// what is sent by an agent and must not be lost is `outbox`'. Here nothing is queued: `send` says whether it went.

import { Feeds } from './feeds';
import type { Action, EntryEvent, ServerEvent } from './types';

/** The part of a WebSocket that is used. */
export interface Wire {
  send(text: string): void;
  close(): void;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: (() => void) | null;
}

export type Link = 'connecting' | 'open' | 'waiting' | 'closed';

/** Runs `act` after `ms`; what it returns cancels it. */
export type After = (ms: number, act: () => void) => () => void;

export const after: After = (ms, act) => {
  const timer = setTimeout(act, ms);
  return () => clearTimeout(timer);
};

export interface SocketOptions {
  ticket: () => Promise<string>;
  open: (ticket: string) => Wire;
  onEvent: (event: ServerEvent) => void;
  onLink: (link: Link) => void;
  /** A gap that the server did not fill on asking. */
  onStuck: (conversation: string, after: number) => void;
  random?: () => number;
  after?: After;
}

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 20_000;
const HEARTBEAT_MS = 50_000;
const ANSWER_MS = 10_000;

export class Socket {
  readonly #options: SocketOptions;
  readonly #after: After;
  readonly #random: () => number;
  readonly #feeds: Feeds;
  #wire: Wire | undefined;
  #link: Link = 'closed';
  #failures = 0;
  #life = 0;
  #cancel: () => void = () => {};

  constructor(options: SocketOptions) {
    this.#options = options;
    this.#after = options.after ?? after;
    this.#random = options.random ?? Math.random;
    this.#feeds = new Feeds({
      ask: (conversation, held) => this.send({ action: 'resume', conversation, after: held }),
      stuck: options.onStuck,
    });
  }

  get link(): Link {
    return this.#link;
  }

  /** Connects, or tries again at once when waiting to. */
  connect(): void {
    if (this.#link === 'open' || this.#link === 'connecting') return;
    void this.#dial();
  }

  /** Ends the connection for good. */
  close(): void {
    this.#drop();
    this.#set('closed');
  }

  /** Sends now, or not at all. */
  send(action: Action): boolean {
    if (!this.#wire || this.#link !== 'open') return false;
    this.#wire.send(JSON.stringify(action));
    return true;
  }

  watch(conversation: string, held: number, apply: (event: EntryEvent) => void): void {
    this.#feeds.watch(conversation, held, apply);
  }

  leave(conversation: string): void {
    if (this.#feeds.leave(conversation)) this.send({ action: 'leave', conversation });
  }

  /** Takes in an entry that came another way. */
  take(event: EntryEvent): void {
    this.#feeds.take(event);
  }

  async #dial(): Promise<void> {
    this.#drop();
    const life = this.#life;
    this.#set('connecting');
    let wire: Wire;
    try {
      const ticket = await this.#options.ticket();
      if (life !== this.#life) return;
      wire = this.#options.open(ticket);
    } catch {
      if (life === this.#life) this.#again();
      return;
    }
    this.#wire = wire;
    wire.onopen = () => life === this.#life && this.#opened();
    wire.onmessage = (message) => life === this.#life && this.#read(message.data);
    wire.onclose = () => life === this.#life && this.#again();
    this.#cancel = this.#after(ANSWER_MS, () => this.#again());
  }

  #opened(): void {
    this.#failures = 0;
    this.#set('open');
    this.#feeds.resumeAll();
    this.#beat();
  }

  /** Asks for a sign of life after a while of silence, and gives the connection up without one. */
  #beat(): void {
    this.#cancel();
    this.#cancel = this.#after(HEARTBEAT_MS, () => {
      this.send({ action: 'ping' });
      this.#cancel = this.#after(ANSWER_MS, () => this.#again());
    });
  }

  #read(data: unknown): void {
    this.#beat();
    let event: ServerEvent;
    try {
      event = JSON.parse(String(data)) as ServerEvent;
    } catch {
      return;
    }
    if (event.type === 'entry') this.#feeds.take(event);
    if (event.type === 'error' && event.conversation && !event.key) this.#feeds.refused(event.conversation);
    // The desk does not know this connection any more: a new one is made, with a new ticket.
    if (event.type === 'error' && event.status === 401) return this.#again();
    this.#options.onEvent(event);
    if (event.type === 'resumed') this.#feeds.resumed(event.conversation, event.seq);
  }

  #again(): void {
    this.#drop();
    const ceiling = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#failures);
    this.#failures += 1;
    this.#set('waiting');
    // Half fixed, half random: a restarted server is not met by all agents at once.
    const delay = ceiling / 2 + (ceiling / 2) * this.#random();
    this.#cancel = this.#after(delay, () => void this.#dial());
  }

  /** Lets go of the connection at hand; whatever it still says is not heard. */
  #drop(): void {
    this.#life += 1;
    this.#cancel();
    this.#cancel = () => {};
    const wire = this.#wire;
    this.#wire = undefined;
    wire?.close();
  }

  #set(link: Link): void {
    if (this.#link === link) return;
    this.#link = link;
    this.#options.onLink(link);
  }
}

/** The browser's own socket, to where the page came from. */
export function openWire(ticket: string): Wire {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  return new WebSocket(`${scheme}://${location.host}/socket?ticket=${encodeURIComponent(ticket)}`) as unknown as Wire;
}
