import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { residentLexicon } from "../../../shared/engine/lexicon.ts";
import type { QueryWord } from "../../../shared/engine/query-words.ts";
import { asTyped, correctQuery } from "../../../shared/engine/spelling.ts";
import { wordsOf } from "../../../shared/engine/words.ts";
import { packLexicon } from "../../../shared/format/lexicon.ts";
import type { Tokenizer } from "../../../shared/tokenizer/tokenizer.ts";

const WORDS = ["cholesterol", "edges", "inflammation", "lights", "searching", "treatments"];
const LEXICON = residentLexicon(packLexicon(WORDS.map((word) => ({ word, frequency: 2 }))));

/** A tokenizer that holds these spellings whole. */
function knowing(...spellings: readonly string[]): Tokenizer {
  return {
    vocabulary: spellings.length,
    ids: () => [],
    tokens: () => [],
    idOf: (token) => (spellings.includes(token) ? spellings.indexOf(token) : undefined),
  };
}

const correct = (query: string, tokenizer = knowing()) => correctQuery(query, LEXICON, tokenizer);
const used = (query: string, tokenizer = knowing()) => correct(query, tokenizer).text;

describe("correctQuery", () => {
  it("replaces a misspelt word and says which and where", () => {
    expect(correct("high Chlesterol, and treatmnts?")).toEqual({
      text: "high cholesterol, and treatments?",
      corrections: [
        { word: "Chlesterol", start: 5, end: 15, used: "cholesterol" },
        { word: "treatmnts", start: 21, end: 30, used: "treatments" },
      ],
    });
  });

  it("leaves a query alone whose words the corpus has, in any case and with any accents", () => {
    expect(correct("Edges S\u00e9arching LIGHTS")).toEqual({
      text: "Edges S\u00e9arching LIGHTS",
      corrections: [],
    });
  });

  it("leaves a word that the tokenizer holds whole, however it marks the start of a word", () => {
    expect(used("ledges")).toBe("edges");
    for (const spelling of ["ledges", "\u0120ledges", "\u2581ledges"])
      expect(used("ledges", knowing(spelling)), spelling).toBe("ledges");
    expect(used("ledges", knowing("##ledges"))).toBe("edges");
  });

  it("leaves words of three letters, and those near nothing", () => {
    expect(used("edg quixotic")).toBe("edg quixotic");
  });

  it("leaves the last word while it may still become one of the corpus", () => {
    expect(used("inflamm")).toBe("inflamm");
    expect(used("treatment")).toBe("treatment");
    expect(used("treatment of")).toBe("treatments of");
    expect(used("treatment ")).toBe("treatments ");
    expect(used("tretment")).toBe("treatments");
  });

  it.each([
    ["digits inside", "edge5 edg3s cholestero1"],
    ["joined by an underscore", "max_edgess edgess_max"],
    ["words with invisible characters inside", "chol\u200besterl choles\u00adterl"],
    ["an address", "me@edgess.org edgess.org www.edgess"],
    ["a path or a variable", "C:\\edgess $edgess #edgess"],
    ["capitals inside", "getEdgess EDGESS of"],
    ["digits before it", "4 5edgess"],
  ])("leaves identifiers and names: %s", (_, query) => {
    expect(used(query)).toBe(query);
  });

  it("corrects what is shouted, at a sentence's end, or hyphenated", () => {
    expect(used("CHLESTEROL")).toBe("cholesterol");
    expect(used("edgess. lihgts")).toBe("edges. lights");
    expect(used("edgess-lihgts/serching")).toBe("edges-lights/searching");
  });

  it("looks up eight words and no more", () => {
    const query = Array.from({ length: 10 }, () => "edgess").join(" ");
    expect(correct(query).corrections).toHaveLength(8);
  });

  it("never throws, changes only what it says, and gives words of the corpus", () => {
    const word = fc.oneof(
      fc.constantFrom(...WORDS, "lihgts", "edgess", "S\u00e9rching"),
      fc.string({ unit: "binary" }),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), (words) => {
        const query = words.join(" ");
        const { text, corrections } = correct(query);
        let [expected, from] = ["", 0];
        for (const { word: typed, start, end, used: word } of corrections) {
          expect(query.slice(start, end)).toBe(typed);
          expect(WORDS).toContain(word);
          expected += query.slice(from, start) + word;
          from = end;
        }
        expect(text).toBe(expected + query.slice(from));
      }),
    );
  });
});

describe("asTyped", () => {
  const wordsFor = (text: string): QueryWord[] =>
    wordsOf(text).map(({ start, end, folded }) => ({
      text: text.slice(start, end),
      start,
      end,
      folded,
      tokens: [],
      rows: [],
      weight: 1,
    }));

  it("gives every word the place it was typed at, and keeps the word searched for beside it", () => {
    const query = "the Chlesterol, of treatmnts now";
    const { text, corrections } = correct(query);
    const words = asTyped(wordsFor(text), corrections);
    expect(words.map(({ text: typed }) => typed)).toEqual(["the", "Chlesterol", "of", "treatmnts", "now"]);
    for (const { text: typed, start, end } of words) expect(query.slice(start, end)).toBe(typed);
    expect(words.map(({ folded }) => folded)).toEqual(["the", "cholesterol", "of", "treatments", "now"]);
  });

  it("keeps places right where a replaced word gave no token", () => {
    const query = "Chlesterol of treatmnts now";
    const { text, corrections } = correct(query);
    const words = asTyped(wordsFor(text).slice(1), corrections);
    for (const { text: typed, start, end } of words) expect(query.slice(start, end)).toBe(typed);
  });

  it("gives the same words back where nothing was corrected", () => {
    const words = wordsFor("edges of lights");
    expect(asTyped(words, [])).toBe(words);
  });
});
