/**
 * Whether a text's encoding depends on what else is in its batch. Dynamic int8 graphs scale
 * a whole activation tensor at once, so they do; then a cache by content would serve
 * vectors that a fresh run does not give, and no build could be repeated.
 */
import { LightedgeError } from "../../shared/errors.ts";
import type { Encoder, Wanted } from "./encoder.ts";

/**
 * The greatest difference of a value of a unit vector that passes. Weight-only 8-bit graphs
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

/** The greatest difference of a value between a text alone and the same text in a mixed batch. */
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
  }
  return greatest;
}

/**
 * Throws `model/batch-dependent` for an encoder whose vectors change with the batch, unless
 * forced; then resolves to a warning. Resolves to null for one that passes. Cost: 9 runs.
 */
export async function checkBatchInvariance(encoder: Encoder, forced: boolean): Promise<string | null> {
  const difference = await batchDifference(encoder);
  if (difference <= BATCH_TOLERANCE) return null;
  const message = `The vectors of ${encoder.model.description.name} change by up to ${difference.toPrecision(2)} with what else is in the batch (at most ${BATCH_TOLERANCE} is allowed). Dynamic int8 graphs do; use weight-only quantisation.`;
  if (forced) return `${message} Cached and fresh encodings will differ, as --force accepts.`;
  throw new LightedgeError("model/batch-dependent", `${message} --force goes on all the same.`, {
    field: "model",
    value: difference.toPrecision(2),
    limit: BATCH_TOLERANCE,
  });
}
