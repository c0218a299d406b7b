import { describe, expect, it } from 'vitest';

import { barrier, holds, permits, remaining, risesTo } from './rules';
import type { Head } from './types';

const head: Head = {
  id: 'cnv_1', inbox: 'inb_1', channel: 'whatsapp', contact: 'cnt_1', seq: 3, episode: 1, status: 'open',
  holder: { kind: 'agent', agent: 'agt_li' }, lease: 1, opened_at: '', updated_at: '', since: '', unread: 0, preview: '',
  contact_at: '2026-11-23T08:00:00Z',
};
const noon = Date.parse('2026-11-23T12:00:00Z');

describe('what a channel allows', () => {
  it('counts WeChat in bytes and the others in characters', () => {
    expect(remaining('wechat', '你好')).toBe(2048 - 6);
    expect(remaining('whatsapp', '你好👍')).toBe(4096 - 3);
  });

  it('says why an agent may not write', () => {
    const closed = { ...head, may_write: { allowed: false, until: '2026-11-23T11:00:00Z' } };
    expect(barrier(head, 'agt_li', noon)).toBeUndefined();
    expect(barrier(head, 'agt_ann', noon)).toEqual({ why: 'held', agent: 'agt_li' });
    expect(barrier(closed, 'agt_li', noon)).toEqual({ why: 'window' });
    expect(barrier({ ...head, may_write: { allowed: false, left: 0 } }, 'agt_li', noon)).toEqual({ why: 'quota' });
  });

  it('closes a window by itself when its time has come', () => {
    const open = { ...head, may_write: { allowed: true, until: '2026-11-23T11:59:00Z' } };
    expect(barrier(open, 'agt_li', noon)).toEqual({ why: 'window' });
  });

  it("leaves a colleague's conversation alone, except to those who supervise", () => {
    expect(permits(head, { id: 'agt_ann', role: 'agent' })).toEqual({ take: false, pass: false, reopen: false });
    expect(permits(head, { id: 'agt_sam', role: 'supervisor' })).toEqual({ take: true, pass: true, reopen: false });
    expect(permits({ ...head, status: 'resolved' }, { id: 'agt_ann', role: 'agent' }).reopen).toBe(true);
  });
});

describe('a delivery', () => {
  it('only rises, and begins again with a new attempt', () => {
    expect(risesTo({ state: 'read', attempt: 1 }, { state: 'delivered', attempt: 1 })).toBe(false);
    expect(risesTo({ state: 'sent', attempt: 1 }, { state: 'failed', attempt: 1 })).toBe(true);
    expect(risesTo({ state: 'failed', attempt: 1 }, { state: 'queued', attempt: 2 })).toBe(true);
  });
});

describe('a conversation given away', () => {
  it('is theirs once its holder says so', () => {
    expect(holds(head, { agent: 'agt_li' })).toBe(true);
    expect(holds(head, { agent: 'agt_ann' })).toBe(false);
    expect(holds({ ...head, holder: { kind: 'queue', queue: 'que_vip' } }, { queue: 'que_vip' })).toBe(true);
    expect(holds({ ...head, holder: { kind: 'bot' } }, { bot: true })).toBe(true);
  });
});
