/** Hidden states to one vector a text, impacts to a short list. */
import { LightedgeError } from "../../shared/errors.ts";
import { roundToHalf } from "../../shared/math/float16.ts";
import type { Pooling } from "../model/description.ts";
import type { SparseVector } from "./encoder.ts";
import type { Output } from "./outputs.ts";

/** Hidden states of a batch, `[batch, sequence, dimension]`, padded to one length. */
export interface HiddenStates {
  readonly data: Output;
  readonly sequence: number;
  readonly dimension: number;
}

/** How hidden states become a vector. */
export interface PoolingRules {
  readonly pooling: Pooling;
  /** Leading numbers that are kept: at most `dimension`. */
  readonly kept: number;
  /** Whether what is kept is brought to length 1. */
  readonly unit: boolean;
}

/** The vector of one row of a batch, whose first `length` positions are the text. Rounded to halves. */
export function poolDense(
  { data, sequence, dimension }: HiddenStates,
  row: number,
  length: number,
  { pooling, kept, unit }: PoolingRules,
): Float32Array<ArrayBuffer> {
  const sum = new Float64Array(kept);
  const [first, end] = pooling === "mean" ? [0, length] : pooling === "cls" ? [0, 1] : [length - 1, length];
  for (let position = first; position < end; position++) {
    const at = (row * sequence + position) * dimension;
    const state = data.floats(at, at + kept);
    for (let j = 0; j < kept; j++) sum[j]! += state[j]!;
  }
  let squares = 0;
  for (const value of sum) squares += value * value;
  if (!Number.isFinite(squares)) throw notFinite("dense", "vector");
  const divisor = unit ? Math.sqrt(squares) : end - first;
  return Float32Array.from(sum, (value) => (divisor > 0 ? roundToHalf(value / divisor) : 0));
}

/** The greatest impacts of one row of `[batch, vocabulary]`, at most `topK`, ties to the lower id. Rounded to halves. */
export function topImpacts(
  data: Output,
  row: number,
  vocabulary: number,
  topK: number,
  dropped: ReadonlySet<number>,
): SparseVector {
  const values = data.floats(row * vocabulary, (row + 1) * vocabulary);
  const found: (readonly [number, number])[] = [];
  for (let id = 0; id < vocabulary; id++) {
    const value = values[id]!;
    if (!Number.isFinite(value)) throw notFinite("sparse", "impact");
    if (value > 0 && !dropped.has(id)) found.push([id, value]);
  }
  found.sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  const kept = found
    .slice(0, topK)
    .map(([id, value]) => [id, roundToHalf(value)] as const)
    .filter(([, value]) => value > 0)
    .sort((a, b) => a[0] - b[0]);
  return { ids: Uint32Array.from(kept, ([id]) => id), values: Float32Array.from(kept, ([, value]) => value) };
}

function notFinite(field: "dense" | "sparse", what: string): LightedgeError {
  return new LightedgeError(
    "model/invalid",
    `The model's ${field} output gave a text ${what === "impact" ? "an impact" : "a vector"} that is not finite. In half precision some models pass 65,504; export the graph in single or 8-bit precision.`,
    { field },
  );
}
