import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TYPO_KINDS, withTypo } from "../../../indexer/evaluate/typos.ts";
import { Random } from "../../../indexer/random.ts";
import { keysBeside } from "../../../shared/engine/keyboard.ts";

describe("withTypo", () => {
  it("changes one word by one edit of the kind asked for", () => {
    const query = fc.stringMatching(/^[a-z]{4,9}( [a-z]{1,9}){0,3}$/);
    fc.assert(
      fc.property(query, fc.constantFrom(...TYPO_KINDS), fc.nat(), (text, kind, seed) => {
        const spoilt = withTypo(text, kind, new Random(seed));
        if (spoilt === null) return;
        expect(spoilt).not.toBe(text);
        const [before, after] = [text.split(" "), spoilt.split(" ")];
        const changed = before.flatMap((word, at) =>
          word === after[at] ? [] : [[word, after[at]!] as const],
        );
        expect(changed).toHaveLength(1);
        const [[was, is]] = changed as [readonly [string, string]];
        const { swap, drop, insert, substitute } = {
          swap: [...was].sort().join("") === [...is].sort().join(""),
          drop: is.length === was.length - 1,
          insert: is.length === was.length + 1,
          substitute:
            is.length === was.length && [...was].filter((letter, at) => letter !== is[at]).length === 1,
        };
        expect({ swap, drop, insert, substitute }[kind]).toBe(true);
      }),
    );
  });

  it("gives the same typo for the same seed", () => {
    const spoil = (seed: number) => withTypo("treatment of high cholesterol", "swap", new Random(seed));
    expect(spoil(7)).toBe(spoil(7));
    expect(new Set(Array.from({ length: 40 }, (_, seed) => spoil(seed))).size).toBeGreaterThan(5);
  });

  it("leaves stopwords, short words and identifiers alone, and says where nothing is left", () => {
    for (const kind of TYPO_KINDS) {
      expect(withTypo("what does this do to 4abc12 and the gut", kind, new Random(1))).toBeNull();
      expect(withTypo("", kind, new Random(1))).toBeNull();
    }
  });

  it("keeps what stands around the word, and its case", () => {
    const spoilt = withTypo("the (QUARTZ), is it?", "substitute", new Random(3))!;
    expect(spoilt).toMatch(/^the \([A-Z]{6}\), is it\?$/);
  });

  it("swaps no two equal letters", () => {
    expect(withTypo("aaaa", "swap", new Random(1))).toBeNull();
  });
});

describe("keysBeside", () => {
  it("is the same in both directions", () => {
    for (const letter of "abcdefghijklmnopqrstuvwxyz") {
      expect(keysBeside(letter).length).toBeGreaterThan(1);
      for (const near of keysBeside(letter)) expect(keysBeside(near)).toContain(letter);
    }
  });

  it("knows that s lies beside a, d, w, e, z and x", () => {
    expect([...keysBeside("s")].sort().join("")).toBe("adewxz");
    expect(keysBeside("4")).toBe("");
  });
});
