// What happened, in words, for each kind of entry that is not something said.

import type { EventEntry, Head, Part } from '../lib/types';
import type { Directory } from '../state/directory.svelte';
import { maybe, t } from './index.svelte';

export type Weight = 'plain' | 'bad' | 'wait' | 'ok';

/** An event's words and what it says of the status. */
export function eventWords(entry: EventEntry, directory: Directory): { words: string; weight: Weight } {
  const plain = (words: string) => ({ words, weight: 'plain' as const });
  const agent = (id: string) => directory.agent(id);
  switch (entry.kind) {
    case 'conversation.opened': {
      const channel = channelName(entry.channel ?? '');
      return plain(t(entry.episode > 1 ? 'entry.opened_again' : 'entry.opened', { channel }));
    }
    case 'conversation.handed_off': {
      const reason = maybe(`reason.${entry.reason}`, entry.reason);
      return { words: t('entry.handed_off', { queue: directory.name(entry.queue), reason }), weight: 'wait' };
    }
    case 'conversation.offered':
      return plain(t('entry.offered', { agent: directory.whom(entry.agent) }));
    case 'offer.expired':
      return plain(t('entry.offer_expired', { agent: agent(entry.agent) }));
    case 'offer.declined':
      return plain(t('entry.offer_declined', { agent: agent(entry.agent) }));
    case 'conversation.assigned':
      return plain(assigned(entry, directory));
    case 'conversation.transferred':
      return plain(t('entry.transferred', { by: agent(entry.by), to: directory.holder(entry.to) }));
    case 'conversation.resolved':
      return { words: resolved(entry, directory), weight: 'ok' };
    case 'conversation.reopened':
      return plain(t('entry.reopened', { by: directory.whom(entry.by) }));
    case 'delivery.failed':
      return { words: t('entry.delivery_failed', { reason: entry.reason }), weight: 'bad' };
    case 'delivery.unknown':
      return { words: t('entry.delivery_unknown'), weight: 'wait' };
    case 'delivery.retried':
      return plain(t('entry.delivery_retried', { by: agent(entry.by) }));
    default:
      return plain(t('entry.other', { kind: (entry as { kind: string }).kind }));
  }
}

/** A customer's name; where the channel gives none, one that tells them from the others. */
export function customerName(head: Pick<Head, 'name' | 'contact'> | undefined, known?: string): string {
  return head?.name || known || t('contact.nameless', { mark: head?.contact.slice(-4) ?? '' }).trim();
}

/** The last words of a conversation, and whose they were when they were not the customer's. */
export function lastWords(head: Head): string {
  const words = head.preview || t('list.wordless');
  if (head.preview_by === 'agent') return t('list.preview.ours', { words });
  return head.preview_by === 'bot' ? t('list.preview.bot', { words }) : words;
}

export function channelName(channel: string): string {
  return maybe(`channel.${channel}`, channel);
}

/** A part in words, until the desk can show it. */
export function partWords(part: Part): string {
  const kind = maybe(`part.${part.kind}`, t('part.unsupported'));
  const label = part.label ?? part.place;
  return label ? t('part.named', { kind, label }) : kind;
}

type Assigned = Extract<EventEntry, { kind: 'conversation.assigned' }>;
type Resolved = Extract<EventEntry, { kind: 'conversation.resolved' }>;

function assigned({ agent, by }: Assigned, directory: Directory): string {
  if (typeof by === 'object') return t('entry.given', { by: directory.agent(by.given), agent: directory.whom(agent) });
  return t(by === 'offer' ? 'entry.accepted' : 'entry.taken', { agent: directory.agent(agent) });
}

function resolved(entry: Resolved, directory: Directory): string {
  if (typeof entry.by !== 'object') return t('entry.resolved_silence');
  const by = directory.whom(entry.by.agent);
  if (!entry.disposition) return t('entry.resolved', { by });
  return t('entry.resolved_as', { by, disposition: maybe(`disposition.${entry.disposition}`, entry.disposition.replaceAll('_', ' ')) });
}
