// The whole of an agent's work without a mouse, in Chinese; and both languages, both appearances, both widths.

import assert from 'node:assert/strict';

import { barriers, overflow, startDesk } from './harness.mjs';
import { Agent } from './people.mjs';

const desk = startDesk();

/** Presses Tab until the element with this test id has the focus. */
async function tabTo(page, id) {
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press('Tab');
    if (await page.evaluate((wanted) => document.activeElement?.getAttribute('data-testid') === wanted, id)) return;
  }
  assert.fail(`Tab does not lead to ${id}`);
}

desk.story('an agent signs in, accepts, answers, notes and resolves with the keyboard alone, in Chinese', async ({ open }) => {
  const page = await open('/', { locale: 'zh-CN' });
  await page.getByTestId('person-agt_li').waitFor();
  await tabTo(page, 'person-agt_li');
  await page.keyboard.press('Enter');
  await page.getByTestId('presence').waitFor();
  await tabTo(page, 'presence');
  await page.keyboard.press('Enter');
  await page.getByRole('menuitemradio', { name: '在线', exact: true }).focus();
  await page.keyboard.press('Enter');
  await page.getByTestId('presence').getByText('在线').waitFor();

  await desk.write({ inbox: 'inb_wechat', from: 'oKeyboard0001', name: '王芳', text: '请问什么时候发货？' });
  const li = new Agent(page);
  await page.getByTestId('offer').waitFor();
  await page.locator('body').press('a');
  await li.message('contact', '请问什么时候发货？').waitFor();
  await page.keyboard.press('r');
  await page.keyboard.type('今天下午发货。');
  await page.keyboard.press('Enter');
  await li.message('agent', '今天下午发货。').waitFor();
  await desk.received('wechat', (call) => call.body?.text?.content === '今天下午发货。');

  await page.keyboard.press('Escape');
  await page.keyboard.press('n');
  await page.keyboard.type('老客户');
  await page.keyboard.press('Enter');
  await li.message('note', '老客户').waitFor();
  await page.keyboard.press('Escape');
  await page.keyboard.press('?');
  await page.getByTestId('help-dialog').waitFor();
  await page.keyboard.press('Escape');
  await page.getByTestId('help-dialog').waitFor({ state: 'detached' });
  await page.keyboard.press('e');
  await page.getByTestId('resolve-dialog').waitFor();
  await tabTo(page, 'resolve-submit');
  await page.keyboard.press('Enter');
  await page.getByTestId('reopen').waitFor();
});

desk.story('the language is chosen once and kept', async ({ open }) => {
  const page = await open('/');
  await Agent.signIn(page, 'agt_sam');
  await page.getByTestId('nav-reports').getByText('Reports').waitFor();
  await page.getByTestId('account').click();
  await page.getByRole('menuitemradio', { name: '简体中文' }).click();
  await page.getByTestId('nav-reports').getByText('报表').waitFor();
  assert.equal(await page.locator('html').getAttribute('lang'), 'zh-CN');
  await page.reload();
  await page.getByTestId('nav-reports').getByText('报表').waitFor();
});

for (const [colorScheme, width, locale] of [
  ['light', 1440, 'en-US'],
  ['dark', 1440, 'zh-CN'],
  ['light', 390, 'zh-CN'],
  ['dark', 390, 'en-US'],
]) {
  desk.story(`every page fits and can be read: ${colorScheme}, ${width} pixels, ${locale}`, async ({ open }) => {
    const settings = { colorScheme, locale, viewport: { width, height: 860 } };
    const page = await open('/', settings);
    await page.getByTestId('person-agt_admin').waitFor();
    const wrong = [...(await barriers(page)), ...(await overflow(page))];
    await Agent.signIn(page, 'agt_admin');
    for (const path of ['#/desk/all', '#/reports', '#/settings/inboxes', '#/settings/agents']) {
      await page.goto(`/${path}`);
      await page.locator('main h1, main h2').first().waitFor();
      wrong.push(...(await overflow(page)), ...(await barriers(page)));
    }
    for (const path of ['/shop', '/channels']) {
      const other = await open(path, settings);
      await other.locator('main').waitFor();
      wrong.push(...(await overflow(other)), ...(await barriers(other)));
    }
    assert.deepEqual(wrong, []);
  });
}

desk.story('an administrator finds the webhook address to paste', async ({ open }) => {
  const page = await open('/');
  await Agent.signIn(page, 'agt_admin');
  await page.goto('/#/settings/inboxes');
  const addresses = page.locator('main input[readonly]');
  await addresses.first().waitFor();
  const shown = await addresses.evaluateAll((fields) => fields.map((field) => field.value));
  assert.ok(shown.includes(`${desk.address}/webhooks/whatsapp/inb_whatsapp`), shown.join(' '));
});
