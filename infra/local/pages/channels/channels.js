// The simulator: customers on every inbox, what they write, and what the channels' APIs were sent for them.
// Customers and their threads are kept in this browser; what crossed the wire, in the sandbox's memory only.

import { add, addPerson, keep, meet, people, read, write } from "./people.js";
import { drawPeople, drawThread, element, wireRow } from "./phone.js";
import { say, speakIn, spoken, words } from "./words.js";

const POLL_MS = 1_000;
const WIRE_MAX = 100;
const KINDS = ["text", "image", "audio", "video", "file", "location", "sticker", "unsupported"];
const FAULTS = ["429", "500", "hang", "close", "token"];

const root = document.documentElement;
const find = (id) => document.getElementById(id);

let inboxes = [];
let chosen = null;
let after = 0;
const wire = new Map();

async function ask(path, body) {
  const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } };
  const answer = await fetch(path, init);
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(told.detail ?? String(answer.status));
  return told;
}

function complain(text) {
  find("problem").textContent = text;
  find("problem").hidden = !text;
}

function choose(person) {
  if (chosen !== person) find("fault-told").textContent = "";
  chosen = person;
  write("chosen", person.id);
  for (const item of person.items) item.seen = true;
  draw();
  void confirmReading(person);
}

// Writing

async function send(person, kind, text) {
  const item = { key: `o${Date.now()}${Math.random()}`, side: "own", kind, text, at: Date.now(), pending: true };
  add(person, item);
  draw();
  try {
    const told = await ask("/channels/send", { inbox: person.inbox, from: person.address, name: person.name, text, kind });
    const { path, headers, body } = told.request;
    log(person, `w${told.id}`, { kind: "webhook", at: Date.now(), method: "POST", path, status: told.status, headers, sent: body, answer: told.answer });
    if (told.status === null || told.status >= 300) item.problem = say("refused", { status: told.status ?? say("noAnswer") });
  } catch (error) {
    item.problem = error.message;
  }
  item.pending = false;
  draw();
}

async function confirm(person, item, status) {
  const told = await ask("/sandbox/whatsapp/statuses", { id: item.receiptFor, status, to: person.address, inbox: person.inbox });
  const { path, headers, body } = told.request;
  log(person, `s${item.receiptFor}${status}`, { kind: "status", at: Date.now(), method: "POST", path, status: told.status, headers, sent: body, answer: told.answer });
  if (told.status === 200) item.receipt = status;
  draw();
}

async function confirmReading(person) {
  if (!find("receipts").checked) return;
  const waiting = person.items.filter((item) => item.receiptFor && item.receipt !== "read" && !item.confirming);
  for (const item of waiting) {
    item.confirming = true;
    try {
      if (item.receipt !== "delivered") await confirm(person, item, "delivered");
      if (person === chosen && !document.hidden) await confirm(person, item, "read");
    } catch (error) {
      complain(error.message);
    }
    item.confirming = false;
  }
}

// What the channels' APIs were sent

function recipient(call) {
  const to = call.body?.to ?? call.body?.recipient ?? call.body?.touser;
  const account = call.channel === "wechat" ? call.query.access_token?.split(".")[1] : call.path.split("/").at(-2);
  return people.find(
    (person) => person.channel === call.channel && person.address === to && (!person.account || person.account === account),
  );
}

function hear(call) {
  const person = recipient(call);
  if (!person) return;
  const failed = call.status !== 200 || Boolean(call.response?.errcode);
  const path = call.path.replace("/sandbox", "");
  const shown = { kind: "call", at: call.at, method: call.method, path, status: call.status, failed, sent: call.raw };
  log(person, `c${call.id}${call.at}`, { ...shown, answer: call.response ? JSON.stringify(call.response) : "" });
  const kind = call.body.type ?? call.body.msgtype ?? "text";
  const text = call.body.text?.body ?? call.body.text?.content ?? "";
  if (failed || call.body.status || (kind === "text" && !text)) return;
  const item = { key: `c${call.id}${call.at}`, side: "theirs", kind: KINDS.includes(kind) ? kind : "unsupported", text, at: Date.parse(call.at) };
  const id = call.response?.messages?.[0]?.id;
  if (id) item.receiptFor = id;
  item.seen = person === chosen && !document.hidden;
  if (add(person, item)) void confirmReading(person);
}

function log(person, key, exchange) {
  const exchanges = wire.get(person.id) ?? new Map();
  wire.set(person.id, exchanges);
  exchanges.set(key, exchange);
  if (exchanges.size > WIRE_MAX) exchanges.delete(exchanges.keys().next().value);
}

async function poll() {
  try {
    if (!document.hidden && people.length > 0) {
      const told = await ask(`/sandbox/calls?after=${after}`);
      // A host that was started again counts from the beginning.
      after = told.newest < after ? 0 : told.last;
      told.items.forEach(hear);
      if (told.items.length > 0) draw();
    }
    if (find("problem").textContent === say("offline")) complain("");
  } catch {
    complain(say("offline"));
  }
  setTimeout(poll, POLL_MS);
}

// Drawing

