// What the visitor wrote and nobody has confirmed: one at a time, in order, each under the key it was born with, so
// that sending it again cannot show it twice. Knows no transport: the session says how bytes leave.

import { Refusal } from "./api";
import type { Line, Thread } from "./thread";
import { type Timers, backoff } from "./timers";

const ACCEPT_MS = 8_000;
const ARRIVE_MS = 5_000;
const GIVE_UP_MS = 30_000;
const TRIES = 3;

export interface Carrier {
  /** Sends a line now; false when there is no way out at the moment. */
  transmit(line: Line, key: string): boolean;
  /** The way out is dead: no answer came in time. */
  silent(): void;
  /** An accepted line has not shown up in the thread. */
  missing(): void;
  changed(): void;
}

export class Outbox {
  private inflight: string | null = null;
  private readonly accepted = new Set<string>();
  private readonly tries = new Map<string, number>();

  constructor(
    private readonly thread: Thread,
    private readonly timers: Timers,
    private readonly random: () => number,
    private readonly carrier: Carrier,
  ) {}

  /** A line is to be sent, or sent again. */
  deliver(key: string): void {
    this.tries.delete(key);
    this.timers.arm(`give up ${key}`, GIVE_UP_MS, () => this.fail(key));
    this.pump();
    this.carrier.changed();
  }

  /** Sends the oldest line not taken yet; the next goes when that one is accepted. */
  pump(): void {
    const line = this.thread.outbox.find((candidate) => candidate.state === "sending");
    const key = line?.key;
    if (this.inflight || !line || !key) return;
    this.inflight = key;
    if (!this.carrier.transmit(line, key)) {
      this.inflight = null;
      return;
    }
    this.timers.arm("accept", ACCEPT_MS, () => {
      this.inflight = null;
      if (this.again(key)) this.carrier.silent();
      else this.fail(key);
    });
  }

  /** The way out changed: whatever was under way has to go again. */
  restart(): void {
    this.inflight = null;
    this.timers.disarm("accept");
    this.timers.disarm("again");
  }

  /** The server has taken it; the entry itself follows. */
  taken(key: string): void {
    this.thread.mark(key, "sent");
    this.accepted.add(key);
    this.release(key);
    this.timers.disarm(`give up ${key}`);
    this.timers.arm(`arrive ${key}`, ARRIVE_MS, () => {
      if (this.thread.outbox.some((line) => line.key === key)) this.carrier.missing();
    });
    this.pump();
    this.carrier.changed();
  }

  /** Its entry is in the thread. */
  settle(key: string): void {
    this.release(key);
    this.timers.disarm(`give up ${key}`);
    this.timers.disarm(`arrive ${key}`);
    this.accepted.delete(key);
    this.tries.delete(key);
    this.pump();
  }

  /** The server did not take it. */
  refused(key: string, error: unknown): void {
    this.timers.disarm("accept");
    const passing = !(error instanceof Refusal) || error.passing;
    if (!passing || !this.again(key)) return this.fail(key);
    this.timers.arm("again", backoff(this.tries.get(key) ?? 1, this.random()), () => {
      this.release(key);
      this.pump();
    });
  }

  /** Shows it as not sent, for the visitor to try again. */
  fail(key: string): void {
    this.release(key);
    this.timers.disarm(`give up ${key}`);
    if (!this.accepted.has(key)) this.thread.mark(key, "failed");
    this.pump();
    this.carrier.changed();
  }

  failAll(): void {
    for (const line of this.thread.outbox) if (line.key) this.fail(line.key);
  }

  private again(key: string): boolean {
    const tries = (this.tries.get(key) ?? 0) + 1;
    this.tries.set(key, tries);
    return tries < TRIES;
  }

  private release(key: string): void {
    if (this.inflight !== key) return;
    this.inflight = null;
    this.timers.disarm("accept");
  }
}
