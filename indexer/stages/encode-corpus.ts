/** Collection to encodings: documents cut into chunks, tokenized, and run through the full encoder. */

import { LightedgeError } from "../../shared/errors.ts";
import { chunkDocument } from "../../shared/segment/chunk.ts";
import { type Bag, bagOf, maxPool } from "../../shared/segment/impacts.ts";
import { termIds } from "../../shared/segment/terms.ts";
import type { Tokenizer } from "../../shared/tokenizer/tokenizer.ts";
import type { Passage } from "../../shared/types.ts";
import type { Rotation } from "../compress/rotate.ts";
import type { Encoder, SparseVector } from "../encode/encoder.ts";
import { usableSentences } from "../fit/spans.ts";
import type { Progress } from "../progress.ts";
import type { Collection } from "./collect.ts";

/** One document of the corpus, without its text. */
export interface CorpusDocument {
  /** Number of its first chunk in the corpus. */
  readonly firstChunk: number;
  /** Its chunks in order: at least one. */
  readonly passages: readonly Passage[];
  /** Tokens of title and text. */
  readonly bag: Bag;
  /** Greatest learned impact of each token over its chunks, where the model has any. */
  readonly learned: SparseVector | null;
}

/** A collection, encoded. */
export interface Corpus {
  readonly documents: readonly CorpusDocument[];
  readonly chunks: number;
  /** Rotated unit vector of a chunk: a view of `dimension` values. */
  vector(chunk: number): Float32Array;
  /** Token ids of what was encoded for a chunk. */
  tokens(chunk: number): readonly number[];
  /** Sentences that can give spans, over all documents. */
  readonly sentences: number;
}

/** What encoding a collection needs. */
export interface CorpusOptions {
  readonly encoder: Encoder;
  readonly tokenizer: Tokenizer;
  readonly rotation: Rotation;
  readonly task: string;
  /** Tokens of a chunk, what the encoder adds left out. */
  readonly maxTokens: number;
  readonly overlapTokens: number;
}

/** Chunks encoded at a time: enough to sort by length, few enough to resume soon after a stop. */
const SLICE = 1024;

/** Encodes a collection. Memory: vectors and tokens of all chunks, text of one slice. */
export async function encodeCorpus(
  collection: Collection,
  options: CorpusOptions,
  progress: Progress,
): Promise<Corpus> {
  const { tokenizer, rotation } = options;
  const stage = progress.stage("encode documents", collection.ids.length);
  const documents: CorpusDocument[] = [];
  const vectors: Float32Array[] = [];
  const tokens: (readonly number[])[] = [];
  let sentences = 0;
  let waiting: Prepared[] = [];
  let waitingChunks = 0;
  const flush = async (): Promise<void> => {
    const slice = await encodeSlice(waiting, options);
    for (const { dense, document } of slice) {
      documents.push(document);
      vectors.push(...dense);
    }
    stage.advance(waiting.length);
    waiting = [];
    waitingChunks = 0;
  };
  for (let number = 0; number < collection.ids.length; number++) {
    const source = await collection.read(number);
    const title = textOf(source.fields.title);
    const text = textOf(source.fields.text);
    sentences += usableSentences(text).length;
    const chunks = chunkDocument(source, {
      countTokens: (piece) => tokenizer.ids(piece).length,
      maxTokens: options.maxTokens,
      overlapTokens: options.overlapTokens,
    });
    const firstChunk = tokens.length;
    for (const chunk of chunks) tokens.push(tokenizer.ids(chunk.text, options.maxTokens));
    const bag = bagOf(termIds(tokenizer, `${title} ${text}`.trim()));
    const passages = chunks.map(({ start, end, heading, anchor }) => ({
      start,
      end,
      ...(heading === undefined ? {} : { heading }),
      ...(anchor === undefined ? {} : { anchor }),
    }));
    waiting.push({ firstChunk, passages, bag, texts: chunks.map((chunk) => chunk.text) });
    waitingChunks += chunks.length;
    if (waitingChunks >= SLICE) await flush();
  }
  if (waiting.length > 0) await flush();
  for (const vector of vectors) rotation.apply(vector, 0);
  stage.done(`${tokens.length} chunks on ${options.encoder.provider}`);
  return {
    documents,
    chunks: tokens.length,
    vector: (chunk) => vectors[chunk]!,
    tokens: (chunk) => tokens[chunk]!,
    sentences,
  };
}

/** The text of a field, empty where there is none. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

interface Prepared {
  readonly firstChunk: number;
  readonly passages: readonly Passage[];
  readonly bag: Bag;
  readonly texts: readonly string[];
}

async function encodeSlice(
  slice: readonly Prepared[],
  { encoder, task }: CorpusOptions,
): Promise<readonly { readonly document: CorpusDocument; readonly dense: readonly Float32Array[] }[]> {
  const sparse = encoder.model.description.sparse !== null;
  const texts = slice.flatMap((prepared) => prepared.texts);
  const encodings = await encoder.encode(texts, { role: "document", task, dense: true, sparse });
  let at = 0;
  return slice.map(({ firstChunk, passages, bag, texts: own }) => {
    const mine = encodings.slice(at, at + own.length);
    at += own.length;
    const dense = mine.map((encoding) => encoding.dense ?? missing("a dense"));
    const learned = sparse ? maxPool(mine.map((encoding) => encoding.sparse ?? missing("a sparse"))) : null;
    return { document: { firstChunk, passages, bag, learned }, dense };
  });
}

function missing(what: string): never {
  throw new LightedgeError("internal", `The encoder left out ${what} vector.`);
}
