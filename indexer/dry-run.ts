/**
 * What a run would do, without doing it: the run is planned and its texts are drawn by the stages that a real
 * one uses; nothing is written. Counts of documents, chunks and texts are exact; bytes and seconds are
 * estimates, and say so.
 */
import { paddedDimension } from "../shared/segment/segment.ts";
import { type BuildOptions, factsOf, type PlanFacts, type PreparedRun, withRun } from "./build.ts";
import { mostTableBytes } from "./compress/table-size.ts";
import type { Encoder } from "./encode/encoder.ts";
import type { MissingText, SurveyEncoder } from "./encode/survey.ts";
import { encodeTextsOf } from "./encode-part.ts";
import type { Progress } from "./progress.ts";
import type { Corpus } from "./stages/encode-corpus.ts";

/** A run that was not done. */
export interface DryRun {
  readonly plan: PlanFacts;
  /** Documents that would be made, and their chunks. */
  readonly documents: number;
  readonly chunks: number;
  /** Texts that would be encoded, and those that the cache has. */
  readonly encode: number;
  readonly cached: number;
  /** About how many bytes would be written, and about how many seconds it would take on this machine. */
  readonly bytes: number;
  readonly seconds: number;
}

/** What a dry run needs beside a build's options. */
export interface DryRunPorts {
  /** Encodes a sample of what is missing, to see how long that takes; what it encodes is not wasted if it remembers. */
  readonly sampler: Encoder;
  /** Milliseconds from any fixed point. */
  readonly clock?: () => number;
}

/** Texts encoded to see how long that takes. */
const SAMPLE = 16;
/** Milliseconds of fitting for each text and dimension, of two cores at 2.5 GHz; of other work for each document. */
const FIT_MS = 0.0013;
const DOCUMENT_MS = 0.5;
/** Share of a text that is left of it once deflated, and postings of learned impacts for each chunk, as measured on SciFact. */
const DEFLATED = 0.45;
const LEARNED_POSTINGS = 60;
/** Bytes of a chunk beside its vector, of a posting, and of all that is small: manifest, lexicon, heads. */
const CHUNK_BYTES = 40;
const POSTING_BYTES = 3;
const SMALL_BYTES = 150_000;

/** Plans a run and counts what it would cost. Throws what `buildIndex` does before it writes. */
export function dryRun(
  options: BuildOptions & { readonly encoder: SurveyEncoder },
  { sampler, clock = () => performance.now() }: DryRunPorts,
  progress: Progress,
): Promise<DryRun> {
  return withRun(options, progress, async (run) => {
    const { encoder } = options;
    const plan = factsOf(run.plan);
    if (run.plan.kind === "none")
      return { plan, documents: 0, chunks: 0, encode: 0, cached: 0, bytes: 0, seconds: 0 };
    const corpus = await encodeTextsOf(run, options, progress);
    const known = encoder.known;
    const encoding = await secondsOf(encoder.missing, sampler, clock);
    const { dimension } = encoder.model;
    const fitting = run.plan.kind === "all" ? (encoder.missing.length + known) * dimension * FIT_MS : 0;
    return {
      plan,
      documents: corpus.documents.length,
      chunks: corpus.chunks,
      encode: encoder.missing.length,
      cached: known,
      bytes: await bytesOf(run, corpus, options),
      seconds: Math.ceil(encoding + (fitting + run.collection.ids.length * DOCUMENT_MS) / 1000),
    };
  });
}

/** From the time of a few texts, by length: what an encoder does is about linear in it. */
async function secondsOf(
  missing: readonly MissingText[],
  sampler: Encoder,
  clock: () => number,
): Promise<number> {
  const step = Math.max(1, Math.floor(missing.length / SAMPLE));
  const sample = missing.filter((_, at) => at % step === 0).slice(0, SAMPLE);
  const units = (texts: readonly MissingText[]) => texts.reduce((sum, { text }) => sum + text.length + 20, 0);
  if (sample.length === 0) return 0;
  const started = clock();
  for (const { text, wanted } of sample) await sampler.encode([text], wanted);
  return ((clock() - started) / 1000) * (units(missing) / units(sample));
}

async function bytesOf(
  { base, collection, plan, tasks }: PreparedRun,
  corpus: Corpus,
  { encoder, bits, tableBytes }: BuildOptions,
): Promise<number> {
  const { dimension, vocabulary } = encoder.model.description;
  const padded = paddedDimension(dimension);
  const all = base === null || plan.kind === "all";
  const numbers = all ? Array.from(collection.ids.keys()) : plan.fresh;
  let texts = 0;
  for (const number of numbers) {
    const { fields } = await collection.read(number);
    texts += Buffer.byteLength(JSON.stringify(fields));
  }
  const postings = corpus.documents.reduce((sum, { bag }) => sum + bag.ids.length, 0);
  const learned = encoder.model.description.sparse === null ? 0 : corpus.chunks * LEARNED_POSTINGS;
  const shards = corpus.chunks * (padded / 8 + padded + CHUNK_BYTES) + (postings + learned) * POSTING_BYTES;
  const merged = (base?.shards ?? []).reduce(
    (sum, { shard, documents }, at) =>
      sum + (plan.shards[at]?.fate === "merge" ? shard.bytes + documents.bytes : 0),
    0,
  );
  const table = mostTableBytes({ vocabulary, pairs: 0, padded, bits, tableBytes });
  const tables = all ? tasks.length * table : 0;
  return Math.round(shards + texts * DEFLATED + merged + tables + SMALL_BYTES);
}
