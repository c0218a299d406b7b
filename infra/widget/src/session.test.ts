import { beforeEach, describe, expect, it, vi } from "vitest";

import { type Api, Refusal, type Visit, type Who } from "./api";
import { type Ports, Session } from "./session";
import type { Entry } from "./thread";
import { backoff } from "./timers";
import type { SocketLike } from "./wire";

class FakeSocket implements SocketLike {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  sent: Record<string, unknown>[] = [];
  closed = false;
  send(text: string) {
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }
  close() {
    this.closed = true;
  }
  says(event: object) {
    this.onmessage?.({ data: JSON.stringify(event) });
  }
  of(action: string) {
    return this.sent.filter((message) => message.action === action);
  }
}

const visit: Visit = { visitor: "vis_1", token: "secret", ticket: "t0", conversation: null };
const message = (seq: number, author: Entry["author"], text: string, key?: string): Entry => ({
  seq,
  at: "2026-11-23T10:00:00Z",
  kind: "message",
  author: author ?? "agent",
  text,
  ...(key ? { key } : {}),
});

function harness(returning = false, who: Who = {}) {
  const sockets: FakeSocket[] = [];
  const stored = new Map<string, string>(returning ? [["token", "secret"]] : []);
  const api = {
    enter: vi.fn<Api["enter"]>(async () => visit),
    ticket: vi.fn<Api["ticket"]>(async () => "t1"),
    entries: vi.fn<Api["entries"]>(async () => ({ conversation: null, items: [], seq: 0 })),
    post: vi.fn<Api["post"]>(async () => {}),
  };
  let keys = 0;
  const ports: Ports = {
    api,
    open: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
    store: { get: (name) => stored.get(name) ?? null, set: (name, value) => void stored.set(name, value) },
    later(delay_ms, task) {
      const timer = setTimeout(task, delay_ms);
      return () => clearTimeout(timer);
    },
    random: () => 0.5,
    now: () => Date.now(),
    key: () => `k${++keys}`,
  };
  const session = new Session(ports, "inb_web", who);
  const last = () => sockets[sockets.length - 1]!;
  const texts = () => session.thread.lines.map((line) => `${line.seq ?? "-"}:${line.text}:${line.state}`);
  return { session, sockets, api, stored, last, texts };
}

async function live(conversation: string | null = null, who: Who = {}) {
  const h = harness(false, who);
  h.api.enter.mockResolvedValue({ ...visit, conversation });
  h.session.start();
  await vi.advanceTimersByTimeAsync(0);
  h.last().onopen?.();
  return h;
}

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});

