// Light, dark or as the system. It sets one attribute; the tokens do the rest.

export type Theme = 'system' | 'light' | 'dark';
export const themes: Theme[] = ['system', 'light', 'dark'];

const KEPT = 'colloquy.theme';

class Appearance {
  theme = $state<Theme>(kept());

  choose(theme: Theme): void {
    this.theme = theme;
    localStorage.setItem(KEPT, theme);
    this.apply();
  }

  apply(): void {
    if (this.theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = this.theme;
  }
}

function kept(): Theme {
  const found = typeof localStorage === 'undefined' ? null : localStorage.getItem(KEPT);
  return themes.find((theme) => theme === found) ?? 'system';
}

export const appearance = new Appearance();
