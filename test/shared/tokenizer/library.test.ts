import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { parseEnvelope } from "../../../shared/format/envelope.ts";
import { readTokenizerFile, writeTokenizerFile } from "../../../shared/format/tokenizer-file.ts";
import type { Sha256 } from "../../../shared/hash.ts";
import { compactTokenizer, loadTokenizer } from "../../../shared/tokenizer/load.ts";
import type { Tokenizer } from "../../../shared/tokenizer/tokenizer.ts";
import { HAS_TINY_DECODER, NEEDS_TINY_DECODER, TINY_DECODER } from "../../helpers/shared-models.ts";

/** Texts with the ids that the reference library (Python, tokenizers) gives them without special tokens. */
const CASES = JSON.parse(
  readFileSync(new URL("../../golden/tokenizer/byte-level-cases.json", import.meta.url), "utf8"),
) as readonly { readonly text: string; readonly ids: readonly number[] }[];

/** Characters that this vocabulary has no token for: its training texts had none of them. */
const WITHOUT_TOKEN = new RegExp(`^[${String.fromCharCode(4, 6, 0x13, 0x14, 0x16, 0x1d)}]*$`, "u");

let json: string;
let tokenizer: Tokenizer;

describe.skipIf(!HAS_TINY_DECODER)(`byte-level BPE${NEEDS_TINY_DECODER}`, () => {
  beforeAll(() => {
    json = readFileSync(join(TINY_DECODER, "tokenizer.json"), "utf8");
    tokenizer = loadTokenizer(compactTokenizer(json, false));
  });

  it("gives the ids that the reference library gives", () => {
    expect(CASES.length).toBeGreaterThan(100);
    expect(tokenizer.vocabulary).toBe(49_152);
    for (const { text, ids } of CASES) expect(tokenizer.ids(text), JSON.stringify(text)).toEqual(ids);
  });

  it("gives the same ids from its file", async () => {
    const of = { encoder: "0".repeat(64) as Sha256, lowercase: false };
    const { bytes } = await writeTokenizerFile(of, compactTokenizer(json, false));
    const again = loadTokenizer(readTokenizerFile(parseEnvelope(bytes, "tokenizer")).value);
    for (const { text, ids } of CASES) expect(again.ids(text)).toEqual(ids);
  });

  it("gives the same ids with places that cover all that has a token, in whole characters", () => {
    const check = (text: string) => {
      const tokens = tokenizer.tokens(text);
      expect(tokens.map(({ id }) => id)).toEqual(tokenizer.ids(text));
      let covered = 0;
      for (const { start, end } of [...tokens, { start: text.length, end: text.length }]) {
        // Tokens that share a character overlap in it; only what no token spells is left out.
        expect(text.slice(covered, start)).toMatch(WITHOUT_TOKEN);
        expect(text.slice(start, end).toWellFormed()).toBe(text.toWellFormed().slice(start, end));
        covered = Math.max(covered, end);
      }
      expect(covered).toBe(text.length);
    };
    for (const { text } of CASES) check(text);
    fc.assert(fc.property(fc.string({ unit: "binary" }), check), { numRuns: 500 });
  });

  it("has the places of the reference library behind characters that no token spells", () => {
    for (const unspelt of ["\u0013", "\u{50000}", "\u0004\u{90000}\u001d"]) {
      const text = `sea${unspelt} and river`;
      const words = tokenizer.tokens(text).map(({ start, end }) => text.slice(start, end));
      expect(words.slice(-2), JSON.stringify(unspelt)).toEqual([" and", " river"]);
    }
  });

  it("finds each word of a plain text where it stands", () => {
    const text = "How do vaccines work in Zürich?";
    const words = tokenizer.tokens(text).map(({ start, end }) => text.slice(start, end));
    expect(words.join("")).toBe(text);
    expect(words).toContain(" work");
  });

  it("lower-cases where the model's own rule says so", () => {
    const lower = loadTokenizer(compactTokenizer(json, true));
    const text = "How do VACCINES Work?";
    expect(lower.ids(text)).toEqual(tokenizer.ids(text.toLowerCase()));
    expect(lower.ids(text)).not.toEqual(tokenizer.ids(text));
  });

  it("stops at a limit with the ids it would have begun with", () => {
    const ids = tokenizer.ids("how do vaccines work");
    for (let limit = 0; limit <= ids.length + 1; limit++)
      expect(tokenizer.ids("how do vaccines work", limit)).toEqual(ids.slice(0, limit));
  });

  it("takes half a surrogate pair as the character that stands for damage", () => {
    expect(tokenizer.ids("a\ud83d b")).toEqual(tokenizer.ids("a\ufffd b"));
  });

  it("knows special tokens by their spelling, and no others", () => {
    expect(tokenizer.idOf("<|endoftext|>")).toBe(0);
    expect(tokenizer.idOf("<s>")).toBeUndefined();
  });
});
