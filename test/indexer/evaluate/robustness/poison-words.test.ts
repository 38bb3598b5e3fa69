import { describe, expect, it } from "vitest";
import { clusters, writePassage } from "../../../../indexer/evaluate/robustness/poison-words.ts";
import { Random } from "../../../../indexer/random.ts";

const random = new Random(9);
const vector = () => unit(Float32Array.from({ length: 8 }, () => random.bits() / 2 ** 31 - 1));
function unit(values: Float32Array): Float32Array {
  const norm = Math.hypot(...values);
  return values.map((value) => value / norm);
}
const cosine = (a: Float32Array, b: Float32Array) =>
  a.reduce((sum, value, j) => sum + value * b[j]!, 0) / (Math.hypot(...a) * Math.hypot(...b));

describe("the words of a poisoned passage", () => {
  const rows = Array.from({ length: 30 }, vector);
  const words = rows.map((_, at) => `w${at}`);
  const sumOf = (passage: string) => {
    const sum = new Float32Array(8);
    for (const word of passage.split(" ")) {
      rows[words.indexOf(word)]!.forEach((value, j) => {
        sum[j]! += value;
      });
    }
    return sum;
  };

  it("point nearer to a direction than any word alone, and no flip of one word brings them nearer", () => {
    const direction = vector();
    const passage = writePassage(direction, { words, rows });
    const reached = cosine(sumOf(passage), direction);
    expect(reached).toBeGreaterThan(Math.max(...rows.map((row) => cosine(row, direction))));
    const chosen = passage.split(" ");
    for (const place of chosen.keys()) {
      for (const word of words) {
        const flipped = chosen.map((own, at) => (at === place ? word : own)).join(" ");
        expect(cosine(sumOf(flipped), direction)).toBeLessThan(reached + 1e-5);
      }
    }
  });

  it("are none where there is no word to write", () => {
    expect(writePassage(vector(), { words: [], rows: [] })).toBe("");
  });
});

describe("groups of queries", () => {
  it("are found where they are plain to see, the greatest first", () => {
    const middles = [vector(), vector()];
    const near = (middle: Float32Array) => unit(middle.map((value) => value + random.bits() / 2 ** 36));
    const vectors = [
      ...Array.from({ length: 20 }, () => near(middles[0]!)),
      ...Array.from({ length: 40 }, () => near(middles[1]!)),
    ];
    const [first, second] = clusters(vectors, 2, new Random(1));
    expect(cosine(first!, middles[1]!)).toBeGreaterThan(0.99);
    expect(cosine(second!, middles[0]!)).toBeGreaterThan(0.99);
  });
});
