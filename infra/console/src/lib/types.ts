// What the REST API and the socket say, as published. No behavior here.

export type Role = 'agent' | 'supervisor' | 'administrator';
export type Presence = 'available' | 'busy' | 'away' | 'offline';
export type Status = 'bot' | 'queued' | 'open' | 'snoozed' | 'resolved';
export type DeliveryState = 'queued' | 'sending' | 'sent' | 'delivered' | 'read' | 'failed' | 'unknown';

export interface Named {
  id: string;
  name: string;
}

export interface Me extends Named {
  email: string;
  role: Role;
  teams: string[];
  queues: Named[];
  presence: Presence;
  capacity: number;
}

export interface Agent extends Named {
  email: string;
  role: Role;
  teams?: string[];
  capacity?: number;
  auto_accept?: boolean;
  disabled?: boolean;
  presence?: Presence;
}

export interface Inbox extends Named {
  channel: string;
  webhook?: string;
  queue?: string | null;
}

export type Holder =
  | { kind: 'bot' }
  | { kind: 'nobody' }
  | { kind: 'queue'; queue: string }
  | { kind: 'agent'; agent: string };

export interface MayWrite {
  allowed: boolean;
  reason?: string;
  until?: string;
  left?: number;
}

export interface Head {
  id: string;
  inbox: string;
  channel: string;
  contact: string;
  name?: string;
  seq: number;
  episode: number;
  status: Status;
  holder: Holder;
  lease: number;
  opened_at: string;
  updated_at: string;
  since: string;
  queued_at?: string;
  resolved_at?: string;
  contact_at?: string;
  unread: number;
  language?: string;
  preview: string;
  preview_by?: 'contact' | 'bot' | 'agent';
  offer?: { agent: string; until: string };
  may_write?: MayWrite;
}

export interface Part {
  kind: string;
  media?: string;
  mime?: string;
  label?: string;
  place?: string;
}

export interface Understanding {
  language: string;
  intent?: string | null;
  confidence: number;
  mood?: string;
  entities?: unknown[];
}

interface Numbered {
  seq: number;
  at: string;
}

export interface MessageEntry extends Numbered {
  kind: 'message';
  author: 'contact' | 'bot' | 'agent';
  agent?: string;
  text: string;
  parts?: Part[];
  understanding?: Understanding;
  key?: string;
}

export interface NoteEntry extends Numbered {
  kind: 'note';
  agent: string;
  text: string;
  key?: string;
}

export type EventEntry = Numbered &
  (
    | { kind: 'conversation.opened'; episode: number; channel?: string; name?: string }
    | { kind: 'conversation.handed_off'; queue: string; reason: string }
    | { kind: 'conversation.offered'; agent: string; until: string }
    | { kind: 'offer.expired'; agent: string }
    | { kind: 'offer.declined'; agent: string }
    | { kind: 'conversation.assigned'; agent: string; by: 'offer' | 'taken' | { given: string } }
    | { kind: 'conversation.transferred'; by: string; to: Holder }
    | { kind: 'conversation.resolved'; by: 'silence' | { agent: string }; disposition?: string }
    | { kind: 'conversation.reopened'; by: string }
    | { kind: 'delivery.failed'; message: number; attempt: number; reason: string }
    | { kind: 'delivery.unknown'; message: number; attempt: number; reason: string }
    | { kind: 'delivery.retried'; message: number; attempt: number; by: string }
  );

export type Entry = MessageEntry | NoteEntry | EventEntry;

export interface Delivery {
  seq: number;
  state: DeliveryState;
  at: string;
  attempt: number;
  reason?: string;
}

export interface Page<T> {
  items: T[];
  cursor?: string | null;
}

export interface Entries {
  items: Entry[];
  deliveries?: Delivery[];
  head?: Head;
}

export interface Turn {
  turn: string;
  state?: 'pending' | 'committed' | 'refused';
  seq?: number;
  code?: string;
  detail?: string;
}

export interface Contact extends Named {
  identities: { channel: string; inbox?: string; address: string; name?: string }[];
  conversations: Head[];
}

export interface Measure {
  count: number;
  mean?: number | null;
  median?: number | null;
}

export interface Counts {
  conversations?: number;
  messages_in?: number;
  messages_out?: number;
  messages_bot?: number;
  resolved?: number;
  first_response_ms?: Measure;
  resolution_ms?: Measure;
}

export interface Overview {
  from: string;
  to: string;
  total: Counts;
  rows: (Counts & { key: string })[];
}

export interface Config {
  local?: boolean;
  people?: { id: string; name: string; email: string; role: Role }[];
  issuer?: string;
  client?: string;
}

export interface EntryEvent {
  type: 'entry';
  conversation: string;
  seq: number;
  entry: Entry;
  head?: Head;
}

export interface ErrorEvent {
  type: 'error';
  key?: string;
  conversation?: string;
  status?: number;
  code?: string;
  detail?: string;
}

export type ServerEvent =
  | EntryEvent
  | ErrorEvent
  | { type: 'delivery'; conversation: string; delivery: Delivery }
  | { type: 'head'; conversation: string; head: Head }
  | { type: 'offer'; conversation: string; until: string; head: Head }
  | { type: 'typing'; conversation: string; author?: string }
  | { type: 'resumed'; conversation: string; seq: number; deliveries?: Delivery[]; head?: Head }
  | { type: 'list'; queue: string }
  | { type: 'accepted'; key?: string | null; turn: string }
  | { type: 'presence'; agent: string; state: Presence }
  | { type: 'pong' };

export type Action =
  | { action: 'send' | 'note'; conversation: string; text: string; key: string }
  | { action: 'resume'; conversation: string; after: number }
  | { action: 'leave' | 'typing' | 'accept' | 'decline'; conversation: string }
  | { action: 'presence'; state: Presence }
  | { action: 'ping' };
