// What an agent wrote and the timeline does not show yet. One message per conversation is under way at a time, so that
// they arrive in order; each keeps its key, so that sending it again never says it twice. A failure stays until it is
// retried or thrown away.

import { after, type After } from './socket';
import type { Action } from './types';

export type Sending = 'waiting' | 'sending' | 'accepted' | 'failed';

export interface Pending {
  readonly key: string;
  readonly conversation: string;
  readonly action: 'send' | 'note';
  readonly text: string;
  readonly at: string;
  state: Sending;
  failure?: Refusal;
  turn?: string;
}

/** Why a message was not taken. */
export interface Refusal {
  status: number;
  code?: string | undefined;
  detail?: string | undefined;
}

export interface OutboxOptions {
  send: (action: Action) => boolean;
  /** What became of a turn; asked when its entry does not show up. */
  outcome: (conversation: string, turn: string) => Promise<{ state?: string; code?: string; detail?: string }>;
  /** The list changed. */
  changed: (pending: readonly Pending[]) => void;
  after?: After;
}

const ANSWER_MS = 10_000;
const ENTRY_MS = 5_000;

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #after: After;
  readonly #timers = new Map<string, () => void>();
  #pending: Pending[] = [];

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#after = options.after ?? after;
  }

  get pending(): readonly Pending[] {
    return this.#pending;
  }

  add(message: Omit<Pending, 'state'>): void {
    this.#pending.push({ ...message, state: 'waiting' });
    this.#next(message.conversation);
  }

  /** Sends a failed message again, with the key it had. */
  retry(key: string): void {
    this.#change(key, (message) => {
      message.state = 'waiting';
      delete message.failure;
    });
  }

  discard(key: string): void {
    this.#remove(key);
  }

  /** The server took the command. */
  accepted(key: string, turn: string): void {
    this.#change(key, (message) => {
      message.state = 'accepted';
      message.turn = turn;
      this.#wait(key, ENTRY_MS, () => void this.#ask(message, turn));
    });
  }

  /** The server refused the command. */
  refused(key: string, failure: Refusal): void {
    this.#change(key, (message) => {
      message.state = 'failed';
      message.failure = failure;
    });
    this.#timers.get(key)?.();
  }

  /** Its entry stands in the timeline. */
  written(key: string): void {
    this.#remove(key);
  }

  /** The connection is back: what has no entry yet is sent again, under the key it had. */
  resumed(): void {
    for (const message of this.#pending) {
      if (message.state === 'sending' || message.state === 'accepted') message.state = 'waiting';
    }
    new Set(this.#pending.map((message) => message.conversation)).forEach((each) => this.#next(each));
  }

  #next(conversation: string): void {
    const mine = this.#pending.filter((message) => message.conversation === conversation);
    const busy = mine.some((message) => message.state === 'sending');
    const message = busy ? undefined : mine.find((each) => each.state === 'waiting');
    if (message) {
      const { action, text, key } = message;
      if (this.#options.send({ action, conversation, text, key })) {
        message.state = 'sending';
        this.#wait(key, ANSWER_MS, () => this.refused(key, { status: 0, code: 'no_answer' }));
      }
    }
    this.#options.changed(this.#pending);
  }

  async #ask(message: Pending, turn: string): Promise<void> {
    try {
      const outcome = await this.#options.outcome(message.conversation, turn);
      if (outcome.state === 'refused') {
        const { code, detail } = outcome;
        return this.refused(message.key, { status: 409, code, detail });
      }
      if (outcome.state === 'committed') return this.#remove(message.key);
    } catch {
      // Not knowing is no failure: it is asked again.
    }
    if (message.state === 'accepted' && this.#pending.includes(message)) {
      this.#wait(message.key, ENTRY_MS, () => void this.#ask(message, turn));
    }
  }

  #change(key: string, act: (message: Pending) => void): void {
    const message = this.#pending.find((each) => each.key === key);
    if (!message) return;
    act(message);
    this.#next(message.conversation);
  }

  #remove(key: string): void {
    this.#timers.get(key)?.();
    this.#timers.delete(key);
    const message = this.#pending.find((each) => each.key === key);
    if (!message) return;
    this.#pending = this.#pending.filter((each) => each !== message);
    this.#next(message.conversation);
  }

  #wait(key: string, ms: number, act: () => void): void {
    this.#timers.get(key)?.();
    this.#timers.set(key, this.#after(ms, act));
  }
}