function draw() {
  keep();
  drawPeople(find("people"), people, chosen, choose);
  if (!chosen) return;
  const web = chosen.channel === "web";
  find("phone").hidden = web;
  find("webs").hidden = !web;
  find("phone").dataset.channel = chosen.channel;
  find("phone-title").textContent = chosen.name;
  find("phone-sub").textContent = say("writesTo", { inbox: chosen.inboxName });
  find("text").placeholder = say("placeholder");
  find("fault").hidden = web;
  document.querySelector(".check").hidden = chosen.channel !== "whatsapp";
  if (web) openWeb(chosen);
  else drawThread(find("thread"), chosen);
  drawWire();
}

function drawWire() {
  const list = find("wire");
  const exchanges = [...(wire.get(chosen.id) ?? new Map())].reverse();
  const known = new Map([...list.children].map((row) => [row.dataset.key, row]));
  const rows = exchanges.map(([key, exchange]) => {
    const shown = `${chosen.id}${key}${spoken()}`;
    const row = known.get(shown) ?? wireRow(exchange);
    row.dataset.key = shown;
    return row;
  });
  list.replaceChildren(...rows);
  find("wire-empty").hidden = rows.length > 0;
  find("wire-empty").textContent = say(chosen.channel === "web" ? "webWire" : "wireEmpty");
}

/** A web customer's chat is the widget itself, in a box of its own; it stays where it is once opened. */
function openWeb(person) {
  const boxId = `web-${people.indexOf(person)}`;
  for (const box of find("webs").children) box.hidden = box.id !== boxId;
  if (find(boxId)) return;
  const box = element("div", "phone");
  box.id = boxId;
  const script = document.createElement("script");
  script.src = `/widget/widget.js?${encodeURIComponent(person.id)}`;
  Object.assign(script.dataset, { inbox: person.inbox, container: `#${boxId}`, profile: person.address, name: person.name });
  Object.assign(script.dataset, { language: spoken(), theme: root.dataset.theme ?? "auto" });
  script.addEventListener("error", () => {
    complain(say("noWidget"));
    box.remove();
  });
  find("webs").append(box);
  box.after(script);
}

function options(select, values, label) {
  const kept = select.value;
  select.replaceChildren(...values.map((value) => Object.assign(element("option", "", label(value)), { value })));
  if (values.includes(kept)) select.value = kept;
}

function speak(language) {
  speakIn(language);
  root.lang = language;
  document.title = `Colloquy: ${say("title")}`;
  for (const spot of document.querySelectorAll("[data-word]")) spot.textContent = say(spot.dataset.word);
  for (const spot of document.querySelectorAll("[data-label]")) spot.setAttribute("aria-label", say(spot.dataset.label));
  find("language").textContent = words[language].other;
  find("language").lang = language === "en" ? "zh-CN" : "en";
  options(find("kind"), KINDS, (kind) => say(`kind_${kind}`));
  options(find("fault").elements.fail, FAULTS, (fail) => say(`fail_${fail}`));
  for (const script of document.querySelectorAll("script[data-inbox]")) script.dataset.language = language;
  draw();
}

function dark() {
  return root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function paint(theme) {
  if (theme) root.dataset.theme = theme;
  find("theme").setAttribute("aria-pressed", String(dark()));
  for (const script of document.querySelectorAll("script[data-inbox]")) script.dataset.theme = theme ?? "auto";
}

// Beginning

find("language").addEventListener("click", () => {
  speak(spoken() === "en" ? "zh-CN" : "en");
  write("language", spoken());
});
find("theme").addEventListener("click", () => {
  paint(dark() ? "light" : "dark");
  write("theme", root.dataset.theme);
});
find("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = find("text").value.trim();
  const kind = find("kind").value;
  if (!chosen || (kind === "text" && !text)) return;
  find("text").value = "";
  find("kind").value = "text";
  void send(chosen, kind, text);
  find("text").focus();
});
find("text").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  find("composer").requestSubmit();
});
find("new-person").addEventListener("submit", (event) => {
  event.preventDefault();
  const { inbox, name, address: at } = event.target.elements;
  const person = addPerson(inboxes.find((known) => known.id === inbox.value), name.value.trim(), at.value.trim());
  meet(inboxes);
  event.target.reset();
  choose(person);
});
find("fault").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { times, fail } = event.target.elements;
  try {
    await ask("/sandbox/faults", { channel: chosen.channel, fail: fail.value, times: Number(times.value) });
    find("fault-told").textContent = say("ordered", { count: times.value, fail: say(`fail_${fail.value}`) });
  } catch (error) {
    complain(error.message);
  }
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && chosen) choose(chosen);
});

async function begin() {
  paint(read("theme"));
  speak(read("language") ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh-CN" : "en"));
  try {
    inboxes = (await ask("/channels/inboxes")).items;
  } catch {
    complain(say("offline"));
    setTimeout(begin, POLL_MS * 3);
    return;
  }
  complain(inboxes.length === 0 ? say("noInboxes") : "");
  meet(inboxes);
  const select = find("new-person").elements.inbox;
  options(select, inboxes.map((inbox) => inbox.id), (id) => inboxes.find((inbox) => inbox.id === id).name);
  const before = read("chosen");
  const first = people.find((person) => person.id === before) ?? people.find((person) => person.channel !== "web") ?? people[0];
  if (first) choose(first);
  void poll();
}

void begin();
