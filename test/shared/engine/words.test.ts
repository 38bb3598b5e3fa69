import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fold, shows, wordsOf } from "../../../shared/engine/words.ts";

/** The dumb twin: one expression over the whole text. */
function plainWords(text: string) {
  return Array.from(text.matchAll(/[\p{L}\p{N}\p{M}]+/gu), ({ 0: word, index }) => ({
    start: index,
    end: index + word.length,
    folded: plainFold(word),
  }));
}

function plainFold(word: string): string {
  return /^[\0-\x7f]*$/u.test(word)
    ? word.toLowerCase()
    : word.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase();
}

describe("the words of a text", () => {
  it("are the runs of letters, digits and marks, each folded on its own", () => {
    // Lower-casing İ makes a text longer, 𝐀 is two units, e + accent is a letter and a mark.
    const piece = fc.oneof(
      fc.constantFrom(
        "Word",
        "İSTANBUL",
        "straße",
        "𝐀b",
        "e\u0301",
        "ﬁ",
        "北京",
        "🧬",
        "\u0301",
        "Σ",
        "7",
        " ",
        "-",
      ),
      fc.string({ unit: "binary", maxLength: 6 }),
      fc.constantFrom("\ud800", "\udc00"),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const text = pieces.join("");
        expect(wordsOf(text)).toEqual(plainWords(text));
      }),
      { numRuns: 500 },
    );
  });

  it("are none for a text of signs and spaces", () => {
    expect(wordsOf("")).toEqual([]);
    expect(wordsOf(" .,;🧬 \n")).toEqual([]);
  });
});

describe("folding", () => {
  it("makes spellings that differ in case, accents and compatibility forms equal", () => {
    expect(["CAFÉ", "cafe\u0301", "Cafe"].map(fold)).toEqual(["cafe", "cafe", "cafe"]);
    expect(fold("ﬁre")).toBe("fire");
  });
});

describe("showing a word", () => {
  it("takes the same word and forms that differ by a short ending", () => {
    for (const [query, word] of [
      ["index", "index"],
      ["index", "indexes"],
      ["indexing", "index"],
      ["a", "a"],
    ] as const)
      expect(shows(query, word)).toBe(true);
  });

  it("refuses short words' continuations, longer endings and other beginnings", () => {
    for (const [query, word] of [
      ["cat", "cats"],
      ["index", "indexation"],
      ["index", "reindex"],
      ["", "a"],
    ] as const)
      expect(shows(query, word)).toBe(false);
  });

  it("does not depend on which of the two is the query's", () => {
    const word = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 8 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        expect(shows(a, b)).toBe(shows(b, a));
      }),
    );
  });
});
