/** Tables as large as those of large models, made of the rows of a small one: their spectrum is a real one's. */
import { createRotation, ROTATION } from "../../indexer/compress/rotate.ts";
import type { TableRows } from "../../indexer/fit/table-rows.ts";

/** A table of which any row can be had, in the rotated space. */
export interface StretchedTable extends TableRows {
  row(id: number): Float32Array;
  /** Where a token of the small vocabulary is in the large one. */
  idOf(token: number): number;
}

/** Tokens of the small vocabulary are so far apart in the large one, which shares no divisor with it: among them lie those that nobody uses. */
const STEP = 97;

/** How much shorter each part of a row is than the one before. */
const DECAY = 0.6;

/**
 * `vocabulary` rows of `dimension` values. A row is rows of the small table one behind the other, the first of them its own
 * where the small table has that token, the others of tokens drawn by its number, each part 0.6 times as
 * long as the one before; then an orthogonal mix of all. So the eigenvalues are those of the small table over and over, ever
 * smaller, and tokens that are alike stay alike. Rows beyond the small vocabulary are drawn altogether.
 */
export function stretch(
  small: Float32Array,
  width: number,
  vocabulary: number,
  dimension: number,
): StretchedTable {
  const rotation = createRotation(ROTATION, dimension);
  const filled = Uint32Array.from(
    Array.from({ length: small.length / width }, (_, id) => id).filter((id) =>
      small.subarray(id * width, (id + 1) * width).some((value) => value !== 0),
    ),
  );
  const tokens = new Uint32Array(vocabulary);
  for (let token = 0; token < vocabulary; token++) tokens[(token * STEP) % vocabulary] = token;
  const own = new Set(filled);
  const row = (id: number): Float32Array => {
    const values = new Float32Array(dimension);
    for (let part = 0; part * width < dimension; part++) {
      const token =
        part === 0 && own.has(tokens[id]!) ? tokens[id]! : filled[drawn(id, part) % filled.length]!;
      const length = Math.min(width, dimension - part * width);
      for (let j = 0; j < length; j++) values[part * width + j] = small[token * width + j]! * DECAY ** part;
    }
    rotation.apply(values, 0);
    return values;
  };
  return {
    vocabulary,
    dimension,
    row,
    idOf: (token) => (token * STEP) % vocabulary,
    async read(first, count) {
      const block = new Float32Array(count * dimension);
      for (let at = 0; at < count; at++) block.set(row(first + at), at * dimension);
      return block;
    },
  };
}

/** 32 bits that depend on both numbers. */
function drawn(id: number, part: number): number {
  let hash = Math.imul(id + 1, 0x9e3779b1) ^ Math.imul(part + 1, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
  return (hash ^ (hash >>> 15)) >>> 0;
}
