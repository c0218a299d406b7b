// Who is signed in. The token lives in this tab's storage only; role and queues come from the desk, not the token.

import { Api, Problem } from '../lib/api';
import { arrive, leave } from '../lib/pkce';
import type { Config, Me } from '../lib/types';

const KEPT = 'colloquy.token';

export type Stage = 'starting' | 'out' | 'in' | 'unreachable';

export class Session {
  stage = $state<Stage>('starting');
  me = $state.raw<Me>();
  config = $state.raw<Config>({});
  /** Why the agent is out again, if not by their own wish. */
  notice = $state<'expired' | 'nobody'>();
  readonly api: Api;
  #token: string | undefined = sessionStorage.getItem(KEPT) ?? undefined;

  constructor() {
    this.api = new Api({ token: () => this.#token, onUnauthorized: () => this.#expire() });
  }

  /** Reads the desk's configuration, and signs in with what is at hand. */
  async start(): Promise<void> {
    this.stage = 'starting';
    try {
      const response = await fetch('/config.json');
      if (!response.ok) throw new Problem(response.status);
      this.config = (await response.json()) as Config;
      const { issuer, client } = this.config;
      if (issuer && client) this.#keep((await arrive(issuer, client)) ?? this.#token);
      if (this.#token) await this.#enter();
      else this.stage = 'out';
    } catch (thrown) {
      if (thrown instanceof Problem && thrown.status === 401) return;
      this.stage = 'unreachable';
    }
  }

  /** Signs a demo person in; only the local host has this. */
  async signInAs(agent: string): Promise<void> {
    const response = await fetch('/local/login', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ agent }),
    });
    if (!response.ok) throw new Problem(response.status);
    this.#keep(((await response.json()) as { token: string }).token);
    await this.#enter();
  }

  async leaveForIssuer(): Promise<void> {
    const { issuer, client } = this.config;
    if (issuer && client) await leave(issuer, client);
  }

  signOut(): void {
    this.#keep(undefined);
    this.notice = undefined;
    this.me = undefined;
    this.stage = 'out';
  }

  async #enter(): Promise<void> {
    try {
      this.me = await this.api.me();
    } catch (thrown) {
      if (!(thrown instanceof Problem) || thrown.status !== 403) throw thrown;
      this.signOut();
      this.notice = 'nobody';
      return;
    }
    this.notice = undefined;
    this.stage = 'in';
  }

  #expire(): void {
    if (this.stage === 'out') return;
    this.signOut();
    this.notice = 'expired';
  }

  #keep(token: string | undefined): void {
    this.#token = token;
    if (token) sessionStorage.setItem(KEPT, token);
    else sessionStorage.removeItem(KEPT);
  }
}
