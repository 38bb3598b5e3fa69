import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { queryWords } from "../../../shared/engine/query-words.ts";
import type { Token } from "../../../shared/tokenizer/tokenizer.ts";
import { type TinyParts, tinyParts } from "./resident.ts";

let parts: TinyParts;
beforeAll(async () => {
  parts = await tinyParts(30);
});

function wordsIn(query: string, tokens: readonly Token[] = parts.tokenizer.tokens(query)) {
  return queryWords(query, tokens, parts.table);
}

describe("the words of a query", () => {
  it("hold every token once, in its order, whatever the text", () => {
    const text = fc.oneof(
      fc
        .array(
          fc.constantFrom("river", "rivers", "the", "?", "xq", "北京", "café", "🌊", " ", "[PAD]", "a-b"),
          {
            maxLength: 10,
          },
        )
        .map((pieces) => pieces.join(" ")),
      fc.string({ unit: "binary", maxLength: 40 }).map((value) => value.toWellFormed()),
    );
    fc.assert(
      fc.property(text, (query) => {
        const words = wordsIn(query);
        expect(words.flatMap(({ tokens }) => tokens)).toEqual(parts.tokenizer.ids(query));
        for (const word of words) {
          expect(word.text).toBe(query.slice(word.start, word.end));
          expect(word.tokens.length).toBeGreaterThan(0);
        }
        const starts = words.map(({ start }) => start);
        expect(starts).toEqual([...starts].sort((a, b) => a - b));
      }),
      { numRuns: 300 },
    );
  });

  it("take the sparse side's tokens where these are others, each in the word it stands in", () => {
    const query = "river, moons";
    const at = (id: number, start: number, end: number): Token => ({ id, start, end });
    // As if a space stood before: a token of its own, and others for the first word.
    const terms = [at(90, 0, 0), at(91, 0, 3), at(92, 3, 5), at(93, 5, 6), at(94, 6, 11), at(95, 11, 12)];
    const found = queryWords(query, parts.tokenizer.tokens(query), parts.table, terms);
    expect(found.map(({ text, tokens }) => [text, tokens])).toEqual([
      ["river", [90, 91, 92]],
      [",", [93]],
      ["moons", [94, 95]],
    ]);
    expect(found.map(({ rows }) => rows)).toEqual(wordsIn(query).map(({ rows }) => rows));
  });

  it("take a word cut into pieces whole, and signs one by one", () => {
    expect(wordsIn("Rivers, a?").map(({ text, tokens }) => [text, tokens.length])).toEqual([
      ["Rivers", 2],
      [",", 1],
      ["a", 1],
      ["?", 1],
    ]);
  });

  it("keep two spellings of one word apart, each at its own place", () => {
    const found = wordsIn("river RIVER");
    expect(found.map(({ start, end }) => [start, end])).toEqual([
      [0, 5],
      [6, 11],
    ]);
    expect(found[0]!.folded).toBe(found[1]!.folded);
  });

  it("weigh as much as the heaviest token in them", () => {
    const [river] = wordsIn("rivers");
    const { weights, meta } = parts.table;
    const heaviest = Math.max(...river!.tokens.map((id) => weights[id]!));
    expect(river!.weight).toBe(heaviest / meta.weight_scale);
    const [rare, common] = wordsIn("comet the");
    expect(rare!.weight).toBeGreaterThan(2 * common!.weight);
  });

  it("give a token that begins with the space before its word to that word", () => {
    // Byte-level tokenizers cut so: "river", " bank".
    const found = wordsIn("river bank", [
      { id: 1, start: 0, end: 5 },
      { id: 2, start: 5, end: 10 },
    ]);
    expect(found.map(({ text, tokens }) => [text, tokens])).toEqual([
      ["river", [1]],
      ["bank", [2]],
    ]);
  });

  it("weigh nothing where the table does not know a token", () => {
    expect(wordsIn("river", [{ id: 999_999, start: 0, end: 5 }])[0]!.weight).toBe(0);
  });
});
