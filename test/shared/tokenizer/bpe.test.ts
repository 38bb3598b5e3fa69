import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseEnvelope } from "../../../shared/format/envelope.ts";
import { readTokenizerFile, writeTokenizerFile } from "../../../shared/format/tokenizer-file.ts";
import { sha256 } from "../../../shared/hash.ts";
import { compactTokenizer, loadTokenizer } from "../../../shared/tokenizer/load.ts";
import type { BpeFile } from "../../../shared/tokenizer/tokenizer.ts";

/** Trained on the shipped example with the Python library 0.23.3, which also gave the ids; strings are of `bench/tokenizers/reference.py`. */
const NAMES = ["llama3", "qwen2", "sentencepiece"] as const;
const read = (name: string) =>
  readFileSync(new URL(`../../fixtures/tokenizers/${name}`, import.meta.url), "utf8");

function compact(json: string): BpeFile {
  const file = compactTokenizer(json, false);
  if (file.kind !== "bpe") throw new Error("The tokenizer is not known as BPE.");
  return file;
}

type Description = {
  readonly model: {
    readonly vocab: Readonly<Record<string, number>>;
    readonly merges: readonly [string, string][];
  };
};

/** Merging as it is defined: all pairs are looked through again after each merge. */
function naiveIds(word: readonly string[], { model }: Description): number[] {
  const ranks = new Map(model.merges.map(([left, right], rank) => [`${left} ${right}`, rank]));
  const symbols = [...word];
  for (;;) {
    let best = -1;
    let lowest = Number.POSITIVE_INFINITY;
    for (let at = 0; at + 1 < symbols.length; at++) {
      const rank = ranks.get(`${symbols[at]} ${symbols[at + 1]}`) ?? Number.POSITIVE_INFINITY;
      if (rank < lowest) [lowest, best] = [rank, at];
    }
    if (best < 0) return symbols.map((symbol) => model.vocab[symbol]!);
    symbols.splice(best, 2, symbols[best]! + symbols[best + 1]!);
  }
}

describe.each(NAMES)("BPE as %s has it", (name) => {
  const json = read(`${name}.json`);
  const file = compact(json);
  const tokenizer = loadTokenizer(file);
  const cases = read(`${name}.jsonl`)
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as readonly [string, readonly number[]]);

  it("gives the ids that the reference library gives, and the same with places", () => {
    expect(cases.length).toBe(800);
    for (const [text, ids] of cases) {
      expect(tokenizer.ids(text), JSON.stringify(text)).toEqual(ids);
      const tokens = tokenizer.tokens(text);
      expect(tokens.map(({ id }) => id)).toEqual(ids);
      for (const { start, end } of tokens) {
        expect(start).toBeLessThan(end);
        expect(end).toBeLessThanOrEqual(text.length);
      }
    }
  });

  it("gives them from its file too", async () => {
    const meta = { encoder: await sha256("an encoder"), lowercase: false };
    const { bytes } = await writeTokenizerFile(meta, file);
    const again = loadTokenizer(readTokenizerFile(parseEnvelope(bytes, "tokenizer")).value);
    for (const [text, ids] of cases) expect(again.ids(text)).toEqual(ids);
  });

  it("merges words of any length as plain looking would", () => {
    const description = JSON.parse(json) as Description;
    const letters = fc.array(fc.constantFrom(..."etaoinshr"), { minLength: 1, maxLength: 150 });
    fc.assert(
      fc.property(letters, (word) => {
        const spelled = file.symbols === "characters" ? ["\u2581", ...word] : word;
        const whole = file.wholeWords ? description.model.vocab[word.join("")] : undefined;
        const expected = whole === undefined ? naiveIds(spelled, description) : [whole];
        expect(tokenizer.ids(word.join(""))).toEqual(expected);
      }),
    );
  });

  it("stops at a limit, and takes half a surrogate pair as damage", () => {
    for (const [text, ids] of cases.slice(0, 100)) expect(tokenizer.ids(text, 3)).toEqual(ids.slice(0, 3));
    expect(tokenizer.ids("a\ud83d b")).toEqual(tokenizer.ids("a\ufffd b"));
  });

  it("refuses parts that are cut, out of order or out of bounds", () => {
    const broken = (
      part: keyof BpeFile["parts"],
      change: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>,
    ) => ({ ...file, parts: { ...file.parts, [part]: change(file.parts[part].slice()) } }) satisfies BpeFile;
    for (const part of ["tokens", "ids", "firsts", "rights", "made"] as const) {
      expect(() => loadTokenizer(broken(part, (bytes) => bytes.slice(0, -4)))).toThrow(/cannot be used/u);
      expect(() => loadTokenizer(broken(part, (bytes) => bytes.fill(0xff)))).toThrow(/cannot be used/u);
    }
    expect(() => loadTokenizer({ ...file, words: "other" })).toThrow(/no known kind/u);
  });

  it("leaves a file with anything that is not known to the library", () => {
    const parsed = JSON.parse(json) as { readonly model: object; readonly added_tokens: readonly object[] };
    const changed = [
      { ...parsed, model: { ...parsed.model, dropout: 0.1 } },
      { ...parsed, model: { ...parsed.model, other: 1 } },
      { ...parsed, normalizer: { type: "NFKC" } },
      { ...parsed, added_tokens: parsed.added_tokens.map((token) => ({ ...token, lstrip: true })) },
    ];
    for (const value of changed) expect(compactTokenizer(JSON.stringify(value), false).kind).toBe("library");
  });
});
