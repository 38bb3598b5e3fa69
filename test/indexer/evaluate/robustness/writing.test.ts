import { describe, expect, it } from "vitest";
import { WRITINGS } from "../../../../indexer/evaluate/robustness/writing.ts";
import { applied } from "./changes.ts";

const written = (name: string, text: string) => applied(WRITINGS[name], text);

describe("a query in other characters", () => {
  it("has the same accents composed and decomposed", () => {
    const composed = written("accents, composed", "cafe in lima");
    const decomposed = written("accents, decomposed", "cafe in lima");
    expect(composed).toBe("c\u00e1f\u00e9 \u00edn l\u00edm\u00e1");
    expect(String(decomposed).normalize("NFC")).toBe(composed);
    expect(decomposed).not.toBe(composed);
  });

  it("says the same after compatibility normalisation where it is wide or has ligatures", () => {
    expect(String(written("full-width letters", "who won?")).normalize("NFKC")).toBe("who won?");
    expect(written("ligatures", "the first office")).toBe("the \ufb01rst o\ufb03ce");
    expect(String(written("ligatures", "the first office")).normalize("NFKC")).toBe("the first office");
  });

  it("hides characters without width inside words only", () => {
    expect(written("zero-width space in words", "the river")).toBe("the ri\u200bv\u200ber");
    expect(written("soft hyphens", "the rivers")).toBe("the riv\u00aders");
  });

  it("is none where there is nothing to write so", () => {
    expect(written("ligatures", "who won")).toBeNull();
    expect(written("upper case", "1999")).toBeNull();
    expect(written("curly apostrophes", "who won")).toBeNull();
  });

  it("compares quotes with quotes, not with a text without any", () => {
    expect(written("curly quotes", "who won")).toEqual(['"who won"', "\u201cwho won\u201d"]);
  });

  it("is never the text itself", () => {
    for (const change of Object.values(WRITINGS)) {
      const found = applied(change, "who first filled the 'office' in 1999");
      if (typeof found === "string") expect(found).not.toBe("who first filled the 'office' in 1999");
    }
  });
});
