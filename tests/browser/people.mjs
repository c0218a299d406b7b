// What people do on the pages, in their own words: an agent at the console, a visitor in the shop. Nothing is asserted
// here but that it can be done.

/** An agent at their desk. */
export class Agent {
  constructor(page) {
    this.page = page;
  }

  /** Signs in on a page that shows the demo people. */
  static async signIn(page, id) {
    await page.getByTestId(`person-${id}`).click();
    await page.locator('#main').waitFor();
    return new Agent(page);
  }

  async presence(words) {
    await this.page.getByTestId('presence').click();
    await this.page.getByRole('menuitemradio', { name: words, exact: true }).click();
    await this.page.getByTestId('presence').getByText(words).waitFor();
  }

  /** Accepts the one offer there is, and waits for its thread, in which the customer wrote `text`. */
  async accept(text) {
    await this.page.getByTestId('offer-accept').click();
    await this.message('contact', text).waitFor();
  }

  message(side, text) {
    return this.page.getByTestId(`entry-${side}`).filter({ hasText: text });
  }

  async reply(text) {
    await this.page.getByTestId('tab-send').click();
    await this.page.getByTestId('composer').fill(text);
    await this.page.getByTestId('composer').press('Enter');
    await this.message('agent', text).waitFor();
  }

  async note(text) {
    await this.page.getByTestId('tab-note').click();
    await this.page.getByTestId('composer').fill(text);
    await this.page.getByTestId('composer').press('Enter');
    await this.message('note', text).waitFor();
  }

  async resolve() {
    await this.page.getByTestId('resolve').click();
    await this.page.getByTestId('resolve-submit').click();
    await this.page.getByTestId('reopen').waitFor();
  }
}

/** A visitor with the chat of the shop open before them. */
export class Visitor {
  constructor(page) {
    this.page = page;
    this.log = page.getByRole('log');
  }

  static async arrive(page) {
    await page.locator('[data-colloquy] .launcher').click();
    return new Visitor(page);
  }

  async write(text) {
    await this.page.locator('[data-colloquy] textarea').fill(text);
    await this.page.locator('[data-colloquy] textarea').press('Enter');
    await this.log.getByText(text, { exact: true }).waitFor();
  }

  sees(text) {
    return this.log.getByText(text, { exact: true });
  }
}
