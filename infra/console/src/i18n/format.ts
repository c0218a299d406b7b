// Times, spans and names of languages as people write them, in the language chosen.

import { language, t } from './index.svelte';

const cache = new Map<string, Intl.DateTimeFormat>();

function formatter(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = language.locale + JSON.stringify(options);
  let made = cache.get(key);
  if (!made) {
    made = new Intl.DateTimeFormat(language.locale, options);
    cache.set(key, made);
  }
  return made;
}

/** `14:05`. */
export function clock(at: string): string {
  return formatter({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(new Date(at));
}

/** Date and time in full. */
export function moment(at: string): string {
  return formatter({ dateStyle: 'medium', timeStyle: 'short' }).format(new Date(at));
}

/** A day of the timeline: today, yesterday, or its date. */
export function day(at: string, now: number): string {
  const date = new Date(at);
  const days = daysBetween(date, new Date(now));
  if (days === 0) return t('day.today');
  if (days === 1) return t('day.yesterday');
  return formatter({ weekday: 'short', day: 'numeric', month: 'short', ...yearUnlessThis(date, now) }).format(date);
}

/** When, as short as a list needs it: the time today, the date before. */
export function when(at: string, now: number): string {
  const date = new Date(at);
  if (daysBetween(date, new Date(now)) === 0) return clock(at);
  return formatter({ day: 'numeric', month: 'short', ...yearUnlessThis(date, now) }).format(date);
}

/** A day of a report, which is UTC. */
export function utcDay(key: string): string {
  return formatter({ day: 'numeric', month: 'short', timeZone: 'UTC' }).format(new Date(`${key}T00:00:00Z`));
}

/** An hour of a report, `2026-11-23T08`, which is UTC. */
export function utcHour(key: string): string {
  const [day, hour] = key.split('T');
  return `${utcDay(day ?? '')} ${hour ?? ''}:00`;
}

const units = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
] as const;

/** A span in its largest units, two at most unless told otherwise: `2h 5m`. */
export function span(ms: number, most = 2): string {
  let rest = Math.max(0, Math.round(ms / 1000));
  const words: string[] = [];
  for (const [unit, seconds] of units) {
    const count = Math.floor(rest / seconds);
    if (count > 0 || (unit === 'second' && words.length === 0)) {
      words.push(new Intl.NumberFormat(language.locale, { style: 'unit', unit, unitDisplay: 'narrow' }).format(count));
      rest -= count * seconds;
    } else if (words.length > 0) break;
    if (words.length === most) break;
  }
  return words.join(' ');
}

export function number(value: number): string {
  return new Intl.NumberFormat(language.locale).format(value);
}

/** The name of a BCP 47 language. */
export function languageName(code: string): string {
  try {
    return new Intl.DisplayNames([language.locale], { type: 'language' }).of(code) ?? code;
  } catch {
    return code;
  }
}

export function sameDay(left: string, right: string): boolean {
  return daysBetween(new Date(left), new Date(right)) === 0;
}

function daysBetween(earlier: Date, later: Date): number {
  const midnight = (date: Date) => Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
  return Math.round((midnight(later) - midnight(earlier)) / 86_400_000);
}

function yearUnlessThis(date: Date, now: number): Intl.DateTimeFormatOptions {
  return date.getFullYear() === new Date(now).getFullYear() ? {} : { year: 'numeric' };
}
