// What a menu offers.

import type { IconName } from './icons';

export interface MenuItem {
  label: string;
  act: () => void;
  icon?: IconName;
  tone?: 'ok' | 'wait' | 'bad' | 'idle';
  checked?: boolean;
  lang?: string;
  /** A heading shown before this item. */
  heading?: string;
}
