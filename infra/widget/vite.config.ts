// Builds one self-contained script: no chunks, no style sheet beside it, nothing to load at run time.
import { defineConfig } from "vitest/config";

export default defineConfig({
  build: {
    target: "es2022",
    lib: { entry: "src/main.ts", formats: ["iife"], name: "ColloquyWidget", fileName: () => "widget.js" },
  },
  test: { environment: "node", include: ["src/**/*.test.ts"] },
});
