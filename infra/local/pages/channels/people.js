// The customers of the simulator and what each has seen; kept in this browser only.

const ITEMS_MAX = 200;
const FIRST = { web: ["Nora"], whatsapp: ["Maya Fischer", "Diego Ramos"], wechat: ["林小雨"] };

export function read(name) {
  try {
    return JSON.parse(localStorage.getItem(`channels:${name}`));
  } catch {
    return null;
  }
}

export function write(name, value) {
  try {
    localStorage.setItem(`channels:${name}`, JSON.stringify(value));
  } catch {
    // Without storage, customers last as long as the page.
  }
}

export let people = read("people") ?? [];

function address(channel) {
  const digits = Array.from(crypto.getRandomValues(new Uint8Array(9)), (byte) => byte % 10).join("");
  const letters = Array.from(crypto.getRandomValues(new Uint8Array(25)), (byte) => (byte % 36).toString(36)).join("");
  return { whatsapp: `49151${digits}`, wechat: `o6_${letters}`, web: letters.slice(0, 10) }[channel];
}

export function addPerson(inbox, name, given) {
  const id = `${inbox.id}/${given || address(inbox.channel)}`;
  const known = people.find((person) => person.id === id);
  if (known) return known;
  const person = { id, inbox: inbox.id, name, address: id.slice(inbox.id.length + 1), items: [] };
  people.push(person);
  return person;
}

/** Drops customers of inboxes that are gone, and gives every inbox someone to begin with. */
export function meet(inboxes) {
  people = people.filter((person) => inboxes.some((inbox) => inbox.id === person.inbox));
  for (const inbox of inboxes) {
    if (people.some((person) => person.inbox === inbox.id)) continue;
    for (const name of FIRST[inbox.channel] ?? []) addPerson(inbox, name, "");
  }
  people.sort((a, b) => inboxes.findIndex((i) => i.id === a.inbox) - inboxes.findIndex((i) => i.id === b.inbox));
  for (const person of people) {
    const inbox = inboxes.find((candidate) => candidate.id === person.inbox);
    Object.assign(person, { channel: inbox.channel, account: inbox.account, inboxName: inbox.name });
  }
}

/** A line for a customer's thread, once. */
export function add(person, item) {
  if (person.items.some((known) => known.key === item.key)) return false;
  person.items.push(item);
  person.items.splice(0, Math.max(0, person.items.length - ITEMS_MAX));
  return true;
}

/** Keeps customers and their threads over a reload. */
export function keep() {
  write("people", people.map(({ id, inbox, name, address: at, items }) => ({ id, inbox, name, address: at, items })));
}
