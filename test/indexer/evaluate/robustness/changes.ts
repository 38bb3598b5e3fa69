/** A text changed without chance. */
import type { Change } from "../../../../indexer/evaluate/robustness/variants.ts";
import { Random } from "../../../../indexer/random.ts";

/** What a change makes of a text, by a fixed draw. */
export function applied(change: Change | undefined, text: string, seed = 1): ReturnType<Change> {
  if (change === undefined) throw new Error("There is no such change.");
  return change(text, new Random(seed));
}
