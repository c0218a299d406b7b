/// <reference types="vitest/config" />
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

const host = 'http://127.0.0.1:8787';
const paths = ['/v1', '/local', '/config.json', '/healthz'];

export default defineConfig({
  base: '/',
  plugins: [svelte()],
  // In tests runes must be the browser's, not the server's inert ones.
  ...(process.env.VITEST ? { resolve: { conditions: ['browser'] } } : {}),
  build: {
    target: 'es2022',
    // These know `light-dark()` and popovers.
    cssTarget: ['chrome123', 'edge123', 'firefox125', 'safari17.5'],
    // The content security policy allows files of this origin only, no data: addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      ...Object.fromEntries(paths.map((path) => [path, { target: host }])),
      '/socket': { target: host, ws: true },
    },
  },
  test: { include: ['src/**/*.test.ts', 'test/**/*.test.ts'] },
});
