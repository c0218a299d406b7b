// Named timers: arming a name again replaces it. And the wait between attempts.

/** Runs a task once after a delay; the answer cancels it. */
export type Later = (delay_ms: number, task: () => void) => () => void;

export class Timers {
  private readonly armed = new Map<string, () => void>();

  constructor(private readonly later: Later) {}

  arm(name: string, delay_ms: number, task: () => void): void {
    this.disarm(name);
    const cancel = this.later(delay_ms, () => {
      this.armed.delete(name);
      task();
    });
    this.armed.set(name, cancel);
  }

  disarm(name: string): void {
    this.armed.get(name)?.();
    this.armed.delete(name);
  }
}

/** The wait before attempt `failures + 1`: doubling to 30 s, between half and all of it, so that clients spread out. */
export function backoff(failures: number, random: number): number {
  return Math.min(30_000, 500 * 2 ** Math.min(failures, 10)) * (0.5 + random / 2);
}
