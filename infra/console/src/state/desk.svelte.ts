// The desk of one signed-in agent: lists, the open timeline, the socket that keeps both live, and what the agent does.

import { createContext } from 'svelte';

import { t } from '../i18n/index.svelte';
import { newKey, Problem, problemOf } from '../lib/api';
import { Outbox, type Pending } from '../lib/outbox';
import { openWire, Socket, type Link } from '../lib/socket';
import { holds, type Receiver } from '../lib/rules';
import type { EntryEvent, Head, Me, Presence, ServerEvent, Turn } from '../lib/types';
import { Directory } from './directory.svelte';
import { Lists } from './lists.svelte';
import { deskLink, router } from './router.svelte';
import type { Session } from './session.svelte';
import { Timeline } from './timeline.svelte';
import { toasts } from './toasts.svelte';

/** Timelines kept after they were closed, to be shown at once when opened again. */
const KEPT = 12;
const SETTLE_MS = [150, 350, 700, 1500, 3000];
const TYPING_EVERY_MS = 3000;
const LEAVE_MS = 800;
/** How often the lists are compared with the desk's: what leaves a list unwatched is not told to those it leaves. */
const REFRESH_MS = 90_000;

export class Desk {
  readonly me: Me;
  readonly session: Session;
  readonly directory: Directory;
  readonly lists: Lists;
  readonly drafts = new Map<string, string>();
  current = $state.raw<Timeline>();
  link = $state<Link>('closed');
  presence = $state<Presence>('offline');
  pending = $state.raw<readonly Pending[]>([]);
  busy = $state<string>();
  readonly #socket: Socket;
  readonly #outbox: Outbox;
  #timelines: Timeline[] = [];
  #typed = 0;
  #left: () => void = () => {};
  #wished: Presence | undefined;
  #met = false;
  #refreshed = Date.now();

