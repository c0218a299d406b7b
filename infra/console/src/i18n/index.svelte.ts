// Words by key, in the language chosen. No words stand anywhere else.

import { en } from './en';
import { zhCN } from './zh-CN';

export type Key = keyof typeof en;
type Counted<K> = K extends `${infer Base}.other` ? Base : never;
export type CountKey = Counted<Key>;
export type Locale = 'en' | 'zh-CN';
type Values = Record<string, string | number>;

export const catalogues: Record<Locale, Record<Key, string>> = { en, 'zh-CN': zhCN };
export const locales: Locale[] = ['en', 'zh-CN'];

const KEPT = 'colloquy.language';

class Language {
  locale = $state<Locale>(first());

  choose(locale: Locale): void {
    this.locale = locale;
    localStorage.setItem(KEPT, locale);
    document.documentElement.lang = locale;
  }
}

function first(): Locale {
  if (typeof localStorage === 'undefined') return 'en';
  const kept = localStorage.getItem(KEPT);
  if (kept === 'en' || kept === 'zh-CN') return kept;
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh-CN' : 'en';
}

export const language = new Language();

/** The words of `key`, with `{name}` filled in. */
export function t(key: Key, values: Values = {}): string {
  return catalogues[language.locale][key].replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    return value === undefined ? whole : String(value);
  });
}

/** The words of `key` for a count. */
export function n(key: CountKey, count: number): string {
  const form = new Intl.PluralRules(language.locale).select(count) === 'one' ? 'one' : 'other';
  return t(`${key}.${form}` as Key, { count: new Intl.NumberFormat(language.locale).format(count) });
}

/** The words of a key made at run time, or `otherwise` where the catalogue has none. */
export function maybe(key: string, otherwise: string): string {
  return key in en ? t(key as Key) : otherwise;
}
