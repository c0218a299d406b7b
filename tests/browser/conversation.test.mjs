// A conversation between a customer and an agent, each in a browser of their own.

import assert from 'node:assert/strict';

import { barriers, startDesk } from './harness.mjs';
import { Agent, Visitor } from './people.mjs';

const desk = startDesk();

desk.story('a visitor writes in the shop, Li accepts and answers, and both see every word at once', async ({ open }) => {
  const li = await Agent.signIn(await open('/'), 'agt_li');
  await li.presence('Available');
  const visitor = await Visitor.arrive(await open('/shop'));
  await visitor.write('Does the green tea come in a tin?');
  await visitor.sees('Hello! We have your message. I am passing you on to our team, one moment please.').waitFor();

  await li.accept('Does the green tea come in a tin?');
  await li.message('bot', 'I am passing you on to our team').waitFor();
  const wrong = await barriers(li.page);
  await li.reply('It does: 100 grams, with a lid.');
  await visitor.sees('It does: 100 grams, with a lid.').waitFor();
  await li.note('Asked for tins before.');
  await visitor.write('Then two, please.');
  await li.message('contact', 'Then two, please.').waitFor();
  wrong.push(...(await barriers(visitor.page)));

  await li.resolve();
  await visitor.sees('This chat was closed. Write again at any time.').waitFor();
  assert.equal(await visitor.log.getByText('Asked for tins before.').count(), 0, 'a note is for colleagues');
  for (const said of ['Does the green tea come in a tin?', 'It does: 100 grams, with a lid.', 'Then two, please.']) {
    assert.equal(await visitor.sees(said).count(), 1, `"${said}" is there once`);
  }
  assert.deepEqual(wrong, []);
});

desk.story('what a customer writes is shown as text, whatever it looks like', async ({ open }) => {
  const words = '<img src=x onerror="document.title=1"> & <b>bold</b>';
  const ann = await Agent.signIn(await open('/'), 'agt_ann');
  await ann.presence('Available');
  const visitor = await Visitor.arrive(await open('/shop'));
  await visitor.write(words);
  await ann.accept('<img src=x');
  assert.equal((await ann.message('contact', words).locator('.text').textContent()).trim(), words);
  assert.equal(await visitor.page.locator('[data-colloquy] .log img').count(), 0);
  await ann.resolve();
});

desk.story('an answer to a WhatsApp customer leaves over the channel, and shows how far it got', async ({ open }) => {
  const maria = await Agent.signIn(await open('/'), 'agt_maria');
  await maria.presence('Available');
  await desk.write({ inbox: 'inb_whatsapp', from: '15550100001', name: 'Wei Zhang', text: 'Where is my parcel?' });
  await maria.accept('Where is my parcel?');
  await maria.reply('On its way, with you tomorrow.');
  const said = (call) => call.body?.text?.body === 'On its way, with you tomorrow.';
  const calls = await desk.received('whatsapp', said);
  assert.equal(calls.filter(said).length, 1, 'sent once');
  const mark = maria.message('agent', 'On its way').getByTestId('delivery');
  await mark.waitFor();
  await maria.resolve();
});

desk.story('after a dropped connection an agent sees exactly what they missed', async ({ open, tolerate }) => {
  const page = await open('about:blank');
  let wires = [];
  let down = false;
  await page.routeWebSocket(/\/socket\?/, (wire) => {
    if (down) return wire.close();
    wire.connectToServer();
    wires.push(wire);
  });
  await page.goto('/');
  const li = await Agent.signIn(page, 'agt_li');
  await li.presence('Available');
  const customer = { inbox: 'inb_whatsapp', from: '15550100002', name: 'Nora' };
  await desk.write({ ...customer, text: 'First message' });
  await li.accept('First message');

  down = true;
  await Promise.all(wires.map((wire) => wire.close()));
  wires = [];
  await li.page.getByTestId('link').waitFor();
  await desk.write({ ...customer, text: 'Written while you were away' });
  down = false;
  await li.message('contact', 'Written while you were away').waitFor();
  assert.equal(await li.message('contact', 'First message').count(), 1);
  assert.equal(await li.message('contact', 'Written while you were away').count(), 1);
  await li.resolve();
  tolerate(/WebSocket/);
});

desk.story('where WebSockets are blocked a visitor is answered all the same', async ({ open, tolerate }) => {
  const ann = await Agent.signIn(await open('/'), 'agt_ann');
  await ann.presence('Available');
  const page = await open('about:blank');
  await page.routeWebSocket(/\/socket/, (wire) => wire.close());
  await page.goto('/shop');
  const visitor = await Visitor.arrive(page);
  await visitor.write('Is anybody there?');
  await ann.accept('Is anybody there?');
  await ann.reply('Yes, what can I do for you?');
  await visitor.sees('Yes, what can I do for you?').waitFor();
  await ann.resolve();
  tolerate(/WebSocket/);
});
