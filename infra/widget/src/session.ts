// One visitor's session: keeps a connection (a socket, or polling where sockets are blocked), sends what the visitor
// writes exactly once, and catches up on what was missed. Draws nothing; time, chance and the network come in as ports.

import { type Api, Refusal, type Who } from "./api";
import { Outbox } from "./outbox";
import { Reading, type Store } from "./reading";
import { type Entry, type Line, Thread } from "./thread";
import { type Later, Timers, backoff } from "./timers";
import { type SocketLike, Wire } from "./wire";

export interface Ports {
  api: Api;
  open(ticket: string): SocketLike;
  store: Store;
  later: Later;
  /** 0 ≤ n < 1. */
  random(): number;
  now(): number;
  key(): string;
}

export type Connection = "idle" | "connecting" | "live" | "polling" | "offline" | "refused";

const POLL_MS = 3_000;
const POLL_CLOSED_MS = 15_000;
const SOCKET_AGAIN_MS = 60_000;
const TYPING_SHOWN_MS = 6_000;
const TYPING_TOLD_MS = 4_000;
const BLOCKED_AFTER = 2;

export class Session {
  readonly thread = new Thread();
  connection: Connection = "idle";
  typing: "bot" | "agent" | null = null;
  onchange: () => void = () => {};

  private readonly reading: Reading;
  private readonly timers: Timers;
  private readonly outbox: Outbox;
  private readonly wire: Wire;
  private visitor: string | null = null;
  private token: string | null;
  private attempt = 0;
  private failures = 0;
  private blocked = 0;
  private polling = false;
  private toldTyping = -TYPING_TOLD_MS;

  constructor(
    private readonly ports: Ports,
    private readonly inbox: string,
    private readonly who: Who = {},
  ) {
    this.token = ports.store.get("token");
    this.reading = new Reading(this.thread, ports.store);
    this.timers = new Timers(ports.later);
    this.outbox = new Outbox(this.thread, this.timers, ports.random, {
      transmit: (line, key) => this.transmit(line, key),
      silent: () => this.wire.hangUp(),
      missing: () => this.catchUp(),
      changed: () => this.onchange(),
    });
    this.wire = new Wire(this.timers, {
      opened: () => this.opened(),
      heard: (event) => this.hear(event),
      lost: (wasOpen) => this.lost(wasOpen),
    });
  }

  /** Whether this browser has written here before. */
  get returning(): boolean {
    return this.token !== null;
  }

  /** How many messages came while nobody looked. */
  get unread(): number {
    return this.reading.unread;
  }

  /** Connects, once. */
  start(): void {
    if (this.connection === "idle") void this.connect();
  }

  /** Whether the visitor is looking at the thread. */
  look(open: boolean): void {
    this.reading.look(open);
    if (open && (this.connection === "live" || this.connection === "polling")) this.catchUp();
    this.tellSeen();
    this.onchange();
  }

  /** The network is said to be back, or the page to be looked at again: no need to wait out a backoff. */
  wake(): void {
    if (this.connection === "offline" || this.connection === "connecting") void this.connect();
    else if (this.connection === "live") this.catchUp();
  }

  send(text: string): void {
    const key = this.ports.key();
    this.thread.add(key, text, this.ports.now());
    this.start();
    this.outbox.deliver(key);
  }

  retry(key: string): void {
    if (!this.thread.mark(key, "sending")) return;
    if (this.connection !== "live" && this.connection !== "polling") void this.connect();
    this.outbox.deliver(key);
  }

  tellTyping(): void {
    if (this.connection !== "live" || !this.thread.conversation) return;
    if (this.ports.now() - this.toldTyping < TYPING_TOLD_MS) return;
    this.toldTyping = this.ports.now();
    this.wire.tell({ action: "typing", conversation: this.thread.conversation });
  }

  private async connect(): Promise<void> {
    const attempt = ++this.attempt;
    this.timers.disarm("connect");
    this.wire.letGo();
    this.outbox.restart();
    if (this.connection !== "polling") this.become("connecting");
    try {
      const ticket = await this.admission();
      if (attempt === this.attempt) this.wire.take(this.ports.open(ticket));
    } catch (error) {
      if (attempt === this.attempt) this.turnedAway(error);
    }
  }

  private async admission(): Promise<string> {
    if (this.visitor && this.token) {
      try {
        return await this.ports.api.ticket(this.visitor, this.token);
      } catch (error) {
        if (!(error instanceof Refusal) || error.passing) throw error;
      }
    }
    let visit;
    try {
      visit = await this.ports.api.enter(this.inbox, this.token, this.who);
    } catch (error) {
      if (!this.token || !(error instanceof Refusal) || error.passing) throw error;
      // The token is not known any more: a visitor without history beats a chat that never opens.
      visit = await this.ports.api.enter(this.inbox, null, this.who);
    }
    this.visitor = visit.visitor;
    this.token = visit.token;
    this.ports.store.set("token", visit.token);
    if (visit.conversation) this.thread.enter(visit.conversation);
    return visit.ticket;
  }

  private turnedAway(error: unknown): void {
    if (error instanceof Refusal && !error.passing) {
      this.become("refused");
      this.outbox.failAll();
      return;
    }
    this.become("offline");
    this.connectLater(backoff(++this.failures, this.ports.random()));
  }

  private connectLater(delay_ms: number): void {
    this.timers.arm("connect", delay_ms, () => void this.connect());
  }

