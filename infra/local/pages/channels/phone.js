// Draws: the people, the phone's thread, the wire. Text reaches the page as text; nothing here talks to the host.

import { say, spoken } from "./words.js";

export function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

export function clock(at) {
  return new Intl.DateTimeFormat(spoken(), { hour: "numeric", minute: "2-digit", second: "2-digit" }).format(new Date(at));
}

/** One customer in the list. */
function personRow(person, chosen, unread, choose) {
  const row = element("li");
  const button = element("button", "person");
  button.type = "button";
  button.setAttribute("aria-pressed", String(chosen));
  const face = element("span", "face", [...person.name][0] ?? "?");
  face.setAttribute("aria-hidden", "true");
  const who = element("span", "who");
  who.append(element("span", "who-name", person.name), element("span", "who-inbox", person.inboxName));
  button.append(face, who);
  if (unread > 0) button.append(element("span", "count", say("unread", { count: unread })));
  button.addEventListener("click", choose);
  row.append(button);
  return row;
}

export function drawPeople(list, people, chosen, choose) {
  const unread = (person) => person.items.filter((item) => item.side === "theirs" && !item.seen).length;
  const rows = people.map((person) => personRow(person, person === chosen, unread(person), () => choose(person)));
  const focused = [...list.querySelectorAll("button")].indexOf(document.activeElement);
  list.replaceChildren(...rows);
  if (focused >= 0) list.querySelectorAll("button")[focused]?.focus();
}

function bubble(item) {
  const line = element("div", `line ${item.side}${item.problem ? " bad" : ""}`);
  const body = element("p", "bubble", item.text || `[${say(`kind_${item.kind}`)}]`);
  body.dir = "auto";
  if (item.text && item.kind !== "text") body.prepend(element("span", "bubble-kind", `[${say(`kind_${item.kind}`)}] `));
  const told = item.problem ?? (item.receipt ? say(`state_${item.receipt}`) : item.pending ? say("sending") : "");
  line.append(body, element("p", "foot", told ? `${clock(item.at)} · ${told}` : clock(item.at)));
  return line;
}

/** Keeps the lines that have not changed, so that a screen reader hears only what is new. */
export function drawThread(thread, person) {
  const atEnd = thread.scrollHeight - thread.scrollTop - thread.clientHeight < 60 || thread.dataset.person !== person.id;
  thread.dataset.person = person.id;
  const known = new Map([...thread.children].map((line) => [line.dataset.shown, line]));
  const lines = person.items.map((item) => {
    const shown = [person.id, item.key, item.text, item.problem, item.receipt, item.pending, spoken()].join("\u0000");
    const line = known.get(shown) ?? bubble(item);
    line.dataset.shown = shown;
    return line;
  });
  if (lines.length === 0) lines.push(element("p", "thread-empty", say("empty", { name: person.name })));
  thread.replaceChildren(...lines);
  if (atEnd) thread.scrollTop = thread.scrollHeight;
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** One exchange: `{kind, at, method, path, status, sent, answer}`. */
export function wireRow(exchange) {
  const row = element("li", "exchange");
  const details = element("details");
  const summary = element("summary");
  const good = exchange.status !== null && exchange.status < 400 && !exchange.failed;
  summary.append(
    element("span", `way ${exchange.kind}`, say(exchange.kind)),
    element("span", "path", `${exchange.method} ${exchange.path}`),
    element("span", good ? "status good" : "status bad", exchange.status === null ? say("noAnswer") : String(exchange.status)),
  );
  const headers = Object.entries(exchange.headers ?? {}).map(([name, value]) => `${name}: ${value}`);
  const sent = element("pre", "", [...headers, "", pretty(exchange.sent)].join("\n").trim());
  const answer = element("pre", "answer", pretty(exchange.answer) || "—");
  for (const block of [sent, answer]) block.tabIndex = 0;
  details.append(summary, element("p", "exchange-at", clock(exchange.at)), sent, answer);
  row.append(details);
  return row;
}
