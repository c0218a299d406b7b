import { describe, expect, it } from 'vitest';

import { Socket, type After, type Link, type Wire } from './socket';
import type { Entry, EntryEvent, ServerEvent } from './types';

/** A socket whose other end is the test, and a clock that only the test moves. */
class FakeWire implements Wire {
  sent: { action: string; [field: string]: unknown }[] = [];
  closed = false;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  send(text: string) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.closed = true;
  }
  says(event: ServerEvent) {
    this.onmessage?.({ data: JSON.stringify(event) });
  }
  resumes() {
    return this.sent.filter((action) => action.action === 'resume').map((action) => action['after']);
  }
}

function world() {
  const wires: FakeWire[] = [];
  const timers: { ms: number; act: () => void; live: boolean }[] = [];
  const events: ServerEvent[] = [];
  const links: Link[] = [];
  const stuck: number[] = [];
  const refusals = { tickets: 0 };
  const after: After = (ms, act) => {
    const timer = { ms, act, live: true };
    timers.push(timer);
    return () => (timer.live = false);
  };
  const socket = new Socket({
    ticket: async () => {
      if (refusals.tickets > 0) {
        refusals.tickets -= 1;
        throw new Error('no ticket');
      }
      return 'ticket';
    },
    open: () => {
      const wire = new FakeWire();
      wires.push(wire);
      return wire;
    },
    onEvent: (event) => events.push(event),
    onLink: (link) => links.push(link),
    onStuck: (_, held) => stuck.push(held),
    random: () => 1,
    after,
  });
  const pass = async () => {
    const timer = timers.findLast((each) => each.live);
    if (timer) {
      timer.live = false;
      timer.act();
    }
    await settle();
    return timer?.ms;
  };
  const connect = async () => {
    socket.connect();
    await settle();
    wires.at(-1)?.onopen?.();
    return wires.at(-1) as FakeWire;
  };
  return { socket, wires, events, links, stuck, refusals, pass, connect };
}

const settle = () => new Promise((done) => setImmediate(done));

function entry(seq: number): EntryEvent {
  const what: Entry = { seq, at: '2026-11-23T08:00:00Z', kind: 'message', author: 'contact', text: `no. ${seq}` };
  return { type: 'entry', conversation: 'cnv_1', seq, entry: what };
}

describe('the socket', () => {
  it('applies each entry once, however often it arrives', async () => {
    const { socket, connect } = world();
    const wire = await connect();
    const applied: number[] = [];
    socket.watch('cnv_1', 0, (event) => applied.push(event.seq));
    [1, 1, 2, 1, 2, 3].forEach((seq) => wire.says(entry(seq)));
    expect(applied).toEqual([1, 2, 3]);
  });

  it('asks for what is missing when a number is skipped, and loses nothing it held meanwhile', async () => {
    const { socket, connect } = world();
    const wire = await connect();
    const applied: number[] = [];
    socket.watch('cnv_1', 2, (event) => applied.push(event.seq));
    wire.says({ type: 'resumed', conversation: 'cnv_1', seq: 2 });
    wire.says(entry(5));
    wire.says(entry(6));
    expect(applied).toEqual([]);
    expect(wire.resumes()).toEqual([2, 2]);
    wire.says(entry(3));
    wire.says(entry(4));
    wire.says({ type: 'resumed', conversation: 'cnv_1', seq: 4 });
    expect(applied).toEqual([3, 4, 5, 6]);
    expect(wire.resumes()).toEqual([2, 2]);
  });

  it('resumes every open conversation after the last number held when the connection comes back', async () => {
    const { socket, connect, pass, wires } = world();
    const wire = await connect();
    const applied: number[] = [];
    socket.watch('cnv_1', 0, (event) => applied.push(event.seq));
    wire.says(entry(1));
    wire.onclose?.();
    await pass();
    const second = wires[1] as FakeWire;
    second.onopen?.();
    expect(second.resumes()).toEqual([1]);
    [2, 3].forEach((seq) => second.says(entry(seq)));
    second.says({ type: 'resumed', conversation: 'cnv_1', seq: 3 });
    expect(applied).toEqual([1, 2, 3]);
  });

  it('does not listen to a connection it has given up', async () => {
    const { socket, connect, pass, events } = world();
    const wire = await connect();
    socket.watch('cnv_1', 0, () => expect.unreachable());
    wire.onclose?.();
    await pass();
    wire.says(entry(1));
    expect(events).toEqual([]);
    expect(wire.closed).toBe(true);
  });

  it('waits longer after each failure, and starts afresh after a success', async () => {
    const { socket, refusals, pass, links, wires } = world();
    refusals.tickets = 3;
    socket.connect();
    await settle();
    const delays = [await pass(), await pass(), await pass()];
    expect(delays).toEqual([500, 1000, 2000]);
    wires[0]?.onopen?.();
    wires[0]?.onclose?.();
    expect(await pass()).toBe(500);
    expect(links.at(-1)).toBe('connecting');
  });

  it('leaves a gap that asking does not close to whoever can fetch it', async () => {
    const { socket, connect, stuck } = world();
    const wire = await connect();
    socket.watch('cnv_1', 1, () => expect.unreachable());
    wire.says(entry(4));
    for (let round = 0; round < 3; round += 1) wire.says({ type: 'resumed', conversation: 'cnv_1', seq: 4 });
    expect(stuck).toEqual([1]);
  });

  it('gives a silent connection up', async () => {
    const { connect, pass, wires, links } = world();
    const wire = await connect();
    expect(await pass()).toBe(50_000);
    expect(wire.sent).toEqual([{ action: 'ping' }]);
    await pass();
    expect(links.at(-1)).toBe('waiting');
    await pass();
    expect(wires).toHaveLength(2);
  });

  it('passes an error with its key on', async () => {
    const { connect, events } = world();
    const wire = await connect();
    const error: ServerEvent = { type: 'error', key: 'k', status: 403, code: 'held_by_other' };
    wire.says(error);
    expect(events).toEqual([error]);
  });

  it('says that nothing was sent while there is no connection', () => {
    expect(world().socket.send({ action: 'ping' })).toBe(false);
  });
});
