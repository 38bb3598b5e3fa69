/** Corpus to query table: spans drawn and encoded, rows fitted to them, rows compressed. */

import { LightedgeError } from "../../shared/errors.ts";
import { termIds } from "../../shared/segment/terms.ts";
import { compressTable, inMemory } from "../compress/compress-table.ts";
import { choosePhrases } from "../fit/choose-phrases.ts";
import { type FitTexts, fitTable } from "../fit/fit-table.ts";
import { keywordsOf } from "../fit/keywords.ts";
import { loadPrior } from "../fit/prior.ts";
import { SPAN_PLAN, type SpanPlan, spansOf } from "../fit/spans.ts";
import type { Progress } from "../progress.ts";
import type { Collection } from "./collect.ts";
import { type Corpus, textOf } from "./encode-corpus.ts";
import { type TableSettings, type TableSource, tableFacts } from "./table-source.ts";

/** What fitting needs beside what every table does. */
export interface FitSettings extends TableSettings {
  /** Which texts to draw; `SPAN_PLAN` when absent. */
  readonly spans?: SpanPlan | undefined;
}

/** Texts encoded at a time. */
const SLICE = 4096;

/**
 * Tables fitted to the corpus, from the model's generic prior on. Memory: vectors of all texts, and some vocabulary x
 * dimension numbers. Throws what `loadPrior` does.
 */
export async function fittedTables(
  collection: Collection,
  corpus: Corpus,
  settings: FitSettings,
  progress: Progress,
): Promise<TableSource> {
  const { encoder, weights, rotation } = settings;
  const prior = await loadPrior(encoder.model);
  const texts = await drawTexts(collection, corpus, settings);
  const phrases = choosePhrases(corpus, weights.length);
  return {
    async table(task) {
      const fitTexts = { ...(await encodeTexts(texts, { ...settings, task }, progress)), phrases };
      const stage = progress.stage("fit query table", 1);
      let done = 0;
      const table = await fitTable(fitTexts, prior, rotation.dimension, undefined, (share) => {
        stage.advance(share - done);
        done = share;
      });
      stage.done(`${texts.length} texts, residual ${table.figures.residual?.toFixed(3)}`);
      const compressed = await compressTable(inMemory(table), tableFacts(settings, task, "fitted"));
      return { ...compressed, figures: table.figures };
    },
  };
}

/** The spans and keyword texts of every document; a collection of nothing but empty documents gives none. */
export async function drawTexts(
  collection: Collection,
  corpus: Corpus,
  options: Pick<FitSettings, "tokenizer" | "weights" | "spans">,
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
}: Pick<FitSettings, "tokenizer" | "weights">): (word: string) => number {
  const known = new Map<string, number>();
  return (word) => {
    const seen = known.get(word);
    if (seen !== undefined) return seen;
    const weight = termIds(tokenizer, word).reduce((most, id) => Math.max(most, weights[id] ?? 0), 0);
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
  options: Pick<FitSettings, "encoder" | "rotation" | "tokenizer"> & { readonly task: string },
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
