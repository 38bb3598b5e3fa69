/** What documents become numbers with. Two versions with one recipe can share documents. */
import { FORMAT_VERSION } from "../../shared/format/head.ts";
import { type Sha256, sha256OfJson } from "../../shared/hash.ts";
import type { SpanPlan } from "../fit/spans.ts";
import type { Model } from "../model/model.ts";
import { rulesOf } from "../stages/query-rules.ts";

/**
 * One more whenever code changes what the same document, model and settings become: chunks, tokens,
 * impacts, vectors or the fit. Every index is then made anew by its next run.
 */
const PIPELINE = 1;

/** Settings of a run that its documents' numbers or its tables depend on. */
export interface RecipeOptions {
  readonly tasks: readonly string[];
  readonly bits: number;
  readonly tableBytes?: number | undefined;
  readonly overlapTokens: number;
  readonly spans?: SpanPlan | undefined;
}

/** Digest of a model with settings. Share of the dense side, sizes of shards and names are not in it: they change no document. */
export function recipeOf(
  model: Model,
  { tasks, bits, tableBytes, overlapTokens, spans }: RecipeOptions,
): Promise<Sha256> {
  const { description, encoderHash, tokenizer } = model;
  const { mix, sparse } = rulesOf(model);
  return sha256OfJson({
    pipeline: PIPELINE,
    format: FORMAT_VERSION,
    encoder: encoderHash,
    description: JSON.parse(JSON.stringify(description)),
    tokenizer: JSON.parse(JSON.stringify(tokenizer)),
    sparse: { small: { ...sparse(false) }, large: { ...sparse(true) } },
    mix,
    tasks,
    bits,
    ...(tableBytes === undefined ? {} : { tableBytes }),
    overlapTokens,
    spans: spans === undefined ? null : { ...spans },
  });
}
