/** A document encoder without a network: the same few numbers for the same text on every machine. */
import { createHash } from "node:crypto";
import type { RowGraph } from "../../indexer/cached/row-graph.ts";
import type { Encoder, Encoding, SparseVector } from "../../indexer/encode/encoder.ts";
import type { QueryTable } from "../../indexer/model/description.ts";
import type { Model } from "../../indexer/model/model.ts";
import { Random } from "../../indexer/random.ts";
import type { Sha256 } from "../../shared/hash.ts";
import { roundToHalf } from "../../shared/math/float16.ts";
import { loadTokenizer } from "../../shared/tokenizer/load.ts";
import type { Tokenizer, WordPieceFile } from "../../shared/tokenizer/tokenizer.ts";

/** Words by what they are about: words of a topic have vectors that are alike. */
export const TOPICS: readonly (readonly string[])[] = [
  "river lake sea water stream flood bridge boat harbour island coast tide wave fish sailor anchor".split(
    " ",
  ),
  "music song opera piano violin melody concert singer chorus rhythm drum guitar stage album tune band".split(
    " ",
  ),
  "city street house market tower palace garden square station museum theatre church school office".split(
    " ",
  ),
  "star planet moon comet orbit galaxy telescope rocket satellite gravity light eclipse sun sky".split(" "),
  "bread cheese wine apple soup salt pepper kitchen oven recipe dinner butter honey rice tea".split(" "),
  "king queen war army treaty empire battle crown soldier castle knight revolt throne siege".split(" "),
  "doctor fever cell virus heart blood nerve vaccine hospital bone lung muscle patient nurse".split(" "),
  "engine wheel steam train motor gear valve piston brake track coal fuel pump cable".split(" "),
  "law court judge jury crime trial prison statute appeal lawyer witness verdict".split(" "),
  "tree leaf root flower seed forest moss fern bark branch meadow soil rain wind".split(" "),
];
const COMMON = "the a of in and to is was for with on by from that it he she they at as".split(" ");
const SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"];
const LETTERS = [..."abcdefghijklmnopqrstuvwxyz0123456789"];
const MARKS = [...".,;:!?'\"()-/&_"];
const SUFFIXES = ["##s", "##ed", "##ing", "##er", "##ly"];

const VOCABULARY = [
  ...new Set([
    ...SPECIAL,
    ...MARKS,
    ...LETTERS,
    ...LETTERS.map((letter) => `##${letter}`),
    ...SUFFIXES,
    ...COMMON,
    ...TOPICS.flat(),
    ..."北京東海",
    "café",
    "cafe",
  ]),
];

/** Its tokenizer as a file: WordPiece over about 300 tokens, lower-casing, accents stripped. */
export const TINY_TOKENIZER: WordPieceFile = {
  kind: "wordpiece",
  vocabulary: VOCABULARY.join("\n"),
  unknown: "[UNK]",
  prefix: "##",
  lowercase: true,
  stripAccents: true,
  cleanText: true,
  splitCjk: true,
  maxWordChars: 100,
  added: SPECIAL,
};

/** Numbers of a vector: below 128, so that every stored row has padding, and no power of two times a block of 128. */
const DIMENSION = 48;
/** Tokens of a chunk: few, so that a few sentences make several passages. */
const MAX_TOKENS = 24;
/** How much a token's place in its text moves its vector: what no table can express. */
const ORDER_NOISE = 0.15;
const TOPIC_SHARE = 0.6;

/** What may differ from one tiny encoder to the next. */
export interface TinyOptions {
  /** Whether it gives learned impacts; true when absent. */
  readonly sparse?: boolean;
  readonly tasks?: Model["description"]["tasks"];
  /** Tokens of a query that count; as many as a request may have when absent. */
  readonly maxQueryTokens?: number;
  readonly queryTable?: QueryTable;
}

/** An encoder whose vectors are nearly, but not quite, sums of one vector per token. */
export function tinyEncoder(options: TinyOptions = {}): Encoder & { readonly encoded: string[] } {
  const tokenizer = loadTokenizer(TINY_TOKENIZER);
  const model = tinyModel(options);
  const encoded: string[] = [];
  return {
    model,
    encoded,
    provider: "tiny",
    async encode(texts, wanted, onProgress = () => {}) {
      encoded.push(...texts);
      onProgress(texts.length);
      return texts.map((text): Encoding => {
        const ids = tokenizer.ids(text, MAX_TOKENS);
        return {
          dense: wanted.dense ? denseVector(ids) : null,
          sparse: wanted.sparse ? sparseVector(ids, tokenizer) : null,
        };
      });
    },
    openRows: async () => tinyRows(),
    async close() {},
  };
}

