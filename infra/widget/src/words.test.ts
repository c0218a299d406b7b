import { expect, it } from "vitest";

import { catalogues, choose, say } from "./words";

it("says everything in every language, with the same gaps", () => {
  const gaps = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort().join();
  for (const [word, english] of Object.entries(catalogues.en)) {
    const chinese = catalogues["zh-CN"][word as keyof typeof catalogues.en];
    expect(chinese, word).toBeTruthy();
    expect(gaps(chinese), word).toBe(gaps(english));
  }
  expect(Object.keys(catalogues["zh-CN"]).sort()).toEqual(Object.keys(catalogues.en).sort());
});

it("chooses the first language it speaks", () => {
  expect(choose(undefined, "de-DE", "zh-Hans-CN")).toBe("zh-CN");
  expect(choose("en_US", "zh")).toBe("en");
  expect(choose("fr")).toBe("en");
});

it("fills gaps and leaves unknown ones visible", () => {
  expect(say("en", "typing", { who: "Support" })).toBe("Support is typing…");
  expect(say("en", "typing")).toBe("{who} is typing…");
});
