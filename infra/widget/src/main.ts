// Puts a chat on the page that loads this script:
//   <script src="https://…/widget/widget.js" data-inbox="inb_…" async></script>
// Further attributes: data-language (en, zh-CN), data-theme (light, dark), data-name, data-user and data-user-hash (the
// site's own user, vouched for), data-container (a selector: no launcher, always open there), data-profile (visitors
// kept apart in one browser), data-api and data-socket (addresses other than the script's own).
// Reads its settings from the script's own attributes; adds one element to the page and no global name.

import { type Who, api } from "./api";
import { Session } from "./session";
import { View, type Theme } from "./view";
import type { SocketLike } from "./wire";
import { choose } from "./words";

function store(prefix: string) {
  const memory = new Map<string, string>();
  // Storage may be forbidden to the page; then a visit lasts as long as the page does.
  return {
    get(name: string): string | null {
      try {
        return localStorage.getItem(prefix + name) ?? memory.get(name) ?? null;
      } catch {
        return memory.get(name) ?? null;
      }
    },
    set(name: string, value: string): void {
      memory.set(name, value);
      try {
        localStorage.setItem(prefix + name, value);
      } catch {
        return;
      }
    },
  };
}

function key(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function who({ name, user, userHash }: DOMStringMap): Who {
  const named = name ? { name } : {};
  return user && userHash ? { ...named, identity: { id: user, hash: userHash, ...named } } : named;
}

function begin(script: HTMLScriptElement): void {
  const settings = script.dataset;
  const inbox = settings.inbox;
  if (!inbox) {
    console.error("colloquy: the script needs a data-inbox attribute");
    return;
  }
  const origin = (settings.api ?? new URL(script.src).origin).replace(/\/$/, "");
  const socket = settings.socket ?? `${origin.replace(/^http/, "ws")}/socket`;
  const session = new Session(
    {
      api: api(origin),
      open: (ticket) => new WebSocket(`${socket}?ticket=${encodeURIComponent(ticket)}`) as SocketLike,
      store: store(`colloquy:${inbox}:${settings.profile ?? ""}:`),
      later(delay_ms, task) {
        const timer = setTimeout(task, delay_ms);
        return () => clearTimeout(timer);
      },
      random: Math.random,
      now: Date.now,
      key,
    },
    inbox,
    who(settings),
  );
  const language = () => choose(settings.language, document.documentElement.lang || null, navigator.language);
  const theme = () => (settings.theme === "light" || settings.theme === "dark" ? settings.theme : "auto") as Theme;
  const container = settings.container ? document.querySelector<HTMLElement>(settings.container) : null;
  const view = new View(session, language(), theme(), container !== null);
  (container ?? document.body).append(view.host);
  new MutationObserver(() => view.restyle(language(), theme())).observe(script, { attributes: true });
  addEventListener("online", () => session.wake());
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) session.wake();
  });
  // Nothing is asked of the server, and nothing stored, before a visitor first opens the chat.
  if (session.returning || container) session.start();
}

const script = document.currentScript;
if (script instanceof HTMLScriptElement) {
  if (document.body) begin(script);
  else addEventListener("DOMContentLoaded", () => begin(script), { once: true });
}
