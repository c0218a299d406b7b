// The choices of appearance and language, as items of any menu.

import { language, locales, t } from '../i18n/index.svelte';
import type { MenuItem } from '../lib/menu';
import { appearance, themes } from './theme.svelte';

export function preferences(): MenuItem[] {
  const looks = themes.map((theme, at) => ({
    label: t(`theme.${theme}`),
    checked: appearance.theme === theme,
    act: () => appearance.choose(theme),
    ...(at === 0 ? { heading: t('account.theme') } : {}),
  }));
  const tongues = locales.map((locale, at) => ({
    label: t(`language.${locale}`),
    lang: locale,
    checked: language.locale === locale,
    act: () => language.choose(locale),
    ...(at === 0 ? { heading: t('account.language') } : {}),
  }));
  return [...looks, ...tongues];
}
