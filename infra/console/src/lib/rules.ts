// What the composer must know of a channel: how long a text may be and in what it is counted. The server's table
// decides; this one only counts before asking. Longer texts are split on the way out, so the limit is a hint.

import type { Head } from './types';

interface Limit {
  max: number;
  unit: 'characters' | 'bytes';
}

const limits: Record<string, Limit> = {
  web: { max: 8000, unit: 'characters' },
  whatsapp: { max: 4096, unit: 'characters' },
  wechat: { max: 2048, unit: 'bytes' },
};

const fallback: Limit = { max: 2000, unit: 'characters' };

export function limitOf(channel: string): Limit {
  return limits[channel] ?? fallback;
}

/** How much may still be written; negative when it is too much for one message. */
export function remaining(channel: string, text: string): number {
  const { max, unit } = limitOf(channel);
  return max - (unit === 'bytes' ? new TextEncoder().encode(text).length : [...text].length);
}

export type Barrier =
  | { why: 'held'; agent: string }
  | { why: 'quota' | 'window' | 'first' }
  | { why: 'other'; detail: string };

/** Why `agent` may not write to the customer now; nothing when they may. */
export function barrier(head: Head, agent: string, now: number): Barrier | undefined {
  if (head.holder.kind === 'agent' && head.holder.agent !== agent) return { why: 'held', agent: head.holder.agent };
  const permission = head.may_write;
  if (!permission) return undefined;
  const closed = permission.until !== undefined && Date.parse(permission.until) <= now;
  if (permission.allowed && !closed) return undefined;
  if (permission.left === 0) return { why: 'quota' };
  if (closed) return { why: 'window' };
  if (!head.contact_at) return { why: 'first' };
  return { why: 'other', detail: permission.reason ?? '' };
}

/** A newer attempt counts over an older one; within one attempt a delivery only rises. */
export function risesTo(now: { state: string; attempt: number } | undefined, next: { state: string; attempt: number }) {
  if (!now || next.attempt > now.attempt) return true;
  if (now.state === 'sent' && next.state === 'failed') return true;
  return next.attempt === now.attempt && rank(next.state) > rank(now.state);
}

function rank(state: string): number {
  return { queued: 0, sending: 1, failed: 2, unknown: 2, sent: 3, delivered: 4, read: 5 }[state] ?? 0;
}

/** What an agent may do to a conversation: a colleague's is left alone, except by those who supervise. */
export function permits(head: Head, me: { id: string; role: string }): { take: boolean; pass: boolean; reopen: boolean } {
  if (head.status === 'resolved') return { take: false, pass: false, reopen: true };
  const mine = head.holder.kind === 'agent' && head.holder.agent === me.id;
  const free = head.holder.kind !== 'agent' || mine || me.role !== 'agent';
  return { take: free && !mine, pass: free, reopen: false };
}

/** Whom a conversation is given to. */
export type Receiver = { agent: string } | { queue: string } | { bot: true };

/** Whether it is theirs now. */
export function holds({ holder }: Head, to: Receiver): boolean {
  if ('agent' in to) return holder.kind === 'agent' && holder.agent === to.agent;
  if ('queue' in to) return holder.kind === 'queue' && holder.queue === to.queue;
  return holder.kind === 'bot';
}