describe("a visitor on a socket", () => {
  it("says with each message what the visitor is called, as far as the page knows", async () => {
    const { session, last } = await live(null, { name: "Zoe" });
    session.send("hello");
    expect(last().of("send")).toEqual([{ action: "send", name: "Zoe", text: "hello", key: "k1" }]);
  });

  it("sends at once, shows it before the answer, and shows it once", async () => {
    const { session, last, texts } = await live();
    session.send("hello");
    expect(texts()).toEqual(["-:hello:sending"]);
    expect(last().of("send")).toEqual([{ action: "send", text: "hello", key: "k1" }]);
    last().says({ type: "accepted", key: "k1", turn: "trn_1" });
    expect(texts()).toEqual(["-:hello:sent"]);
    const entry = message(2, "contact", "hello", "k1");
    last().says({ type: "entry", conversation: "cnv_1", seq: 2, entry });
    last().says({ type: "entry", conversation: "cnv_1", seq: 2, entry });
    expect(texts()).toEqual(["2:hello:sent"]);
  });

  it("sends the next message only after the last was accepted", async () => {
    const { session, last } = await live();
    session.send("one");
    session.send("two");
    expect(last().of("send").map((sent) => sent.text)).toEqual(["one"]);
    last().says({ type: "accepted", key: "k1", turn: "trn_1" });
    expect(last().of("send").map((sent) => sent.text)).toEqual(["one", "two"]);
  });

  it("resumes after a lost connection from what is confirmed, and sends what was under way again with its key", async () => {
    const { session, sockets, last, texts } = await live("cnv_1");
    expect(last().of("resume")).toEqual([{ action: "resume", conversation: "cnv_1", after: 0 }]);
    last().says({ type: "entry", conversation: "cnv_1", seq: 2, entry: message(2, "bot", "hi") });
    last().says({ type: "resumed", conversation: "cnv_1", seq: 3, deliveries: [] });
    session.send("lost?");
    last().onclose?.();
    expect(session.connection).toBe("connecting");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sockets).toHaveLength(2);
    last().onopen?.();
    expect(last().of("resume")).toEqual([{ action: "resume", conversation: "cnv_1", after: 3 }]);
    expect(last().of("send")).toEqual([{ action: "send", conversation: "cnv_1", text: "lost?", key: "k1" }]);
    last().says({ type: "entry", conversation: "cnv_1", seq: 4, entry: message(4, "contact", "lost?", "k1") });
    expect(texts()).toEqual(["2:hi:sent", "4:lost?:sent"]);
  });

  it("puts a push that overtook another in its place", async () => {
    const { last, texts } = await live("cnv_1");
    last().says({ type: "entry", conversation: "cnv_1", seq: 3, entry: message(3, "agent", "second") });
    last().says({ type: "entry", conversation: "cnv_1", seq: 2, entry: message(2, "agent", "first") });
    expect(texts()).toEqual(["2:first:sent", "3:second:sent"]);
  });

  it("moves on to a new conversation, which numbers from one again", async () => {
    const { session, last, texts } = await live("cnv_1");
    last().says({ type: "entry", conversation: "cnv_1", seq: 9, entry: message(9, "agent", "bye") });
    last().says({ type: "entry", conversation: "cnv_2", seq: 2, entry: message(2, "bot", "hello again") });
    expect(session.thread.conversation).toBe("cnv_2");
    expect(last().of("resume").at(-1)).toEqual({ action: "resume", conversation: "cnv_2", after: 0 });
    expect(texts()).toEqual(["9:bye:sent", "2:hello again:sent"]);
  });

  it("starts over when a resume was answered for another conversation", async () => {
    const { last } = await live("cnv_1");
    last().says({ type: "resumed", conversation: "cnv_2", seq: 9 });
    expect(last().of("resume").at(-1)).toEqual({ action: "resume", conversation: "cnv_2", after: 0 });
  });

  it("keeps a refused message visible, and sends it again under the same key when asked", async () => {
    const { session, last, texts } = await live();
    session.send("too rude");
    last().says({ type: "error", key: "k1", status: 422, code: "invalid", detail: "no" });
    expect(texts()).toEqual(["-:too rude:failed"]);
    session.retry("k1");
    expect(texts()).toEqual(["-:too rude:sending"]);
    expect(last().of("send").map((sent) => sent.key)).toEqual(["k1", "k1"]);
  });

  it("tries again by itself when the server is busy, but not for ever", async () => {
    const { session, last, texts } = await live();
    session.send("busy");
    for (let tries = 0; tries < 3; tries += 1) {
      last().says({ type: "error", key: "k1", status: 503, code: "unavailable", detail: "" });
      await vi.advanceTimersByTimeAsync(5_000);
    }
    expect(last().of("send")).toHaveLength(3);
    expect(texts()).toEqual(["-:busy:failed"]);
  });

  it("reconnects when nobody accepts, gives up after three tries, and is glad when it had arrived after all", async () => {
    const { session, sockets, last, texts } = await live();
    session.send("anyone?");
    for (let tries = 1; tries <= 2; tries += 1) {
      last().says({ type: "pong" });
      await vi.advanceTimersByTimeAsync(8_000);
      expect(sockets[tries - 1]?.closed).toBe(true);
      await vi.advanceTimersByTimeAsync(1_000);
      last().onopen?.();
    }
    expect(texts()).toEqual(["-:anyone?:sending"]);
    last().says({ type: "pong" });
    await vi.advanceTimersByTimeAsync(8_000);
    expect(texts()).toEqual(["-:anyone?:failed"]);
    last().says({ type: "entry", conversation: "cnv_1", seq: 2, entry: message(2, "contact", "anyone?", "k1") });
    expect(texts()).toEqual(["2:anyone?:sent"]);
  });

  it("asks again for an accepted message whose push was lost", async () => {
    const { session, last } = await live("cnv_1");
    last().says({ type: "resumed", conversation: "cnv_1", seq: 4, deliveries: [] });
    session.send("hm");
    last().says({ type: "accepted", key: "k1", turn: "trn_1" });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(last().of("resume").at(-1)).toEqual({ action: "resume", conversation: "cnv_1", after: 4 });
  });

  it("learns the conversation of a first message and subscribes to it", async () => {
    const { session, last, api, texts } = await live();
    session.send("first");
    last().says({ type: "accepted", key: "k1", turn: "trn_1" });
    api.entries
      .mockResolvedValueOnce({ conversation: null, items: [], seq: 0 })
      .mockResolvedValue({ conversation: "cnv_1", items: [message(2, "contact", "first", "k1")], seq: 2 });
    await vi.advanceTimersByTimeAsync(3_000);
    expect(texts()).toEqual(["2:first:sent"]);
    expect(last().of("resume")).toEqual([{ action: "resume", conversation: "cnv_1", after: 0 }]);
  });

  it("shows typing until the message comes, and tells its own at most every four seconds", async () => {
    const { session, last } = await live("cnv_1");
    last().says({ type: "typing", conversation: "cnv_1", author: "agent" });
    expect(session.typing).toBe("agent");
    last().says({ type: "entry", conversation: "cnv_1", seq: 2, entry: message(2, "agent", "hi") });
    expect(session.typing).toBeNull();
    session.tellTyping();
    session.tellTyping();
    expect(last().of("typing")).toHaveLength(1);
  });

  it("counts as unread what came while the chat was closed, once over reloads", async () => {
    const { session, last, stored } = await live("cnv_1");
    last().says({ type: "entry", conversation: "cnv_1", seq: 2, entry: message(2, "agent", "one") });
    last().says({ type: "entry", conversation: "cnv_1", seq: 3, entry: message(3, "contact", "own") });
    expect(session.unread).toBe(1);
    session.look(true);
    expect(session.unread).toBe(0);
    expect(stored.get("seen")).toBe("cnv_1#3");
    session.look(true);
    expect(last().of("seen")).toEqual([{ action: "seen", conversation: "cnv_1", seq: 3 }]);
  });

  it("hangs up on a server that has stopped answering", async () => {
    const { sockets, last } = await live();
    expect(last().of("ping")).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(sockets[0]?.closed).toBe(true);
  });
});