  constructor(session: Session, me: Me) {
    this.me = me;
    this.session = session;
    this.presence = me.presence;
    this.directory = new Directory(session.api, me, session.config);
    this.lists = new Lists(session.api, me);
    this.#socket = new Socket({
      ticket: session.api.ticket,
      open: openWire,
      onEvent: (event) => this.#hear(event),
      onLink: (link) => this.#linked(link),
      onStuck: (conversation) => void this.#refill(conversation),
    });
    this.#outbox = new Outbox({
      send: (action) => this.#socket.send(action),
      outcome: (conversation, turn) => this.#outcome(conversation, turn),
      changed: (pending) => (this.pending = pending.map((message) => ({ ...message }))),
    });
  }

  start(): () => void {
    const online = () => this.#socket.connect();
    const returned = () => document.visibilityState === 'visible' && this.#refresh();
    window.addEventListener('online', online);
    document.addEventListener('visibilitychange', returned);
    const timer = setInterval(returned, REFRESH_MS);
    void this.directory.load();
    this.lists.loadAll();
    this.#socket.connect();
    return () => {
      window.removeEventListener('online', online);
      document.removeEventListener('visibilitychange', returned);
      clearInterval(timer);
      this.#socket.close();
    };
  }

  /** Ends the agent's day here: who has left is not offered anything. */
  async signOut(): Promise<void> {
    // Said while the connection still counts, which is until we have heard it back.
    const said = this.#socket.send({ action: 'presence', state: 'offline' });
    if (said) await new Promise<void>((heard) => ((this.#left = heard), setTimeout(heard, LEAVE_MS)));
    this.session.signOut();
  }

  reconnect = () => this.#socket.connect();

  async open(id: string | undefined): Promise<void> {
    if (this.current?.id === id) return;
    if (this.current) this.#socket.leave(this.current.id);
    this.current = id ? this.#timeline(id) : undefined;
    if (id) await this.reload();
  }

  /** Loads what the open timeline lacks, then follows it live. */
  async reload(): Promise<void> {
    const timeline = this.current;
    if (!timeline) return;
    if (timeline.state === 'failed') timeline.state = 'loading';
    try {
      await this.#fetch(timeline);
      timeline.state = 'ready';
    } catch {
      if (timeline.last === 0) timeline.state = 'failed';
    }
    if (this.current === timeline) this.#socket.watch(timeline.id, timeline.last, (event) => this.#append(event));
  }

  say(conversation: string, action: 'send' | 'note', text: string): void {
    this.#outbox.add({ key: newKey(), conversation, action, text, at: new Date().toISOString() });
  }

  retryPending = (key: string) => this.#outbox.retry(key);
  discardPending = (key: string) => this.#outbox.discard(key);

  typing(conversation: string): void {
    if (Date.now() - this.#typed < TYPING_EVERY_MS) return;
    this.#typed = Date.now();
    this.#socket.send({ action: 'typing', conversation });
  }

  /** Says it now, or as soon as there is a connection. */
  setPresence(state: Presence): void {
    this.presence = state;
    this.#wished = this.#socket.send({ action: 'presence', state }) ? undefined : state;
  }

  take = (id: string) => this.#give(id, { agent: this.me.id });
  toBot = (id: string) => this.#give(id, { bot: true });
  resolve = (id: string, disposition?: string) =>
    this.#act(id, () => this.session.api.resolve(id, disposition), (head) => head.status === 'resolved');
  reopen = (id: string) => this.#act(id, () => this.session.api.reopen(id), (head) => head.status !== 'resolved');
  retry = (id: string, seq: number) => this.#act(id, () => this.session.api.retry(id, seq));
  answer = (id: string, accept: boolean) =>
    this.#act(id, () => this.session.api.answerOffer(id, accept), (head) => holds(head, { agent: this.me.id }));

  /** Gives it away. A colleague's conversation is theirs alone, as is another team's queue, but to those who supervise. */
  async transfer(id: string, to: Receiver): Promise<void> {
    const given = await this.#give(id, to);
    const stays = this.me.role !== 'agent' || ('queue' in to && this.me.queues.some((queue) => queue.id === to.queue));
    if (given && !stays) this.#gone(id);
  }

  #give(id: string, to: Receiver): Promise<boolean> {
    return this.#act(id, () => this.session.api.give(id, to), (head) => holds(head, to));
  }

  /** Gives a command and waits for what becomes of it; a refusal is said, not thrown. True when it was carried out,
      which `done` may see from the head before anyone is asked. */
  async #act(id: string, command: () => Promise<Turn>, done?: (head: Head) => boolean): Promise<boolean> {
    if (this.busy === id) return false;
    this.busy = id;
    try {
      const { turn } = await command();
      for (const ms of SETTLE_MS) {
        await new Promise((waited) => setTimeout(waited, ms));
        const head = this.lists.heads.get(id);
        if (head && done?.(head)) return true;
        const outcome = await this.#outcomeOrGone(id, turn);
        if (outcome.state === 'refused') throw new Problem(409, outcome.detail, outcome.code);
        if (outcome.state === 'committed') return true;
      }
      throw new Problem(503, undefined, 'slow');
    } catch (thrown) {
      toasts.failed(thrown);
      return false;
    } finally {
      this.busy = undefined;
    }
  }

  /** What became of a turn; when it is written and did not reach us yet, it is fetched. */
  async #outcome(conversation: string, turn: string): Promise<Turn> {
    const outcome = await this.session.api.turn(conversation, turn);
    const known = this.lists.heads.get(conversation)?.seq ?? 0;
    if (outcome.state === 'committed' && (outcome.seq ?? Infinity) > known) await this.#refill(conversation);
    return outcome;
  }

  /** As `#outcome`; a conversation we may not see any more has gone where it was sent. */
  async #outcomeOrGone(conversation: string, turn: string): Promise<Pick<Turn, 'state' | 'code' | 'detail'>> {
    try {
      return await this.#outcome(conversation, turn);
    } catch (thrown) {
      if (problemOf(thrown).status !== 403) throw thrown;
      this.#gone(conversation);
      return { state: 'committed' };
    }
  }

  #gone(conversation: string): void {
    this.lists.drop(conversation);
    const { route } = router;
    if (route.page === 'desk' && route.conversation === conversation) router.go(deskLink(route.list));
  }

  async #refill(conversation: string): Promise<void> {
    const timeline = this.#timelines.find((each) => each.id === conversation);
    if (timeline) await this.#fetch(timeline);
    else this.lists.take(await this.session.api.head(conversation));
  }

  async #fetch(timeline: Timeline): Promise<void> {
    for (;;) {
      const before = timeline.last;
      const page = await this.session.api.entries(timeline.id, before);
      for (const entry of page.items) {
        const event: EntryEvent = { type: 'entry', conversation: timeline.id, seq: entry.seq, entry };
        this.#socket.take(event);
        this.#append(event);
      }
      page.deliveries?.forEach((delivery) => timeline.deliver(delivery));
      if (page.head) this.lists.take(page.head);
      if (timeline.last === before || timeline.last >= (page.head?.seq ?? 0)) return;
    }
  }

  #append(event: EntryEvent): void {
    this.#timelines.find((each) => each.id === event.conversation)?.append(event.entry);
    if ('key' in event.entry && event.entry.key) this.#outbox.written(event.entry.key);
  }

  #timeline(id: string): Timeline {
    const timeline = this.#timelines.find((each) => each.id === id) ?? new Timeline(id);
    this.#timelines = [timeline, ...this.#timelines.filter((each) => each !== timeline)].slice(0, KEPT);
    return timeline;
  }

  #hear(event: ServerEvent): void {
    switch (event.type) {
      case 'entry':
        if ('key' in event.entry && event.entry.key) this.#outbox.written(event.entry.key);
        if (event.head) this.lists.take(event.head);
        break;
      case 'head':
      case 'offer':
        this.lists.take(event.head);
        break;
      case 'delivery':
        this.#timelines.find((each) => each.id === event.conversation)?.deliver(event.delivery);
        break;
      case 'resumed':
        event.deliveries?.forEach((delivery) => this.#hear({ ...event, type: 'delivery', delivery }));
        if (event.head) this.lists.take(event.head);
        break;
      case 'typing':
        this.#types(event.conversation, event.author ?? 'contact');
        break;
      case 'accepted':
        if (event.key) this.#outbox.accepted(event.key, event.turn);
        break;
      case 'presence':
        this.directory.presence.set(event.agent, event.state);
        if (event.agent !== this.me.id) break;
        // Not of their own doing, since that is shown at once: an offer was left unanswered.
        if (event.state === 'away' && this.presence === 'available') toasts.told(t('presence.turned_away'));
        this.presence = event.state;
        if (event.state === 'offline') this.#left();
        if (event.state === 'available') toasts.untell();
        break;
      case 'error':
        if (event.key) this.#outbox.refused(event.key, { status: 500, ...event });
        else if (event.conversation && (event.status === 403 || event.status === 404)) this.#gone(event.conversation);
        else toasts.failed(new Problem(event.status ?? 500, event.detail, event.code));
        break;
      case 'list':
        void this.lists.load(`queue:${event.queue}`);
    }
  }

  /** Someone types; not ourselves in another window. */
  #types(conversation: string, author: string): void {
    const head = this.lists.heads.get(conversation);
    if (author === 'agent' && head && holds(head, { agent: this.me.id })) return;
    this.#timelines.find((each) => each.id === conversation)?.types(author);
  }

  #refresh(): void {
    if (this.link !== 'open' || Date.now() - this.#refreshed < REFRESH_MS / 2) return;
    this.#refreshed = Date.now();
    this.lists.loadAll();
  }

  #linked(link: Link): void {
    this.link = link;
    if (link !== 'open') return;
    if (this.#wished) this.setPresence(this.#wished);
    this.#outbox.resumed();
    if (this.#met) this.lists.loadAll();
    this.#met = true;
  }
}

export const [getDesk, setDesk] = createContext<Desk>();
