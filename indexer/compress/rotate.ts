/**
 * A random rotation that costs O(d log d): rounds of "shuffle, flip signs, Hadamard".
 *
 * Quantising to a few bits with one scale per row wants the values of a row to look
 * alike. Encoders put much of a vector's length into a few dimensions; after a random
 * rotation every coordinate is close to Gaussian with the same variance, whatever the
 * encoder. Table rows and document vectors are rotated alike, so every dot product is
 * unchanged and the query path never rotates: a sum of rotated rows is the rotated sum.
 */
import { Random } from "../random.ts";

/** How to make a rotation again. Recorded in the table's header. */
export interface RotationRecipe {
  readonly kind: "hadamard";
  readonly seed: number;
  readonly rounds: number;
}

/** The recipe every index is built with. */
export const ROTATION: RotationRecipe = { kind: "hadamard", seed: 20_260, rounds: 4 };

/** An orthogonal map of vectors of one dimension. */
export interface Rotation {
  readonly dimension: number;
  /** Rotates `dimension` values of `vectors` from `offset`, in place. Lengths are kept to float32 rounding. */
  apply(vectors: Float32Array, offset: number): void;
}

/** The rotation of this recipe for vectors of this dimension. */
export function createRotation(recipe: RotationRecipe, dimension: number): Rotation {
  const random = new Random(recipe.seed);
  // The Hadamard matrix needs a power of two. Where the dimension has a smaller even
  // part (384 = 3 x 128), it works on blocks of that size, and the shuffle between
  // rounds mixes the blocks; small blocks need more rounds to reach every pair.
  const block = dimension & -dimension;
  const rounds = Math.max(
    recipe.rounds,
    Math.ceil((2 * Math.log2(dimension)) / Math.max(1, Math.log2(block))),
  );
  const steps = Array.from({ length: rounds }, () => ({
    order: random.permutation(dimension),
    signs: Float32Array.from({ length: dimension }, () => (random.bits() & 1 ? 1 : -1)),
  }));
  const scale = 1 / Math.sqrt(block);
  const scratch = new Float32Array(dimension);

  function apply(vectors: Float32Array, offset: number): void {
    for (const { order, signs } of steps) {
      for (let i = 0; i < dimension; i++) scratch[i] = vectors[offset + order[i]!]! * signs[i]! * scale;
      for (let start = 0; start < dimension; start += block) hadamard(scratch, start, block);
      vectors.set(scratch, offset);
    }
  }
  return { dimension, apply };
}

/** The unnormalised fast Walsh-Hadamard transform of `size` values from `start`, in place; `size` a power of two. */
function hadamard(values: Float32Array, start: number, size: number): void {
  for (let half = 1; half < size; half *= 2) {
    for (let i = start; i < start + size; i += 2 * half) {
      for (let j = i; j < i + half; j++) {
        const a = values[j]!;
        const b = values[j + half]!;
        values[j] = a + b;
        values[j + half] = a - b;
      }
    }
  }
}

/** Rotates every row of a `rows x dimension` matrix, in place. */
export function rotateRows(rotation: Rotation, rows: Float32Array): void {
  for (let offset = 0; offset < rows.length; offset += rotation.dimension) rotation.apply(rows, offset);
}
