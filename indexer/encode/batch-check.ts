/**
 * Whether a text's encoding depends on what else is in its batch. Dynamic int8 graphs scale
 * a whole activation tensor at once, so they do; then a cache by content would serve
 * vectors that a fresh run does not give, and no build could be repeated.
 */
import { LightedgeError } from "../../shared/errors.ts";
import type { Encoder, SparseVector, Wanted } from "./encoder.ts";

/**
 * The greatest difference of a value of a unit vector, or of an impact, that passes. Weight-only 8-bit graphs
 * give 0 (the embedded model, after rounding to halves); a small decoder in dynamic int8 gives
 * 0.0048. Between them little else has been measured.
 */
export const BATCH_TOLERANCE = 2e-3;

const TEXTS = [
  "wing",
  "how do vaccines work",
  "The first Nobel Prize in Physics was awarded in 1901 to Wilhelm Conrad Röntgen, of Germany.",
  "def open_file(path):\n    return open(path, encoding='utf-8')",
  "Zürich 北京 Москва 42",
  "a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a",
  "Which experiments showed that the boundary layer separates earlier on a heated wing, and at what speed?",
  "!",
] as const;

/** The greatest difference between a text alone and the same text in a mixed batch, of a value of its vector or of an impact. */
export async function batchDifference(encoder: Encoder): Promise<number> {
  const { tasks, sparse } = encoder.model.description;
  const wanted: Wanted = {
    role: "document",
    task: Object.keys(tasks)[0]!,
    dense: true,
    sparse: sparse !== null,
  };
  const together = await encoder.encode(TEXTS, wanted);
  let greatest = 0;
  for (const [at, text] of TEXTS.entries()) {
    const [alone] = await encoder.encode([text], wanted);
    const mixed = together[at]!;
    alone!.dense?.forEach((value, j) => {
      greatest = Math.max(greatest, Math.abs(value - mixed.dense![j]!));
    });
    if (sparse !== null)
      greatest = Math.max(greatest, impactDifference(alone!.sparse!, mixed.sparse!, sparse.top_k));
  }
  return greatest;
}

/** The greatest difference of an impact, above 1 in proportion to it: so do halves round. */
function impactDifference(a: SparseVector, b: SparseVector, topK: number): number {
  const [left, right] = [impactsById(a), impactsById(b)];
  const [leastA, leastB] = [a, b].map(({ values }) => (values.length < topK ? 0 : Math.min(...values)));
  let greatest = 0;
  for (const id of new Set([...a.ids, ...b.ids])) {
    // What a full list leaves out may be as great as its least.
    const x = left.get(id) ?? Math.min(leastA!, right.get(id)!);
    const y = right.get(id) ?? Math.min(leastB!, x);
    greatest = Math.max(greatest, Math.abs(x - y) / Math.max(1, x, y));
  }
  return greatest;
}

function impactsById({ ids, values }: SparseVector): ReadonlyMap<number, number> {
  return new Map(Array.from(ids, (id, at) => [id, values[at]!]));
}

/**
 * Throws `model/batch-dependent` for an encoder whose encodings change with the batch, unless
 * forced; then resolves to a warning. Resolves to null for one that passes. Cost: 9 runs.
 */
export async function checkBatchInvariance(encoder: Encoder, forced: boolean): Promise<string | null> {
  const difference = await batchDifference(encoder);
  if (difference <= BATCH_TOLERANCE) return null;
  const message = `The encodings of ${encoder.model.description.name} change by up to ${difference.toPrecision(2)} with what else is in the batch (at most ${BATCH_TOLERANCE} is allowed). Dynamic int8 graphs do; use weight-only quantisation.`;
  if (forced) return `${message} Cached and fresh encodings will differ, as --force accepts.`;
  throw new LightedgeError("model/batch-dependent", `${message} --force goes on all the same.`, {
    field: "model",
    value: difference.toPrecision(2),
    limit: BATCH_TOLERANCE,
  });
}
