// Tests over the tree: all words are in the catalogues, and components stay small.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { parse, type AST } from 'svelte/compiler';
import { describe, expect, it } from 'vitest';

import { catalogues } from '../src/i18n/index.svelte';

const source = join(import.meta.dirname, '../src');
const files = readdirSync(source, { recursive: true, encoding: 'utf8' });
const components = files.filter((file) => file.endsWith('.svelte'));
const letters = /\p{L}{2,}/u;
const spoken = new Set(['aria-label', 'title', 'placeholder', 'alt', 'label', 'aria-description']);

/** Words written straight into a component's markup. */
function wordsIn(file: string): string[] {
  const found: string[] = [];
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) return node.forEach(visit);
    if (typeof node !== 'object' || node === null) return;
    const { type } = node as { type?: string };
    if (type === 'Text') {
      const { data } = node as AST.Text;
      if (letters.test(data)) found.push(data.trim());
    } else if (type === 'Attribute') {
      const attribute = node as AST.Attribute;
      if (spoken.has(attribute.name)) visit(attribute.value);
    } else {
      Object.values(node).forEach(visit);
    }
  };
  visit(parse(readFileSync(join(source, file), 'utf8'), { modern: true }).fragment);
  return found;
}

describe('the words', () => {
  const { en, 'zh-CN': zh } = catalogues;

  it('are there in both languages, every one', () => {
    expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort());
    for (const catalogue of [en, zh]) expect(Object.values(catalogue).filter((words) => !words.trim())).toEqual([]);
  });

  it('are filled in with the same values in both languages', () => {
    const names = (words: string) => [...words.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort();
    for (const [key, words] of Object.entries(en)) expect(names(zh[key as keyof typeof en]), key).toEqual(names(words));
  });

  it('never stand in a component', () => {
    for (const file of components) expect(wordsIn(file), file).toEqual([]);
  });

  it('are all used', () => {
    const code = files
      .filter((file) => /\.(svelte|ts)$/.test(file) && !/i18n.(en|zh-CN)\.ts$/.test(file))
      .map((file) => readFileSync(join(source, file), 'utf8'))
      .join('\n');
    const made = /`[\w.]*\$\{/g;
    const starts = new Set([...code.matchAll(made)].map((match) => match[0].slice(1, -2)));
    const used = (key: string) => {
      const base = key.replace(/\.(one|other)$/, '');
      return code.includes(`'${key}'`) || code.includes(`'${base}'`) || [...starts].some((start) => start && key.startsWith(start));
    };
    expect(Object.keys(en).filter((key) => !used(key))).toEqual([]);
  });
});

describe('a component', () => {
  it('is under 200 lines', () => {
    const long = components.filter((file) => readFileSync(join(source, file), 'utf8').split('\n').length > 200);
    expect(long).toEqual([]);
  });

  it('has no style attribute, which the content security policy would drop', () => {
    expect(components.filter((file) => /\sstyle="/.test(readFileSync(join(source, file), 'utf8')))).toEqual([]);
  });

  it('never puts text into the page as markup', () => {
    expect(components.filter((file) => /\{@html/.test(readFileSync(join(source, file), 'utf8')))).toEqual([]);
  });

  it('takes its colors from the tokens', () => {
    const style = (file: string) => readFileSync(join(source, file), 'utf8').split('<style>')[1] ?? '';
    expect(components.filter((file) => /#[0-9a-f]{3,8}\b|rgb\(|hsl\(/i.test(style(file)))).toEqual([]);
  });
});
