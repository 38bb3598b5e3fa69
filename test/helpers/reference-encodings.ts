/**
 * Encodings by other means: `test/golden/encoder/make.py` computes them in Python with numpy,
 * tokenizers and onnxruntime, one text at a time, and writes the files that are read here.
 */
import { readFileSync } from "node:fs";
import type { Encoding } from "../../indexer/encode/encoder.ts";
import type { Role } from "../../indexer/model/model.ts";

/** What the reference says of a text. */
export interface ReferenceCase {
  readonly role: Role;
  readonly text: string;
  /** All that the graph is given, special tokens and prompt included. */
  readonly ids: readonly number[];
  /** To 5 digits behind the point. */
  readonly vector: readonly number[];
  /** The greatest impacts with their ids, in descending order, special tokens left out. */
  readonly impacts: readonly (readonly [id: number, value: number])[];
}

/** A file of reference encodings. */
export function readReference(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../golden/encoder/${name}.json`, import.meta.url), "utf8"));
}

/** The cosine of two vectors. */
export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [dot, left, right] = [0, 0, 0];
  for (let j = 0; j < a.length; j++) {
    dot += a[j]! * b[j]!;
    left += a[j]! ** 2;
    right += b[j]! ** 2;
  }
  return dot / Math.sqrt(left * right);
}

/** The length of a vector. */
export function lengthOf(vector: ArrayLike<number>): number {
  return Math.hypot(...Array.from(vector));
}

/**
 * The greatest amount by which impacts differ from the reference's, beyond what rounding to halves
 * does. An impact that is not in the reference's list counts by what it exceeds the list's last.
 */
export function impactDifference({ sparse }: Encoding, { impacts }: ReferenceCase): number {
  const left = new Map(Array.from(sparse!.ids, (id, at) => [id, sparse!.values[at]!]));
  let greatest = 0;
  for (const [id, wanted] of impacts) {
    const rounding = wanted * 2 ** -11;
    greatest = Math.max(greatest, Math.abs((left.get(id) ?? 0) - wanted) - rounding);
    left.delete(id);
  }
  const least = impacts.at(-1)?.[1] ?? 0;
  for (const value of left.values()) greatest = Math.max(greatest, value - least * (1 + 2 ** -11));
  return greatest;
}
