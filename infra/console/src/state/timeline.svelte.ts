// One conversation's timeline as this console holds it: entries in order, how far each message got, who is typing.

import { SvelteMap } from 'svelte/reactivity';

import { risesTo } from '../lib/rules';
import type { Delivery, Entry } from '../lib/types';

const TYPING_MS = 6000;

export class Timeline {
  readonly id: string;
  entries = $state.raw<Entry[]>([]);
  readonly deliveries = new SvelteMap<number, Delivery>();
  state = $state<'loading' | 'ready' | 'failed'>('loading');
  typing = $state<string>();
  #stop: ReturnType<typeof setTimeout> | undefined;

  constructor(id: string) {
    this.id = id;
  }

  get last(): number {
    return this.entries.at(-1)?.seq ?? 0;
  }

  /** Adds what follows the last entry held; anything else is not for this timeline yet. */
  append(entry: Entry): void {
    if (entry.seq !== this.last + 1) return;
    this.entries = [...this.entries, entry];
    if (entry.kind === 'message' && entry.author === this.typing) this.typing = undefined;
  }

  deliver(delivery: Delivery): void {
    if (risesTo(this.deliveries.get(delivery.seq), delivery)) this.deliveries.set(delivery.seq, delivery);
  }

  types(author: string): void {
    this.typing = author;
    clearTimeout(this.#stop);
    this.#stop = setTimeout(() => (this.typing = undefined), TYPING_MS);
  }
}
