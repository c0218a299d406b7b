import { describe, expect, it } from 'vitest';

import { Api, Problem } from './api';
import { mentions } from './mentions';
import { challenge } from './pkce';

function answering(status: number, body: unknown, seen: Request[] = []) {
  let expired = 0;
  const api = new Api({
    token: () => 'secret',
    onUnauthorized: () => (expired += 1),
    fetch: async (path, init) => {
      seen.push(new Request(new URL(String(path), 'http://desk.test'), init));
      return new Response(JSON.stringify(body), { status });
    },
  });
  return { api, seen, expired: () => expired };
}

describe('the API', () => {
  it('sends the token, and a key with whatever changes something', async () => {
    const { api, seen } = answering(202, { turn: 'trn_1' });
    await api.give('cnv_1', { bot: true });
    expect(seen[0]?.headers.get('authorization')).toBe('Bearer secret');
    expect(seen[0]?.headers.get('idempotency-key')).toBeTruthy();
    expect(await seen[0]?.json()).toEqual({ bot: true });
  });

  it('turns a problem document into a problem', async () => {
    const { api } = answering(409, { title: 'Conflict', detail: 'agt_ann has it', code: 'held_by_other' });
    await expect(api.resolve('cnv_1')).rejects.toMatchObject(new Problem(409, 'agt_ann has it', 'held_by_other'));
  });

  it('reports an ended session', async () => {
    const { api, expired } = answering(401, { message: 'Unauthorized' });
    await expect(api.me()).rejects.toMatchObject({ status: 401 });
    expect(expired()).toBe(1);
  });

  it('calls no answer at all a problem of status 0', async () => {
    const api = new Api({ token: () => undefined, onUnauthorized: () => {}, fetch: () => Promise.reject(new TypeError()) });
    await expect(api.me()).rejects.toMatchObject({ status: 0 });
  });

  it('reads a directory list whether it comes bare or in a page', async () => {
    expect(await answering(200, [{ id: 'a' }]).api.agents()).toEqual([{ id: 'a' }]);
    expect(await answering(200, { items: [{ id: 'a' }] }).api.agents()).toEqual([{ id: 'a' }]);
  });
});

describe('signing in', () => {
  it("makes the challenge of RFC 7636's appendix B", async () => {
    const made = await challenge('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk');
    expect(made).toBe('E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM');
  });
});

describe('what a customer named', () => {
  it('is listed once, with the latest intent and mood', () => {
    const said = (seq: number, entities: unknown[], intent: string) => ({
      seq, at: '', kind: 'message' as const, author: 'contact' as const, text: '',
      understanding: { language: 'en', intent, confidence: 1, mood: 'negative', entities },
    });
    const order = { kind: 'order', value: 'A-1' };
    expect(mentions([said(1, [order], 'greeting'), said(2, [order, 'blue'], 'refund')])).toEqual({
      entities: [order, { kind: '', value: 'blue' }], intent: 'refund', mood: 'negative',
    });
  });
});