/** Its own query table: a token's part in the vectors of texts. */
export function tinyRows(): RowGraph {
  return {
    provider: "tiny",
    pass: async (ids) => ({
      data: Float32Array.from(ids.flatMap((id) => [...VECTORS[id]!])),
      first: 0,
      stride: DIMENSION,
    }),
    async close() {},
  };
}

function tinyModel({ sparse = true, tasks, maxQueryTokens, queryTable = "fitted" }: TinyOptions): Model {
  const description: Model["description"] = {
    format: 1,
    name: "tiny",
    licence: "Apache-2.0",
    source: "test",
    tokenizer: { file: "tokenizer.json", lowercase: true },
    vocabulary: VOCABULARY.length,
    dimension: DIMENSION,
    max_tokens: MAX_TOKENS,
    special_tokens: { bos: null, eos: null, pad: "[PAD]" },
    graphs: [],
    pooling: "mean",
    unit_length: true,
    tasks: tasks ?? { search: { query_prompt: "", document_prompt: "" } },
    sparse: sparse ? { mask: ["special"], top_k: 64 } : null,
    prior: null,
    ...(queryTable === "fitted" ? {} : { query_table: queryTable }),
    ...(maxQueryTokens === undefined ? {} : { max_query_tokens: maxQueryTokens }),
  };
  const digest = createHash("sha256").update(JSON.stringify(description)).digest("hex");
  return {
    folder: "",
    description,
    files: [],
    encoderHash: digest as Sha256,
    tokenizer: TINY_TOKENIZER,
    special: { bos: null, eos: null, pad: 0 },
    dimension: DIMENSION,
    queryTable,
    promptTokens: () => [],
    maxTextTokens: () => MAX_TOKENS,
  };
}

function gaussian(seed: number): Float64Array {
  const random = new Random(seed);
  return Float64Array.from({ length: DIMENSION }, () => {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += random.bits() / 2 ** 32;
    return sum;
  });
}

/** The number of the topic of a token, -1 for none. */
function topicOf(id: number): number {
  return TOPICS.findIndex((words) => words.includes(VOCABULARY[id]!));
}

const VECTORS = VOCABULARY.map((_, id) => {
  const own = gaussian(1000 + id);
  const topic = topicOf(id);
  if (topic < 0) return own.map((value) => value * 0.4);
  const shared = gaussian(10 + topic);
  return own.map((value, j) => value * (1 - TOPIC_SHARE) + shared[j]! * TOPIC_SHARE);
});

function denseVector(ids: readonly number[]): Float32Array<ArrayBuffer> {
  const sum = new Float64Array(DIMENSION);
  ids.forEach((id, at) => {
    const noise = gaussian(id * 31 + at);
    VECTORS[id]!.forEach((value, j) => {
      sum[j]! += value + ORDER_NOISE * noise[j]!;
    });
  });
  const norm = Math.hypot(...sum);
  return Float32Array.from(sum, (value) => (norm > 0 ? roundToHalf(value / norm) : 0));
}

/** Every token of the text, and for each word of a topic the next word of that topic. */
function sparseVector(ids: readonly number[], tokenizer: Tokenizer): SparseVector {
  const values = new Map<number, number>();
  const raise = (id: number, value: number) => values.set(id, Math.max(values.get(id) ?? 0, value));
  for (const id of ids) {
    raise(id, 1 + (id % 7) / 8);
    const words = TOPICS[topicOf(id)] ?? [];
    const next = words[(words.indexOf(VOCABULARY[id]!) + 1) % words.length];
    const expanded = next === undefined ? undefined : tokenizer.idOf(next);
    if (expanded !== undefined) raise(expanded, 0.4);
  }
  const entries = [...values].sort(([a], [b]) => a - b);
  return {
    ids: Uint32Array.from(entries, ([id]) => id),
    values: Float32Array.from(entries, ([, value]) => roundToHalf(value)),
  };
}
