import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compactTokenizer, loadTokenizer } from "../../../shared/tokenizer/load.ts";

const path = (name: string) => fileURLToPath(new URL(`../../../${name}`, import.meta.url));
const tokenizer = loadTokenizer(
  compactTokenizer(readFileSync(path("models/minilm-splade/tokenizer.json"), "utf8"), false),
);
/** Texts with the ids that the reference library (Python, tokenizers) gives them without special tokens. */
const CASES = JSON.parse(
  readFileSync(path("test/golden/tokenizer/wordpiece-cases.json"), "utf8"),
) as readonly {
  readonly text: string;
  readonly ids: readonly number[];
}[];

describe("WordPiece", () => {
  it("gives the ids that the reference library gives", () => {
    expect(CASES.length).toBeGreaterThan(100);
    for (const { text, ids } of CASES) expect(tokenizer.ids(text), JSON.stringify(text)).toEqual(ids);
  });

  it("gives the same ids with places, which are ascending and inside the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const tokens = tokenizer.tokens(text);
        expect(tokens.map(({ id }) => id)).toEqual(tokenizer.ids(text));
        let last = 0;
        for (const { start, end } of tokens) {
          expect(start).toBeGreaterThanOrEqual(last);
          expect(end).toBeGreaterThanOrEqual(start);
          expect(end).toBeLessThanOrEqual(text.length);
          last = start;
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("stops at a limit with the ids it would have begun with", () => {
    expect(tokenizer.ids("how do vaccines work", 2)).toEqual(
      tokenizer.ids("how do vaccines work").slice(0, 2),
    );
  });

  it("takes half a surrogate pair without failing", () => {
    expect(() => tokenizer.ids("a\ud83d b")).not.toThrow();
  });
});

describe("a stored tokenizer", () => {
  it("is refused where it is of no known kind", () => {
    for (const value of [null, {}, { kind: "wordpiece" }, { kind: "library", json: 1, lowercase: true }]) {
      expect(() => loadTokenizer(value)).toThrow(/no known kind/u);
    }
  });
});
