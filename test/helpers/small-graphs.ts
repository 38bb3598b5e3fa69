/** Model folders around the graphs of `test/fixtures/graphs`: 8 tokens that are words, states of 16 numbers. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Encoder } from "../../indexer/encode/encoder.ts";
import { createOnnxEncoder, type OnnxOptions } from "../../indexer/encode/onnx.ts";
import { loadModel } from "../../indexer/model/model.ts";

/** The tokens, by id. */
export const SMALL_WORDS = ["[PAD]", "[UNK]", "find", "river", "sea", "nought", "endless", "moon"];

/** A tokenizer.json whose tokens are these words, by id. */
export function wordTokenizer(words: readonly string[]) {
  return {
    added_tokens: [],
    normalizer: { type: "BertNormalizer", lowercase: true },
    pre_tokenizer: { type: "BertPreTokenizer" },
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      vocab: Object.fromEntries(words.map((word, id) => [word, id])),
    },
  };
}

const TOKENIZER = wordTokenizer(SMALL_WORDS);

/** A description of a graph that gives hidden states alone. */
const DESCRIPTION = {
  format: 1,
  name: "small",
  licence: "Apache-2.0",
  source: "test/fixtures/graphs/make.py",
  tokenizer: { file: "tokenizer.json", lowercase: false },
  vocabulary: SMALL_WORDS.length,
  dimension: 16,
  max_tokens: 12,
  special_tokens: { bos: null, eos: null, pad: "[PAD]" },
  pooling: "mean",
  unit_length: true,
  tasks: { search: { query_prompt: "", document_prompt: "" } },
  sparse: null,
  prior: null,
};
/** What is different of one that gives impacts too. */
export const WITH_IMPACTS = { outputs: "impacts", sparse: { mask: [], top_k: 8 } } as const;

/** A folder around the graph of this name; fields of its description may be others. Removed by `done`. */
export function smallFolder(
  graph: string,
  { outputs, ...changes }: Readonly<Record<string, unknown>> = {},
): { readonly folder: string; done(): void } {
  const folder = mkdtempSync(join(tmpdir(), "lightedge-small-"));
  const file = `${graph}.onnx`;
  copyFileSync(fileURLToPath(new URL(`../fixtures/graphs/${file}`, import.meta.url)), join(folder, file));
  writeFileSync(join(folder, "tokenizer.json"), JSON.stringify(TOKENIZER));
  const graphs = [{ file, dense: "hidden", sparse: outputs ?? null }];
  writeFileSync(join(folder, "model.json"), JSON.stringify({ ...DESCRIPTION, graphs, ...changes }));
  return { folder, done: () => rmSync(folder, { recursive: true }) };
}

/** Does this with an encoder over such a folder, then closes it and removes the folder. */
export async function withSmallEncoder<T>(
  graph: string,
  changes: Readonly<Record<string, unknown>>,
  work: (encoder: Encoder) => Promise<T>,
  options: Partial<OnnxOptions> = {},
): Promise<T> {
  const { folder, done } = smallFolder(graph, changes);
  try {
    const encoder = await createOnnxEncoder(await loadModel(folder), {
      device: "cpu",
      threads: 1,
      ...options,
    });
    try {
      return await work(encoder);
    } finally {
      await encoder.close();
    }
  } finally {
    done();
  }
}
