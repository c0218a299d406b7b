// The simulator page: a customer's phone and what crossed the wire for it.

import { startDesk } from './harness.mjs';
import { Agent } from './people.mjs';

const desk = startDesk();

desk.story('a customer on the simulator is answered on their phone, and their reading is confirmed', async ({ open }) => {
  const maria = await Agent.signIn(await open('/'), 'agt_maria');
  await maria.presence('Available');
  const phone = await open('/channels');
  await phone.getByRole('button', { name: 'Maya Fischer' }).click();
  await phone.locator('#text').fill('Do you wrap gifts?');
  await phone.locator('#text').press('Enter');
  await phone.getByRole('log').getByText('Do you wrap gifts?').waitFor();
  await phone.getByRole('log').getByText('I am passing you on to our team').waitFor();
  await maria.accept('Do you wrap gifts?');
  await maria.reply('We do, in cloth.');
  await phone.getByRole('log').getByText('We do, in cloth.').waitFor();
  await maria.message('agent', 'We do, in cloth.').locator('[data-state=read]').waitFor();
});

desk.story('a message whose fate nobody knows is marked so, and an agent may send it again', async ({ open }) => {
  const li = await Agent.signIn(await open('/'), 'agt_li');
  await li.presence('Available');
  await desk.write({ inbox: 'inb_whatsapp', from: '15550100003', name: 'Omar', text: 'Hello' });
  await li.accept('Hello');
  await desk.fail({ channel: 'whatsapp', fail: 'close', times: 1 });
  await li.reply('Good day, Omar.');
  const again = li.message('agent', 'Good day, Omar.').getByTestId('delivery-retry');
  await again.click();
  await again.waitFor({ state: 'detached' });
  await desk.received('whatsapp', (call) => call.body?.text?.body === 'Good day, Omar.' && call.status === 200);
});