describe("a visitor where sockets are blocked", () => {
  async function blocked() {
    const h = harness();
    h.session.start();
    await vi.advanceTimersByTimeAsync(0);
    h.last().onclose?.();
    await vi.advanceTimersByTimeAsync(1_000);
    h.last().onclose?.();
    await vi.advanceTimersByTimeAsync(0);
    return h;
  }

  it("polls, posts with the key, and shows each entry once", async () => {
    const { session, api, texts } = await blocked();
    expect(session.connection).toBe("polling");
    session.look(true);
    session.send("hello");
    expect(api.post).toHaveBeenCalledWith("vis_1", "secret", "hello", "k1");
    const items = [message(2, "contact", "hello", "k1"), message(3, "bot", "hi")];
    api.entries.mockResolvedValue({ conversation: "cnv_1", items, seq: 5 });
    await vi.advanceTimersByTimeAsync(9_000);
    expect(texts()).toEqual(["2:hello:sent", "3:hi:sent"]);
    expect(api.entries).toHaveBeenLastCalledWith("vis_1", "secret", 5);
  });

  it("goes back to the socket when it opens again", async () => {
    const { session, sockets, last } = await blocked();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sockets).toHaveLength(3);
    last().onopen?.();
    expect(session.connection).toBe("live");
  });

  it("comes in again when its token is not known any more", async () => {
    const { session, api } = await blocked();
    api.post.mockRejectedValueOnce(new Refusal(401, "who?"));
    session.send("hello");
    await vi.advanceTimersByTimeAsync(5_000);
    expect(api.enter).toHaveBeenCalledTimes(2);
  });
});

describe("a visitor at the door", () => {
  it("is remembered by the token, and gets a new one when the old is refused", async () => {
    const { session, api, stored } = harness(true);
    expect(session.returning).toBe(true);
    api.enter.mockRejectedValueOnce(new Refusal(401, "unknown")).mockResolvedValue({ ...visit, token: "fresh" });
    session.start();
    await vi.advanceTimersByTimeAsync(0);
    expect(api.enter.mock.calls.map((call) => call[1])).toEqual(["secret", null]);
    expect(stored.get("token")).toBe("fresh");
  });

  it("is told when the chat refuses the site, and nothing is tried again", async () => {
    const { session, api } = harness();
    api.enter.mockRejectedValue(new Refusal(403, "origin"));
    session.send("hello");
    await vi.advanceTimersByTimeAsync(120_000);
    expect(session.connection).toBe("refused");
    expect(api.enter).toHaveBeenCalledTimes(1);
    expect(session.thread.lines[0]?.state).toBe("failed");
  });

  it("keeps trying while nobody answers, ever more slowly", async () => {
    const { session, api } = harness();
    api.enter.mockRejectedValue(new Refusal(0, "no answer"));
    session.start();
    await vi.advanceTimersByTimeAsync(300_000);
    expect(session.connection).toBe("offline");
    expect(api.enter.mock.calls.length).toBeGreaterThan(8);
    expect(api.enter.mock.calls.length).toBeLessThan(25);
    session.wake();
    await vi.advanceTimersByTimeAsync(0);
    expect(session.connection).toBe("offline");
  });
});

it("waits between half and all of a doubling time, never over thirty seconds", () => {
  expect(backoff(0, 0)).toBe(250);
  expect(backoff(3, 1)).toBe(4_000);
  expect(backoff(50, 0.999)).toBeLessThanOrEqual(30_000);
});
