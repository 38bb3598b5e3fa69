import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  codesOf,
  NO_LETTER,
  residentLexicon,
  residentLexiconBytes,
  standingOf,
} from "../../../shared/engine/lexicon.ts";
import { packLexicon } from "../../../shared/format/lexicon.ts";

const residentOf = (words: readonly string[]) =>
  residentLexicon(
    packLexicon([...words].sort((a, b) => (a < b ? -1 : 1)).map((word) => ({ word, frequency: 1 }))),
  );

describe("standingOf", () => {
  it("agrees with a search through a plain list", () => {
    const word = fc.stringMatching(/^[a-c]{3,7}$/);
    const asked = fc.stringMatching(/^[a-d]{1,8}$/);
    fc.assert(
      fc.property(
        fc.uniqueArray(word, { minLength: 1, maxLength: 200 }),
        fc.array(asked),
        (words, others) => {
          const lexicon = residentOf(words);
          for (const text of [...others, ...words, ...words.map((one) => one.slice(0, -1)), "a"]) {
            const expected = words.includes(text)
              ? "word"
              : words.some((one) => one.startsWith(text))
                ? "beginning"
                : "neither";
            expect(standingOf(lexicon, codesOf(lexicon, text)!), text).toBe(expected);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("a resident lexicon", () => {
  it("spells letters of no word as none, and has no code for a word too long", () => {
    const lexicon = residentOf(["edge"]);
    expect([...codesOf(lexicon, "edgy")!]).toEqual([1, 0, 2, NO_LETTER]);
    expect(codesOf(lexicon, "e".repeat(33))).toBeNull();
  });

  it("keeps copies, so that the file's bytes can be dropped", () => {
    const file = packLexicon([{ word: "edge", frequency: 1 }]);
    const lexicon = residentLexicon(file);
    for (const view of [file.words, file.starts, file.alphabet, file.frequencies]) view.fill(0);
    expect(standingOf(lexicon, codesOf(lexicon, "edge")!)).toBe("word");
    expect(residentLexiconBytes(lexicon)).toBeLessThan(8400);
  });
});
