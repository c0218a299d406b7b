// What the visitor sees of a conversation: committed lines by number, then what is still on its way.
// Knows nothing of sockets; the session feeds it.

export interface Part {
  kind: string;
  label?: string;
}

/** An entry as the visitor API tells it. */
export interface Entry {
  seq: number;
  at: string;
  kind: string;
  author?: "contact" | "bot" | "agent";
  text?: string;
  parts?: Part[];
  key?: string;
}

export type LineState = "sending" | "sent" | "failed";

export interface Line {
  /** Stable for as long as the line is shown, so that the view can keep its element. */
  id: string;
  conversation: string | null;
  /** Its number, once committed. */
  seq: number | null;
  kind: "message" | "assigned" | "resolved";
  author: "contact" | "bot" | "agent";
  text: string;
  parts: Part[];
  /** Milliseconds since the epoch. */
  at: number;
  state: LineState;
  key: string | null;
}

const KINDS: Record<string, Line["kind"]> = {
  message: "message",
  "conversation.assigned": "assigned",
  "conversation.resolved": "resolved",
};

export class Thread {
  /** The conversation that new messages belong to. */
  conversation: string | null = null;
  /** Everything up to this number is held: where a resume begins. Pushes alone do not raise it, since one may be lost. */
  confirmed = 0;
  private committed: Line[] = [];
  private pending: Line[] = [];
  private readonly seen = new Set<string>();
  private readonly known = new Set<string>();

  get lines(): readonly Line[] {
    return [...this.committed, ...this.pending];
  }

  /** Lines not accepted yet, oldest first. */
  get outbox(): readonly Line[] {
    return this.pending;
  }

  /** Moves to a conversation; a later one begins at number 1 again. True when it is another one than before. */
  enter(conversation: string): boolean {
    if (this.known.has(conversation)) return false;
    this.known.add(conversation);
    this.conversation = conversation;
    this.confirmed = 0;
    return true;
  }

  /** Takes an entry in once, wherever its number belongs; the line if it is new to us. */
  apply(conversation: string, entry: Entry): Line | null {
    const id = `${conversation}#${entry.seq}`;
    const kind = KINDS[entry.kind];
    if (this.seen.has(id)) return null;
    this.seen.add(id);
    if (!kind) return null;
    const mine = entry.key ? this.pending.findIndex((line) => line.key === entry.key) : -1;
    const own = mine < 0 ? undefined : this.pending.splice(mine, 1)[0];
    const line: Line = {
      id: own?.id ?? id,
      conversation,
      seq: entry.seq,
      kind,
      author: entry.author ?? "agent",
      text: entry.text ?? "",
      parts: entry.parts ?? [],
      at: Date.parse(entry.at) || 0,
      state: "sent",
      key: entry.key ?? null,
    };
    let place = this.committed.length;
    while (place > 0) {
      const before = this.committed[place - 1];
      if (!before || before.conversation !== conversation || (before.seq ?? 0) < entry.seq) break;
      place -= 1;
    }
    this.committed.splice(place, 0, line);
    return own ? null : line;
  }

  /** Shows what the visitor wrote before anyone has confirmed it. */
  add(key: string, text: string, at: number): Line {
    const line: Line = {
      id: key,
      conversation: this.conversation,
      seq: null,
      kind: "message",
      author: "contact",
      text,
      parts: [],
      at,
      state: "sending",
      key,
    };
    this.pending.push(line);
    return line;
  }

  /** Marks a line that is still on its way; false when it has arrived meanwhile. */
  mark(key: string, state: LineState): boolean {
    const line = this.pending.find((candidate) => candidate.key === key);
    if (line) line.state = state;
    return line !== undefined;
  }

  /** Everything up to `seq` has been told to us. */
  confirm(seq: number): void {
    this.confirmed = Math.max(this.confirmed, seq);
  }

  /** The highest number the visitor was shown in this conversation. */
  get latest(): number {
    return this.committed.reduce(
      (highest, line) => (line.conversation === this.conversation ? Math.max(highest, line.seq ?? 0) : highest),
      0,
    );
  }
}
