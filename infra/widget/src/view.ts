// The chat as the visitor sees it: a launcher and a panel in a shadow root of their own. All text is set as text,
// never as markup; every style is in a constructed sheet, so that the page's content security policy may be strict.

import { LineRow } from "./row";
import type { Session } from "./session";
import css from "./widget.css?inline";
import { icon, make } from "./dom";
import { type Language, type Word, say } from "./words";

export type Theme = "auto" | "light" | "dark";

const LIMIT = 8_000;

export class View {
  readonly host = document.createElement("div");
  private readonly root = this.host.attachShadow({ mode: "open" });
  private readonly badge = make("span", { class: "badge", "aria-hidden": "true" });
  private readonly launcher = make("button", { class: "launcher", type: "button", "aria-expanded": "false" });
  private readonly panel = make("section", { class: "panel", role: "dialog", id: "panel" });
  private readonly heading = make("h2", { class: "title", id: "title" });
  private readonly subtitle = make("p", { class: "subtitle" });
  private readonly closer = make("button", { class: "close", type: "button" });
  private readonly notice = make("p", { class: "notice", role: "status" });
  private readonly log = make("div", { class: "log", role: "log", "aria-live": "polite", tabindex: "0" });
  private readonly empty = make("p", { class: "empty" });
  private readonly typing = make("p", { class: "typing", "aria-live": "polite" });
  private readonly form = make("form", { class: "composer" });
  private readonly input = make("textarea", { rows: "1", class: "input", enterkeyhint: "send" });
  private readonly count = make("p", { class: "count", role: "status" });
  private readonly submit = make("button", { class: "send", type: "submit" });
  private readonly rows = new Map<string, LineRow>();
  private open = false;

  constructor(
    private readonly session: Session,
    private language: Language,
    theme: Theme,
    /** In a box of the page's own: always open, without a launcher. */
    private readonly inline: boolean,
  ) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    this.root.adoptedStyleSheets = [sheet];
    this.build();
    this.listen();
    this.restyle(language, theme);
    if (inline) this.show(true, false);
    session.onchange = () => this.draw();
  }

  /** Another language or theme, at any time. */
  restyle(language: Language, theme: Theme): void {
    this.language = language;
    this.host.lang = language;
    this.host.dataset.theme = theme;
    this.heading.textContent = this.word("title");
    this.subtitle.textContent = this.word("subtitle");
    this.empty.textContent = this.word("empty");
    this.input.placeholder = this.word("placeholder");
    this.input.setAttribute("aria-label", this.word("placeholder"));
    this.log.setAttribute("aria-label", this.word("thread"));
    for (const [button, word] of [[this.closer, "close"], [this.submit, "send"]] as const) {
      button.setAttribute("aria-label", this.word(word));
      button.title = this.word(word);
    }
    for (const row of this.rows.values()) row.forget();
    this.draw();
  }

  private word(word: Word, gaps?: Record<string, string | number>): string {
    return say(this.language, word, gaps);
  }

  private build(): void {
    this.host.dataset.colloquy = this.inline ? "inline" : "floating";
    this.launcher.setAttribute("aria-controls", "panel");
    this.launcher.append(icon("chat"), this.badge);
    this.closer.append(icon("close"));
    this.submit.append(icon("send"));
    const words = make("div", { class: "words" });
    words.append(this.heading, this.subtitle);
    const head = make("div", { class: "head" });
    head.append(icon("mark"), words);
    if (!this.inline) head.append(this.closer);
    this.panel.setAttribute("aria-labelledby", "title");
    this.panel.hidden = true;
    this.log.append(this.empty);
    this.form.append(this.input, this.submit, this.count);
    this.panel.append(head, this.notice, this.log, this.typing, this.form);
    this.root.append(this.panel);
    if (!this.inline) this.root.append(this.launcher);
  }

  private listen(): void {
    this.launcher.addEventListener("click", () => this.show(!this.open, true));
    this.closer.addEventListener("click", () => this.show(false, true));
    this.panel.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !this.inline) this.show(false, true);
      event.stopPropagation();
    });
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.write();
    });
    this.input.addEventListener("keydown", (event) => {
      // While an input method composes, Enter chooses a word and sends nothing.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.write();
    });
    this.input.addEventListener("input", () => {
      this.fit();
      if (this.input.value.trim()) this.session.tellTyping();
    });
    // The page's own buttons: <button data-colloquy-open="words to begin with">.
    document.addEventListener("click", (event) => {
      const opener = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-colloquy-open]") : null;
      if (opener) this.offer(opener.dataset.colloquyOpen ?? "");
    });
    document.addEventListener("visibilitychange", () => {
      if (this.open) this.session.look(!document.hidden);
    });
  }

  private show(open: boolean, focus: boolean): void {
    this.open = open;
    this.panel.hidden = !open;
    this.launcher.setAttribute("aria-expanded", String(open));
    this.launcher.replaceChildren(icon(open ? "down" : "chat"), this.badge);
    this.host.toggleAttribute("data-open", open);
    if (open) this.session.start();
    this.session.look(open);
    if (focus) (open ? this.input : this.launcher).focus();
    if (open) this.log.scrollTop = this.log.scrollHeight;
  }

  private offer(text: string): void {
    if (text && !this.input.value.trim()) this.input.value = text;
    this.show(true, true);
    this.fit();
  }

  private write(): void {
    const text = this.input.value.trim();
    if (!text || [...text].length > LIMIT) return;
    this.input.value = "";
    this.fit();
    this.session.send(text);
    this.log.scrollTop = this.log.scrollHeight;
    this.input.focus();
  }

  private fit(): void {
    this.input.style.height = "auto";
    this.input.style.height = `${Math.min(this.input.scrollHeight, 120)}px`;
    const over = [...this.input.value.trim()].length - LIMIT;
    this.count.textContent = over > 0 ? this.word("tooLong", { count: over }) : "";
    this.submit.disabled = over > 0 || this.input.value.trim() === "";
  }

  private draw(): void {
    const { thread, typing, unread, connection } = this.session;
    const atEnd = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 40;
    this.drawLines(thread.lines);
    this.empty.hidden = thread.lines.length > 0;
    this.typing.textContent = typing ? this.word("typing", { who: this.word(typing) }) : "";
    const told = connection === "offline" || connection === "refused" || (connection === "connecting" && thread.lines.length > 0);
    this.notice.textContent = told ? this.word(connection) : "";
    this.badge.textContent = unread > 0 ? (unread > 9 ? "9+" : String(unread)) : "";
    const label = unread > 0 ? this.word("launcherUnread", { count: unread }) : this.word("launcher");
    this.launcher.setAttribute("aria-label", this.open ? this.word("close") : label);
    this.submit.disabled = this.input.value.trim() === "" || this.count.textContent !== "";
    if (atEnd) this.log.scrollTop = this.log.scrollHeight;
  }

  /** Keeps each line's element, so that a screen reader hears only what is new. */
  private drawLines(lines: Session["thread"]["lines"]): void {
    const wanted = new Set(lines.map((line) => line.id));
    for (const [id, row] of this.rows) {
      if (wanted.has(id)) continue;
      row.element.remove();
      this.rows.delete(id);
    }
    let previous: Element = this.empty;
    let before = null;
    for (const line of lines) {
      const row = this.rows.get(line.id) ?? new LineRow((key) => this.session.retry(key));
      this.rows.set(line.id, row);
      row.draw(line, before, this.language);
      if (previous.nextElementSibling !== row.element) previous.after(row.element);
      previous = row.element;
      before = line;
    }
  }
}