  private opened(): void {
    this.blocked = 0;
    this.timers.disarm("poll");
    this.outbox.restart();
    this.become("live");
    if (this.thread.conversation) this.resume();
    else this.wire.ping();
    this.outbox.pump();
  }

  private lost(wasOpen: boolean): void {
    this.outbox.restart();
    this.failures += 1;
    if (!wasOpen) this.blocked += 1;
    if (this.blocked < BLOCKED_AFTER) {
      this.become("connecting");
      return this.connectLater(backoff(this.failures, this.ports.random()));
    }
    this.become("polling");
    this.poll();
    this.outbox.pump();
    this.connectLater(SOCKET_AGAIN_MS);
  }

  private resume(): void {
    this.wire.ask({ action: "resume", conversation: this.thread.conversation, after: this.thread.confirmed });
  }

  private hear(event: { type?: string; [field: string]: unknown }): void {
    this.failures = 0;
    const conversation = typeof event.conversation === "string" ? event.conversation : null;
    const key = typeof event.key === "string" ? event.key : null;
    const told = event.type === "entry" || event.type === "resumed";
    // A resume answers for the conversation of the moment, which may be another than was asked for.
    if (told && conversation && this.thread.enter(conversation)) this.resume();
    if (event.type === "entry" && conversation) {
      this.take(conversation, event.entry as Entry);
    } else if (event.type === "resumed" && conversation === this.thread.conversation) {
      this.thread.confirm(Number(event.seq) || 0);
      this.tellSeen();
    } else if (event.type === "typing" && event.author !== "contact") {
      this.typing = event.author === "bot" ? "bot" : "agent";
      this.timers.arm("typing", TYPING_SHOWN_MS, () => this.stopTyping());
    } else if (event.type === "accepted" && key) {
      this.taken(key);
    } else if (event.type === "error" && key) {
      this.outbox.refused(key, new Refusal(Number(event.status) || 500, String(event.detail ?? "")));
    }
    this.onchange();
  }

  private take(conversation: string, entry: Entry): void {
    const line = this.thread.apply(conversation, entry);
    if (entry.key) this.outbox.settle(entry.key);
    if (line?.kind !== "message" || line.author === "contact") return;
    this.stopTyping();
    this.reading.came(conversation, entry.seq);
    this.tellSeen();
  }

  private tellSeen(): void {
    const seen = this.connection === "live" ? this.reading.news() : null;
    if (seen) this.wire.tell({ action: "seen", ...seen });
  }

  private stopTyping(): void {
    this.typing = null;
    this.timers.disarm("typing");
    this.onchange();
  }

  private catchUp(): void {
    if (this.connection === "live" && this.thread.conversation) this.resume();
    else this.poll();
  }

  private poll(): void {
    if (this.polling || !this.visitor || !this.token) return;
    this.polling = true;
    void this.fetchMissed(this.visitor, this.token).finally(() => {
      this.polling = false;
      if (this.connection === "live") return;
      this.timers.arm("poll", this.reading.open ? POLL_MS : POLL_CLOSED_MS, () => this.poll());
    });
  }

  private async fetchMissed(visitor: string, token: string): Promise<void> {
    try {
      const before = this.thread.conversation;
      let page = await this.ports.api.entries(visitor, token, this.thread.confirmed);
      const conversation = page.conversation;
      if (!conversation) return this.learn();
      if (this.thread.enter(conversation)) {
        // Another conversation numbers from 1: what was asked for was counted in the one before.
        if (before) page = await this.ports.api.entries(visitor, token, 0);
        if (this.connection === "live") this.resume();
      }
      for (const entry of page.items) {
        this.take(conversation, entry);
      }
      if (conversation === this.thread.conversation) this.thread.confirm(page.seq);
      this.onchange();
    } catch (error) {
      if (this.connection === "polling") this.readmit(error);
    }
  }

  private transmit(line: Line, key: string): boolean {
    if (this.connection === "live") {
      const conversation = this.thread.conversation;
      const name = this.who.name ?? this.who.identity?.name;
      const named = { ...(conversation ? { conversation } : {}), ...(name ? { name } : {}) };
      this.wire.tell({ action: "send", ...named, text: line.text, key });
      return true;
    }
    if (this.connection !== "polling" || !this.visitor || !this.token) return false;
    this.ports.api.post(this.visitor, this.token, line.text, key).then(
      () => this.taken(key),
      (error: unknown) => {
        if (error instanceof Refusal && error.status === 401) this.readmit(error);
        else this.outbox.refused(key, error);
      },
    );
    return true;
  }

  private taken(key: string): void {
    this.outbox.taken(key);
    this.learn();
  }

  /** Until a first entry tells which conversation this is, it cannot be resumed: ask. */
  private learn(): void {
    if (this.thread.conversation || this.thread.outbox.every((line) => line.state !== "sent")) return;
    this.timers.arm("learn", POLL_MS / 2, () => !this.thread.conversation && this.poll());
  }

  /** The visitor is not known any more, or nobody answers: come in again by the door. */
  private readmit(error: unknown): void {
    if (error instanceof Refusal && !error.passing) this.visitor = null;
    this.outbox.restart();
    this.become("offline");
    this.connectLater(backoff(++this.failures, this.ports.random()));
  }

  private become(connection: Connection): void {
    this.connection = connection;
    this.onchange();
  }
}
