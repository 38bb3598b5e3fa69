/** Corpus to query table: spans drawn and encoded, rows fitted to them, rows compressed. */
import { LightedgeError } from "../../shared/errors.ts";
import type { Sha256 } from "../../shared/hash.ts";
import type { RowBits } from "../../shared/kernels/kernels.ts";
import type { Tokenizer } from "../../shared/tokenizer/tokenizer.ts";
import { type CompressedTable, compressTable, inMemory } from "../compress/compress-table.ts";
import type { Rotation } from "../compress/rotate.ts";
import type { Encoder } from "../encode/encoder.ts";
import { choosePhrases } from "../fit/choose-phrases.ts";
import { type FitTexts, fitTable } from "../fit/fit-table.ts";
import { keywordsOf } from "../fit/keywords.ts";
import { SPAN_PLAN, type SpanPlan, spansOf } from "../fit/spans.ts";
import type { Progress } from "../progress.ts";
import type { Collection } from "./collect.ts";
import { type Corpus, textOf } from "./encode-corpus.ts";

/** What a table for one task needs. */
export interface TableOptions {
  readonly task: string;
  readonly queryPrompt: string;
  readonly encoder: Encoder;
  readonly tokenizer: Tokenizer;
  readonly tokenizerSha256: Sha256;
  readonly rotation: Rotation;
  readonly bits: RowBits;
  /** vocabulary x dimension in the rotated space; zeros where the model ships no prior. */
  readonly prior: Float32Array;
  /** Sparse weight of each token id, at least 0. */
  readonly weights: Float64Array;
  readonly spans?: SpanPlan;
}

/** A compressed table with the figures of its fit. */
export interface BuiltTable extends CompressedTable {
  readonly figures: Readonly<Record<string, number>>;
}

/** Texts encoded at a time. */
const SLICE = 4096;

/** Fits and compresses the table of one task. */
export async function buildTable(
  collection: Collection,
  corpus: Corpus,
  options: TableOptions,
  progress: Progress,
): Promise<BuiltTable> {
  const texts = await drawTexts(collection, corpus, options);
  const phrases = choosePhrases(corpus, options.weights.length);
  const fitTexts = { ...(await encodeTexts(texts, options, progress)), phrases };
  const stage = progress.stage("fit query table", 1);
  let done = 0;
  const table = await fitTable(fitTexts, options.prior, options.rotation.dimension, undefined, (share) => {
    stage.advance(share - done);
    done = share;
  });
  stage.done(`${texts.length} texts, residual ${table.figures.residual?.toFixed(3)}`);
  const compressed = await compressTable(inMemory(table), {
    encoder: options.encoder.model.encoderHash,
    tokenizer: options.tokenizerSha256,
    task: options.task,
    queryPrompt: options.queryPrompt,
    bits: options.bits,
    uses: tokenUses(corpus, options.weights.length),
    weights: options.weights,
  });
  return { ...compressed, figures: table.figures };
}

/** The spans and keyword texts of every document; a collection of nothing but empty documents gives none. */
export async function drawTexts(
  collection: Collection,
  corpus: Corpus,
  options: Pick<TableOptions, "tokenizer" | "weights" | "spans">,
): Promise<string[]> {
  const counts = { documents: collection.ids.length, sentences: corpus.sentences };
  const texts: string[] = [];
  const weigh = wordWeights(options);
  for (const [number, id] of collection.ids.entries()) {
    const { fields } = await collection.read(number);
    const [title, text, seed] = [textOf(fields.title), textOf(fields.text), seedOf(id)];
    texts.push(...spansOf(title, text, seed, counts, options.spans ?? SPAN_PLAN));
    texts.push(...keywordsOf(`${title} ${text}`, seed, counts.documents, weigh));
  }
  return texts;
}

/** How telling a word is: the greatest weight among its tokens. Words recur, so each is tokenized once. */
function wordWeights({
  tokenizer,
  weights,
}: Pick<TableOptions, "tokenizer" | "weights">): (word: string) => number {
  const known = new Map<string, number>();
  return (word) => {
    const seen = known.get(word);
    if (seen !== undefined) return seen;
    const weight = tokenizer.ids(word).reduce((most, id) => Math.max(most, weights[id] ?? 0), 0);
    known.set(word, weight);
    return weight;
  };
}

/** 32 bits of an id: FNV-1a over its UTF-16 units. */
function seedOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Texts as the fit takes them, encoded as queries of a task. */
export async function encodeTexts(
  texts: readonly string[],
  options: Pick<TableOptions, "encoder" | "rotation" | "tokenizer" | "task">,
  progress: Progress,
): Promise<Omit<FitTexts, "phrases">> {
  const { encoder, rotation, tokenizer, task } = options;
  const { dimension } = rotation;
  const targets = new Float32Array(new SharedArrayBuffer(4 * texts.length * dimension));
  const stage = progress.stage("encode spans", texts.length);
  for (let first = 0; first < texts.length; first += SLICE) {
    const slice = texts.slice(first, first + SLICE);
    const encodings = await encoder.encode(slice, { role: "query", task, dense: true, sparse: false });
    encodings.forEach(({ dense }, at) => {
      if (dense === null) throw new LightedgeError("internal", "The encoder left out a dense vector.");
      targets.set(dense, (first + at) * dimension);
      rotation.apply(targets, (first + at) * dimension);
    });
    stage.advance(slice.length);
  }
  stage.done(`${texts.length} texts`);
  return { tokens: texts.map((text) => tokenizer.ids(text)), targets };
}

/** How often each token occurs in the chunks: the order of rows, so that the head of the file is what queries need. */
function tokenUses(corpus: Corpus, vocabulary: number): Uint32Array {
  const counts = new Uint32Array(vocabulary);
  for (let chunk = 0; chunk < corpus.chunks; chunk++) for (const id of corpus.tokens(chunk)) counts[id]!++;
  return counts;
}
