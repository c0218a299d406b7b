import { afterEach, describe, expect, it, vi } from 'vitest';

import { Api } from '../lib/api';
import type { Head, Me } from '../lib/types';
import { Lists } from './lists.svelte';
import { parse } from './router.svelte';
import { Timeline } from './timeline.svelte';

const me: Me = {
  id: 'agt_li', name: 'Li', email: '', role: 'agent', teams: [], queues: [{ id: 'que_general', name: 'General' }],
  presence: 'available', capacity: 3,
};

function head(id: string, change: Partial<Head> = {}): Head {
  return {
    id, inbox: 'inb_web', channel: 'web', contact: 'cnt_1', seq: 1, episode: 1, status: 'queued',
    holder: { kind: 'queue', queue: 'que_general' }, lease: 1, opened_at: '', updated_at: '2026-11-23T08:00:00Z',
    since: '2026-11-23T08:00:00Z', unread: 1, preview: '', ...change,
  };
}

function lists(items: Head[] = []) {
  const fetch = async () => Response.json({ items, cursor: null });
  return new Lists(new Api({ token: () => undefined, onUnauthorized: () => {}, fetch }), me);
}

afterEach(() => void vi.useRealTimers());

describe('the lists', () => {
  it('move a conversation by themselves when its holder changes', () => {
    const desk = lists();
    desk.take(head('cnv_1'));
    expect(desk.items('queue:que_general')).toHaveLength(1);
    desk.take(head('cnv_1', { seq: 2, status: 'open', holder: { kind: 'agent', agent: 'agt_li' } }));
    expect(desk.items('queue:que_general')).toHaveLength(0);
    expect(desk.items('mine')).toHaveLength(1);
  });

  it('ignore a head older than the one they have', () => {
    const desk = lists();
    desk.take(head('cnv_1', { seq: 5, status: 'resolved', holder: { kind: 'nobody' } }));
    desk.take(head('cnv_1', { seq: 4 }));
    expect(desk.items('resolved')).toHaveLength(1);
  });

  it('put who has waited longest first in a queue', () => {
    const desk = lists();
    desk.take(head('cnv_late', { queued_at: '2026-11-23T09:00:00Z' }));
    desk.take(head('cnv_early', { queued_at: '2026-11-23T07:00:00Z' }));
    expect(desk.items('queue:que_general').map((each) => each.id)).toEqual(['cnv_early', 'cnv_late']);
  });

  it('forget what left a list while nobody was connected', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const later = Date.now() + 60_000;
    const desk = lists([head('cnv_2')]);
    desk.take(head('cnv_1'));
    vi.setSystemTime(later);
    await desk.load('queue:que_general');
    expect(desk.items('queue:que_general').map((each) => each.id)).toEqual(['cnv_2']);
  });

  it('show everyone only to those who supervise', () => {
    expect(lists().ids).toEqual(['mine', 'queue:que_general', 'bot', 'resolved']);
  });
});

describe('a timeline', () => {
  it('takes only the next entry', () => {
    const timeline = new Timeline('cnv_1');
    const entry = (seq: number) => ({ seq, at: '', kind: 'note' as const, agent: 'agt_li', text: '' });
    [1, 3, 1, 2].forEach((seq) => timeline.append(entry(seq)));
    expect(timeline.entries.map((each) => each.seq)).toEqual([1, 2]);
  });
});

describe('an address', () => {
  it('names a list and a conversation', () => {
    expect(parse('#/desk/queue%3Aque_general/cnv_1')).toEqual({
      page: 'desk', list: 'queue:que_general', conversation: 'cnv_1',
    });
    expect(parse('')).toEqual({ page: 'desk', list: 'mine', conversation: undefined });
  });
});
