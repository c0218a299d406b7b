// How far the visitor has read: the unread count, remembered over reloads.

import type { Thread } from "./thread";

export interface Store {
  get(name: string): string | null;
  set(name: string, value: string): void;
}

export class Reading {
  unread = 0;
  private looking = false;
  private told = "";

  constructor(
    private readonly thread: Thread,
    private readonly store: Store,
  ) {}

  get open(): boolean {
    return this.looking;
  }

  look(open: boolean): void {
    this.looking = open;
    if (open) this.read();
  }

  /** Something from the other side has come. */
  came(conversation: string, seq: number): void {
    if (this.looking) return this.read();
    const [known, read] = (this.store.get("seen") ?? "#0").split("#");
    if (known !== conversation || seq > Number(read)) this.unread += 1;
  }

  /** What the other side should be told was seen, once; nothing while nobody looks. */
  news(): { conversation: string; seq: number } | null {
    const { conversation, latest: seq } = this.thread;
    const mark = `${conversation}#${seq}`;
    if (!this.looking || !conversation || seq === 0 || mark === this.told) return null;
    this.told = mark;
    return { conversation, seq };
  }

  private read(): void {
    this.unread = 0;
    if (this.thread.conversation) this.store.set("seen", `${this.thread.conversation}#${this.thread.latest}`);
  }
}
