import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codesOf, type ResidentLexicon, residentLexicon } from "../../../shared/engine/lexicon.ts";
import { nearestWord } from "../../../shared/engine/nearest-word.ts";
import { type LexiconEntry, packLexicon } from "../../../shared/format/lexicon.ts";
import { nearestByForce } from "./edit-distance.ts";

function lexiconOf(words: Readonly<Record<string, number>>): ResidentLexicon {
  const entries = Object.entries(words).map(([word, frequency]) => ({ word, frequency }));
  return residentLexicon(packLexicon(entries.sort((a, b) => (a.word < b.word ? -1 : 1))));
}

const nearest = (lexicon: ResidentLexicon, typed: string) =>
  nearestWord(lexicon, codesOf(lexicon, typed)!)?.word ?? null;

describe("nearestWord", () => {
  it("finds a word with a letter left out, added, exchanged or swapped", () => {
    const lexicon = lexiconOf({ cholesterol: 9, hypertension: 4 });
    for (const typed of [
      "chlesterol",
      "cholesterool",
      "cholestarol",
      "cholesteorl",
      "holesterol",
      "xcholesterol",
    ])
      expect(nearest(lexicon, typed), typed).toBe("cholesterol");
  });

  it("prefers one edit to two, whatever the frequencies", () => {
    expect(nearest(lexiconOf({ treatment: 60_000, treatments: 1 }), "treatmnts")).toBe("treatments");
  });

  it("allows two edits in words of eight letters and more, and not in the first letter", () => {
    const lexicon = lexiconOf({ edges: 9, hypertension: 4 });
    expect(nearest(lexicon, "hyprtenson")).toBe("hypertension");
    expect(nearest(lexicon, "eedgges")).toBeNull();
    expect(nearest(lexicon, "ypertenson")).toBeNull();
  });

  it("takes swapped neighbours and neighbouring keys for likelier than other slips", () => {
    expect(nearest(lexiconOf({ form: 2, fork: 2, fort: 2 }), "forl")).toBe("fork");
    expect(nearest(lexiconOf({ trail: 2, trial: 5, train: 5 }), "trali")).toBe("trail");
  });

  it("takes a doubled letter typed once, or the other way round, for likelier than another", () => {
    expect(nearest(lexiconOf({ vacuum: 3, vacuus: 3 }), "vacum")).toBe("vacuum");
    expect(nearest(lexiconOf({ matter: 3, mattaer: 3 }), "mattter")).toBe("matter");
  });

  it("prefers the first letter that was typed", () => {
    expect(nearest(lexiconOf({ bight: 2, wight: 3 }), "bwight")).toBe("bight");
  });

  it("prefers the more frequent word, and of equals the first in order", () => {
    expect(nearest(lexiconOf({ cart: 2, card: 3 }), "cara")).toBe("card");
    expect(nearest(lexiconOf({ carb: 3, carp: 3 }), "cara")).toBe("carb");
  });

  it("finds nothing for a word near no other", () => {
    expect(nearest(lexiconOf({ edge: 1, search: 1 }), "quixotic")).toBeNull();
    expect(nearest(lexiconOf({ edge: 1 }), "\u0441\u0432\u0435\u0442")).toBeNull();
  });

  it("works in any alphabet, and with letters that the lexicon lacks", () => {
    const lexicon = lexiconOf({ \u0441\u0432\u0435\u0442\u043b\u044b\u0439: 2, edge: 2 });
    expect(nearest(lexicon, "\u0441\u0432\u0435\u0442\u043b\u0439")).toBe(
      "\u0441\u0432\u0435\u0442\u043b\u044b\u0439",
    );
    expect(nearest(lexicon, "edze")).toBe("edge");
  });

  it("agrees with a matrix for every word, in blocks and out of them", () => {
    const word = fc.stringMatching(/^[a-d]{3,5}[abz]{0,6}$/);
    const near = fc.tuple(fc.nat(), fc.stringMatching(/^[a-dz]{0,2}$/), fc.nat());
    fc.assert(
      fc.property(
        fc.uniqueArray(word, { minLength: 1, maxLength: 120 }),
        near,
        word,
        (words, [pick, more, at], other) => {
          const entries: LexiconEntry[] = words
            .sort((a, b) => (a < b ? -1 : 1))
            .map((text, number) => ({ word: text, frequency: 1 + ((number * 7919) % 50) }));
          const lexicon = residentLexicon(packLexicon(entries));
          const base = words[pick % words.length]!;
          const cut = at % base.length;
          for (const typed of [other, base.slice(0, cut) + more + base.slice(cut + 1)]) {
            if (words.includes(typed) || typed.length === 0) continue;
            expect(nearest(lexicon, typed), typed).toBe(nearestByForce(entries, typed));
          }
        },
      ),
      { numRuns: 1500 },
    );
  });

  it("agrees with a matrix for the longest words", () => {
    const entries = ["a".repeat(32), "b".repeat(31), `${"b".repeat(31)}a`].map((word) => ({
      word,
      frequency: 1,
    }));
    const lexicon = residentLexicon(packLexicon(entries));
    for (const typed of ["a".repeat(31), "a".repeat(30), `${"b".repeat(30)}cc`, `${"b".repeat(32)}`])
      expect(nearest(lexicon, typed), typed).toBe(nearestByForce(entries, typed));
  });
});
