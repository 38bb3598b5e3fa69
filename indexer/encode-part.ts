/**
 * One part of the encoding that a run would do. The run is planned and its texts are drawn by the same
 * stages, with an encoder that does its part and gives zeros; nothing is fitted and no version published.
 */
import { statisticsOf } from "../shared/segment/impacts.ts";
import { type BuildOptions, factsOf, type PlanFacts, type PreparedRun, withRun } from "./build.ts";
import type { PartCounts, PartEncoder } from "./encode/part.ts";
import type { Progress } from "./progress.ts";
import { taskRows } from "./stages/cached-tables.ts";
import { drawQuestions, encodeRests } from "./stages/choose-weight.ts";
import { someOf } from "./stages/collect.ts";
import { type Corpus, encodeCorpus } from "./stages/encode-corpus.ts";
import { drawTexts, encodeTexts } from "./stages/fit-tables.ts";
import { prepareTools } from "./stages/tools.ts";

/** What a part did, and the plan of the run that it was part of. */
export interface PartReport extends PartCounts {
  readonly plan: PlanFacts;
  /** Rows of the model's own query tables that were made; absent for models whose tables are fitted. */
  readonly rows?: number;
}

/**
 * Encodes a part of what `buildIndex` would with these options, into the store. Which texts that are
 * depends on the source, the current version and the settings: the run that publishes must have the same.
 * Throws what `buildIndex` does before it writes anything.
 */
export function encodePart(
  options: BuildOptions & { readonly encoder: PartEncoder },
  progress: Progress,
): Promise<PartReport> {
  const { encoder } = options;
  const before = { ...encoder.counts };
  return withRun(options, progress, async (run) => {
    await encodeTextsOf(run, options, progress);
    await encoder.finish();
    const report = { plan: factsOf(run.plan), ...since(before, encoder.counts) };
    if (encoder.model.queryTable === "fitted") return report;
    return { ...report, rows: await makeRowsOf(run, options, progress) };
  });
}

/** The part's rows of the tables that the run would make, into the store: how many were made. */
async function makeRowsOf(
  { base, tasks, plan }: PreparedRun,
  options: BuildOptions & { readonly encoder: PartEncoder },
  progress: Progress,
): Promise<number> {
  if (base !== null && plan.kind !== "all") return 0;
  const tools = await prepareTools(options.encoder, tasks[0]);
  let made = 0;
  for (const task of tasks) {
    const { counts } = await taskRows(tools, task, options.encoder.part, options, progress);
    made += counts.rows;
  }
  return made;
}

/** Has the encoder of these options encode every text that a planned run would, and makes nothing of it but the corpus. */
export async function encodeTextsOf(
  { base, collection, tasks, plan }: PreparedRun,
  { encoder, overlapTokens, spans, weight }: BuildOptions,
  progress: Progress,
): Promise<Corpus> {
  const tools = await prepareTools(encoder, tasks[0]);
  const all = base === null || plan.kind === "all";
  const documents = all ? collection : someOf(collection, plan.fresh);
  const corpus = await encodeCorpus(documents, { ...tools, overlapTokens }, progress);
  if (!all) return corpus;
  const bags = corpus.documents.map(({ bag }) => bag);
  const weights = statisticsOf(bags, encoder.model.description.vocabulary).idf;
  const drawing = { ...tools, weights, ...(spans === undefined ? {} : { spans }) };
  if (encoder.model.queryTable === "fitted") {
    const texts = await drawTexts(collection, corpus, drawing);
    for (const task of tasks) await encodeTexts(texts, { ...tools, task }, progress);
  }
  if (weight === undefined) await encodeRests((await drawQuestions(collection, corpus)).questions, tools);
  return corpus;
}

function since(before: PartCounts, after: PartCounts): PartCounts {
  return {
    own: after.own - before.own,
    encoded: after.encoded - before.encoded,
    copied: after.copied - before.copied,
    packs: after.packs - before.packs,
    bytes: after.bytes - before.bytes,
  };
}
