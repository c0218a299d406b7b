// The shop's few moving parts: language, colors, the shelf, and the chat's script once it can be had.
// The shop sells nothing and keeps nothing but the visitor's choice of language and colors.

import { words } from "./words.js";

const INBOX = "inb_web";
const RETRY_MS = 5_000;
const root = document.documentElement;

function remembered(name) {
  try {
    return localStorage.getItem(`shop:${name}`);
  } catch {
    return null;
  }
}

function remember(name, value) {
  try {
    localStorage.setItem(`shop:${name}`, value);
  } catch {
    // A private window forgets; that is what it is for.
  }
}

function element(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  if (text) made.textContent = text;
  return made;
}

function picture(name) {
  const space = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(space, "svg");
  drawing.setAttribute("viewBox", "0 0 160 120");
  drawing.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(space, "use");
  use.setAttribute("href", `/shop/goods.svg#${name}`);
  drawing.append(use);
  return drawing;
}

let language = "en";
let chat = null;

function fill(text, name) {
  return text.replace("{name}", name);
}

function stock() {
  const say = words[language];
  const items = say.goods.map((good) => {
    const item = element("li", "good");
    const frame = element("div", "frame");
    frame.append(picture(good.picture));
    const ask = element("button", "ask", say.askAbout);
    ask.type = "button";
    ask.setAttribute("aria-label", fill(say.askAboutNamed, good.name));
    ask.dataset.colloquyOpen = fill(say.question, good.name);
    const foot = element("p", "foot");
    foot.append(element("span", "price", good.price), ask);
    item.append(frame, element("h3", "name", good.name), element("p", "about", good.about), foot);
    return item;
  });
  document.getElementById("shelf").replaceChildren(...items);
}

function speak(chosen) {
  language = chosen;
  const say = words[language];
  root.lang = language;
  document.title = say.title;
  for (const spoken of document.querySelectorAll("[data-word]")) spoken.textContent = say[spoken.dataset.word];
  for (const named of document.querySelectorAll("[data-label]")) {
    named.setAttribute("aria-label", say[named.dataset.label]);
    if (named.tagName === "BUTTON") named.title = say[named.dataset.label];
  }
  const toggle = document.getElementById("language");
  toggle.textContent = say.other;
  toggle.lang = language === "en" ? "zh-CN" : "en";
  stock();
  if (chat) chat.dataset.language = language;
}

function dark() {
  const set = root.dataset.theme;
  return set ? set === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function paint(theme) {
  if (theme) root.dataset.theme = theme;
  document.getElementById("theme").setAttribute("aria-pressed", String(dark()));
  if (chat && theme) chat.dataset.theme = theme;
}

function loadChat() {
  const script = document.createElement("script");
  script.src = "/widget/widget.js";
  script.async = true;
  script.dataset.inbox = INBOX;
  script.dataset.language = language;
  if (root.dataset.theme) script.dataset.theme = root.dataset.theme;
  const notice = document.getElementById("chat-notice");
  script.addEventListener("load", () => {
    notice.hidden = true;
  });
  // At a first start the chat may still be being built.
  script.addEventListener("error", () => {
    notice.hidden = false;
    script.remove();
    setTimeout(loadChat, RETRY_MS);
  });
  chat = script;
  document.body.append(script);
}

document.getElementById("language").addEventListener("click", () => {
  speak(language === "en" ? "zh-CN" : "en");
  remember("language", language);
});
document.getElementById("theme").addEventListener("click", () => {
  paint(dark() ? "light" : "dark");
  remember("theme", root.dataset.theme);
});

const preferred = remembered("language") ?? navigator.language;
paint(remembered("theme"));
speak(preferred.toLowerCase().startsWith("zh") ? "zh-CN" : "en");
loadChat();
