import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { termIds, termTokens } from "../../../shared/segment/terms.ts";
import { compactTokenizer, loadTokenizer } from "../../../shared/tokenizer/load.ts";
import { HAS_TINY_DECODER, NEEDS_TINY_DECODER, TINY_DECODER } from "../../helpers/shared-models.ts";
import { TINY_TOKENIZER } from "../../helpers/tiny-encoder.ts";

const texts = fc.oneof(
  fc.string({ unit: "binary", maxLength: 30 }).map((text) => text.toWellFormed()),
  fc
    .array(fc.constantFrom("how", " ", "do", "42", "Zürich", "!", "🌊", "  ", "a-b"), { maxLength: 8 })
    .map((pieces) => pieces.join("")),
);

describe("the terms of a text", () => {
  const tokenizer = loadTokenizer(TINY_TOKENIZER);
  it("are its tokens where no space belongs to a word", () => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(termIds(tokenizer, text)).toEqual(tokenizer.ids(text));
        const tokens = tokenizer.tokens(text);
        expect(termTokens(tokenizer, text, tokens)).toBe(tokens);
      }),
    );
  });
});

describe.skipIf(!HAS_TINY_DECODER)(`the terms of a text in byte-level BPE${NEEDS_TINY_DECODER}`, () => {
  const json = HAS_TINY_DECODER ? readFileSync(join(TINY_DECODER, "tokenizer.json"), "utf8") : "";
  const tokenizer = loadTokenizer(HAS_TINY_DECODER ? compactTokenizer(json, false) : TINY_TOKENIZER);

  it("are the same for a word that begins it as for one that does not", () => {
    const [river] = termIds(tokenizer, "river");
    expect(termIds(tokenizer, "a river")[1]).toBe(river);
    expect(tokenizer.ids("river")[0]).not.toBe(river);
    expect(termIds(tokenizer, "")).toEqual([]);
    expect(termIds(tokenizer, "river sea moon", 2)).toEqual(tokenizer.ids(" river sea"));
  });

  it("stand where they stand in the text, the space in front not counted", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const terms = termTokens(tokenizer, text, tokenizer.tokens(text));
        expect(terms.map(({ id }) => id)).toEqual(termIds(tokenizer, text));
        for (const { start, end } of terms) {
          expect(start).toBeGreaterThanOrEqual(0);
          expect(end).toBeLessThanOrEqual(text.length);
          expect(end).toBeGreaterThanOrEqual(start);
        }
      }),
    );
  });
});
