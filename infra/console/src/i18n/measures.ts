// The measures of a report: their order, their value for a chart, and how a value is shown.

import type { Counts } from '../lib/types';
import { number, span } from './format';

export const measures = [
  'conversations',
  'resolved',
  'messages_in',
  'messages_out',
  'messages_bot',
  'first_response_ms',
  'resolution_ms',
] as const;

export type Measured = (typeof measures)[number];

/** What a row of a report can say: an agent neither opens conversations nor writes for the bot. */
export function measuresBy(by: string): readonly Measured[] {
  return by === 'agent' ? measures.filter((each) => each !== 'conversations' && each !== 'messages_bot') : measures;
}

/** A value of a measure, as shown. */
export function inWords(value: number, measure: Measured): string {
  return measure.endsWith('_ms') ? span(value) : number(value);
}

/** The value of a measure; for times the mean in milliseconds, nothing where nothing was timed. */
export function valueOf(counts: Counts, measure: Measured): number | undefined {
  if (measure !== 'first_response_ms' && measure !== 'resolution_ms') return counts[measure] ?? 0;
  const timed = counts[measure];
  return timed && timed.count > 0 ? (timed.mean ?? undefined) : undefined;
}

export function shown(counts: Counts, measure: Measured): string {
  const value = valueOf(counts, measure);
  return value === undefined ? '–' : inWords(value, measure);
}
