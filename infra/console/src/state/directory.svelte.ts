// Names for ids: agents, queues, inboxes. What an agent may not list simply stays unnamed.

import { SvelteMap } from 'svelte/reactivity';

import { t } from '../i18n/index.svelte';
import type { Api } from '../lib/api';
import type { Agent, Config, Holder, Inbox, Me, Named, Presence } from '../lib/types';

export class Directory {
  agents = $state.raw<Agent[]>([]);
  queues = $state.raw<Named[]>([]);
  inboxes = $state.raw<Inbox[]>([]);
  readonly presence = new SvelteMap<string, Presence>();
  readonly #names = new SvelteMap<string, string>();
  readonly #api: Api;
  readonly #me: Me;

  constructor(api: Api, me: Me, config: Config) {
    this.#api = api;
    this.#me = me;
    this.queues = me.queues;
    this.#name([me, ...me.queues, ...(config.people ?? [])]);
  }

  /** Asks for all lists; one that is refused leaves the others. */
  async load(): Promise<void> {
    const [agents, queues, inboxes] = await Promise.allSettled([
      this.#api.agents(),
      this.#api.queues(),
      this.#api.inboxes(),
    ]);
    if (agents.status === 'fulfilled') this.agents = agents.value;
    if (queues.status === 'fulfilled') this.queues = queues.value;
    if (inboxes.status === 'fulfilled') this.inboxes = inboxes.value;
    this.#name([...this.agents, ...this.queues, ...this.inboxes]);
    for (const agent of this.agents) if (agent.presence) this.presence.set(agent.id, agent.presence);
  }

  /** The name of an id, or the id itself. */
  name(id: string): string {
    return this.#names.get(id) ?? id;
  }

  /** An agent as the reader would say it. */
  agent(id: string): string {
    return id === this.#me.id ? t('author.you') : this.name(id);
  }

  /** As `agent`, where the agent is not who acts. */
  whom(id: string): string {
    return id === this.#me.id ? t('holder.you') : this.name(id);
  }

  holder(holder: Holder): string {
    switch (holder.kind) {
      case 'bot':
        return t('holder.bot');
      case 'nobody':
        return t('holder.nobody');
      case 'queue':
        return t('holder.queue', { name: this.name(holder.queue) });
      case 'agent':
        return this.whom(holder.agent);
    }
  }

  #name(things: Named[]): void {
    for (const { id, name } of things) this.#names.set(id, name);
  }
}
