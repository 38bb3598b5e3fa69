/** The attacker's side of the poison suite: groups of queries, and words whose rows add up to a direction. */
import type { Tokenizer } from "../../../shared/tokenizer/tokenizer.ts";
import type { Random } from "../../random.ts";
import { dot } from "../brute-force.ts";
import type { QueryTable } from "./query-table.ts";

/** Words that an attacker may write, each one token. */
export interface Lexicon {
  readonly words: readonly string[];
  readonly rows: readonly Float32Array[];
}

const ROUNDS = 10;
const LENGTH = 12;
/** Rounds of flips; mostly none changes after the second. */
const FLIPS = 3;

/** The words of texts that are one token with a row. */
export function lexiconOf(texts: readonly string[], tokenizer: Tokenizer, table: QueryTable): Lexicon {
  const spelled = new Set(texts.flatMap((text) => text.toLowerCase().match(/[a-z]{2,}/gu) ?? []));
  const found = [...spelled].flatMap((word) => {
    const ids = tokenizer.ids(word);
    const row = table.row(ids[0]!);
    return ids.length === 1 && row.some((value) => value !== 0) ? [{ word, row }] : [];
  });
  return { words: found.map(({ word }) => word), rows: found.map(({ row }) => row) };
}

/** Middles of groups of unit vectors, the greatest group first: k-means on the sphere. */
export function clusters(
  vectors: readonly Float32Array[],
  count: number,
  random: Random,
): readonly Float32Array[] {
  let middles = Array.from(random.permutation(vectors.length).slice(0, count), (at) => vectors[at]!);
  let sizes: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const sums = middles.map((middle) => new Float64Array(middle.length));
    sizes = middles.map(() => 0);
    for (const vector of vectors) {
      const nearest = greatest(middles, (middle) => dot(middle, vector));
      sizes[nearest]!++;
      const sum = sums[nearest]!;
      vector.forEach((value, j) => {
        sum[j]! += value;
      });
    }
    middles = sums.map((sum, at) => (sizes[at]! > 0 ? unit(sum) : middles[at]!));
  }
  return middles
    .map((middle, at) => ({ middle, size: sizes[at]! }))
    .sort((a, b) => b.size - a.size)
    .map(({ middle }) => middle);
}

/** Words whose rows' sum points to a direction as nearly as greed finds. */
export function writePassage(direction: Float32Array, { words, rows }: Lexicon): string {
  const along = rows.map((row) => dot(row, direction));
  const squares = rows.map((row) => dot(row, row));
  const sum = new Float32Array(direction.length);
  const chosen: number[] = [];
  const add = (at: number, sign: number) =>
    rows[at]!.forEach((value, j) => {
      sum[j]! += sign * value;
    });
  // The cosine of (sum + row) and the direction, from three products.
  const bestWord = () => {
    const [reached, length] = [dot(sum, direction), dot(sum, sum)];
    return greatest(rows, (row, at) => {
      const norm = Math.sqrt(Math.max(0, length + 2 * dot(sum, row) + squares[at]!));
      return norm > 0 ? (reached + along[at]!) / norm : Number.NEGATIVE_INFINITY;
    });
  };
  for (let place = 0; place < LENGTH && rows.length > 0; place++) {
    chosen.push(bestWord());
    add(chosen.at(-1)!, 1);
  }
  for (let flip = 0; flip < FLIPS * chosen.length; flip++) {
    const place = flip % chosen.length;
    add(chosen[place]!, -1);
    chosen[place] = bestWord();
    add(chosen[place]!, 1);
  }
  return chosen.map((at) => words[at]).join(" ");
}

function greatest<T>(items: readonly T[], score: (item: T, at: number) => number): number {
  let most = Number.NEGATIVE_INFINITY;
  let place = 0;
  items.forEach((item, at) => {
    const value = score(item, at);
    if (value > most) {
      most = value;
      place = at;
    }
  });
  return place;
}

function unit(vector: Float64Array): Float32Array {
  const norm = Math.sqrt(vector.reduce((squares, value) => squares + value * value, 0));
  return Float32Array.from(vector, (value) => (norm > 0 ? value / norm : 0));
}
