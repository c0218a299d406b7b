// Short words about what just happened. A failure stays until it is closed; a success goes by itself.

import { maybe, t } from '../i18n/index.svelte';
import { problemOf } from '../lib/api';

export interface Toast {
  id: number;
  kind: 'done' | 'failed' | 'told';
  words: string;
}

class Toasts {
  items = $state<Toast[]>([]);
  #next = 1;

  done(words: string): void {
    const id = this.#add('done', words);
    setTimeout(() => this.close(id), 5000);
  }

  /** Something the agent must not miss; it stays until it is closed. */
  told(words: string): void {
    this.#add('told', words);
  }

  /** What had to be told is known. */
  untell(): void {
    this.items = this.items.filter((toast) => toast.kind !== 'told');
  }

  failed(thrown: unknown): void {
    const problem = problemOf(thrown);
    // The sign-in page says it already.
    if (problem.status === 401) return;
    this.#add('failed', t('act.refused', { detail: words(problem) }));
  }

  close(id: number): void {
    this.items = this.items.filter((toast) => toast.id !== id);
  }

  #add(kind: Toast['kind'], text: string): number {
    const id = this.#next++;
    this.items = [...this.items.filter((toast) => toast.words !== text), { id, kind, words: text }].slice(-3);
    return id;
  }
}

export const toasts = new Toasts();

/** A problem in words: by its code, else by its status, with the server's own detail where that says more. */
export function words(problem: { status: number; code?: string | undefined; detail?: string | undefined }): string {
  const byCode = problem.code ? maybe(`problem.${problem.code}`, '') : '';
  if (byCode) return byCode;
  const general = maybe(`problem.${problem.status}`, t(problem.status >= 500 ? 'problem.500' : 'problem.422'));
  const says = problem.status >= 400 && problem.status < 500 && problem.detail;
  return says ? `${general} ${problem.detail}` : general;
}
