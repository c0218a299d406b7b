// What the customer named and how they feel, gathered from what was read in their messages: the latest intent and
// mood, each thing named once.

import type { Entry } from './types';

export interface Mentions {
  entities: { kind: string; value: string }[];
  intent?: string;
  mood?: string;
}

export function mentions(entries: readonly Entry[]): Mentions {
  const found = new Map<string, { kind: string; value: string }>();
  const result: Mentions = { entities: [] };
  for (const entry of entries) {
    if (entry.kind !== 'message' || !entry.understanding) continue;
    const { entities, intent, mood } = entry.understanding;
    if (intent) result.intent = intent;
    if (mood) result.mood = mood;
    for (const entity of entities ?? []) {
      const { kind, value } = read(entity);
      if (value) found.set(`${kind} ${value}`, { kind, value });
    }
  }
  result.entities = [...found.values()];
  return result;
}

function read(entity: unknown): { kind: string; value: string } {
  if (typeof entity !== 'object' || entity === null) return { kind: '', value: String(entity ?? '') };
  const fields = entity as Record<string, unknown>;
  const first = (...names: string[]) => {
    const name = names.find((each) => ['string', 'number'].includes(typeof fields[each]));
    return name ? String(fields[name]) : '';
  };
  return { kind: first('kind', 'type', 'label', 'entity'), value: first('value', 'text', 'id', 'name') };
}
