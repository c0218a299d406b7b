import { describe, expect, it } from 'vitest';

import { Outbox } from './outbox';
import type { Action } from './types';

function world() {
  const sent: Action[] = [];
  const timers: { act: () => void; live: boolean }[] = [];
  const state = { open: true, outcome: { state: 'pending' } as { state: string; code?: string; detail?: string } };
  const outbox = new Outbox({
    send: (action) => state.open && sent.push(action) > 0,
    outcome: async () => state.outcome,
    changed: () => {},
    after: (_, act) => {
      const timer = { act, live: true };
      timers.push(timer);
      return () => (timer.live = false);
    },
  });
  const pass = async () => {
    const timer = timers.find((each) => each.live);
    if (timer) {
      timer.live = false;
      timer.act();
    }
    await new Promise((done) => setImmediate(done));
  };
  const write = (key: string, conversation = 'cnv_1') =>
    outbox.add({ key, conversation, action: 'send', text: key, at: '2026-11-23T08:00:00Z' });
  const keys = () => sent.map((action) => ('key' in action ? action.key : ''));
  const states = () => outbox.pending.map((message) => message.state);
  return { outbox, state, pass, write, keys, states };
}

describe('what an agent wrote', () => {
  it('goes out one by one in each conversation, so that it arrives in order', () => {
    const { outbox, write, keys } = world();
    ['a', 'b'].forEach((key) => write(key));
    write('c', 'cnv_2');
    expect(keys()).toEqual(['a', 'c']);
    outbox.accepted('a', 'trn_1');
    expect(keys()).toEqual(['a', 'c', 'b']);
  });

  it('disappears when its entry stands in the timeline', () => {
    const { outbox, write, states } = world();
    write('a');
    outbox.accepted('a', 'trn_1');
    outbox.written('a');
    expect(states()).toEqual([]);
  });

  it('stays as failed when it is refused, and is sent again under the same key', () => {
    const { outbox, write, keys, states } = world();
    write('a');
    outbox.refused('a', { status: 409, code: 'held_by_other' });
    expect(states()).toEqual(['failed']);
    expect(outbox.pending[0]?.failure?.code).toBe('held_by_other');
    outbox.retry('a');
    expect(states()).toEqual(['sending']);
    expect(keys()).toEqual(['a', 'a']);
    expect(outbox.pending[0]?.failure).toBeUndefined();
  });

  it('waits for a connection, and goes out when it is there', () => {
    const { outbox, state, write, keys, states } = world();
    state.open = false;
    write('a');
    expect(states()).toEqual(['waiting']);
    state.open = true;
    outbox.resumed();
    expect(keys()).toEqual(['a']);
  });

  it('is sent again with its key when the connection was lost before its entry came', () => {
    const { outbox, write, keys } = world();
    write('a');
    outbox.accepted('a', 'trn_1');
    outbox.resumed();
    expect(keys()).toEqual(['a', 'a']);
  });

  it('fails visibly when nothing answers', async () => {
    const { write, pass, states } = world();
    write('a');
    await pass();
    expect(states()).toEqual(['failed']);
  });

  it('asks what became of it when its entry does not come', async () => {
    const { outbox, state, write, pass, states } = world();
    write('a');
    outbox.accepted('a', 'trn_1');
    await pass();
    expect(states()).toEqual(['accepted']);
    state.outcome = { state: 'refused', code: 'may_not_write' };
    await pass();
    expect(states()).toEqual(['failed']);
  });

  it('can be thrown away', () => {
    const { outbox, write, keys, states } = world();
    ['a', 'b'].forEach((key) => write(key));
    outbox.discard('a');
    expect(states()).toEqual(['sending']);
    expect(keys()).toEqual(['a', 'b']);
  });
});
