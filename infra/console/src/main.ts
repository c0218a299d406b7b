import './styles/tokens.css';
import './styles/base.css';

import { mount } from 'svelte';

import App from './App.svelte';
import { language } from './i18n/index.svelte';
import { appearance } from './state/theme.svelte';

appearance.apply();
document.documentElement.lang = language.locale;

const target = document.getElementById('app');
if (target) mount(App, { target });
