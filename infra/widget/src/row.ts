// One line of the thread as an element; redrawn only when what it shows has changed.

import { make } from "./dom";
import type { Line } from "./thread";
import { type Language, type Word, catalogues, say } from "./words";

const GROUP_MS = 300_000;
const DAY_MS = 86_400_000;

export class LineRow {
  readonly element = make("div");
  private shown = "";

  constructor(private readonly retry: (key: string) => void) {}

  /** Draws anew next time: the language changed. */
  forget(): void {
    this.shown = "";
  }

  draw(line: Line, before: Line | null, language: Language): void {
    const day = before && dayOf(before.at) === dayOf(line.at) ? "" : nameDay(line.at, language);
    const grouped =
      !day && before?.kind === "message" && before.author === line.author && line.at - before.at < GROUP_MS;
    const shown = [day, grouped, line.text, line.state, line.at, line.parts.length].join("\u0000");
    if (shown === this.shown) return;
    this.shown = shown;
    this.element.className = `line ${line.kind} ${line.author} ${line.state}${grouped ? " grouped" : ""}`;
    const body = line.kind === "message" ? this.message(line, grouped, language) : [note(line.kind, language)];
    this.element.replaceChildren(...(day ? [text("p", "day", day)] : []), ...body);
  }

  private message(line: Line, grouped: boolean, language: Language): HTMLElement[] {
    const who = say(language, line.author === "contact" ? "you" : line.author);
    const author = text("p", line.author === "contact" || grouped ? "author unseen" : "author", who);
    const bubble = make("div", { class: "bubble", dir: "auto" });
    if (line.text) bubble.append(text("p", "text", line.text));
    for (const part of line.parts) {
      const word = `part_${part.kind}`;
      const name = say(language, (word in catalogues.en ? word : "part_unsupported") as Word);
      bubble.append(text("p", "part", part.label ? `${name}: ${part.label}` : name));
    }
    return [author, bubble, this.foot(line, language)];
  }

  private foot(line: Line, language: Language): HTMLElement {
    const foot = make("p", { class: "foot" });
    if (line.state === "failed") {
      const again = make("button", { class: "retry", type: "button" });
      again.textContent = say(language, "retry");
      again.addEventListener("click", () => line.key && this.retry(line.key));
      foot.append(text("span", "problem", say(language, "failed")), again);
      return foot;
    }
    const time = new Intl.DateTimeFormat(language, { hour: "numeric", minute: "2-digit" }).format(line.at);
    foot.append(text("span", "time", line.state === "sending" ? say(language, "sending") : time));
    return foot;
  }
}

function text<Tag extends "p" | "span">(tag: Tag, name: string, words: string): HTMLElementTagNameMap[Tag] {
  const element = make(tag, { class: name });
  element.textContent = words;
  return element;
}

function note(kind: Line["kind"], language: Language): HTMLElement {
  return text("p", "note", say(language, kind === "assigned" ? "joined" : "resolved"));
}

function dayOf(at: number): string {
  return new Date(at).toDateString();
}

function nameDay(at: number, language: Language): string {
  if (dayOf(at) === dayOf(Date.now())) return say(language, "today");
  if (dayOf(at) === dayOf(Date.now() - DAY_MS)) return say(language, "yesterday");
  return new Intl.DateTimeFormat(language, { dateStyle: "medium" }).format(at);
}
