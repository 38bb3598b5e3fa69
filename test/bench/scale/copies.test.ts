import { describe, expect, it } from "vitest";
import { changedImpacts, copySeed, noisyVector } from "../../../bench/scale/copies.ts";

const VECTOR = Float32Array.from({ length: 384 }, (_, j) => ((j % 7) - 3) / Math.sqrt(384 * 4));
const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, j) => sum + value * b[j]!, 0);
const impacts = (first: number) => ({
  ids: Uint32Array.from({ length: 400 }, (_, i) => first + 2 * i),
  values: Uint8Array.from({ length: 400 }, (_, i) => 1 + (i % 255)),
});

describe("the vector of a copy", () => {
  it("is the same for the same seed and another for another", () => {
    expect(noisyVector(VECTOR, 5)).toEqual(noisyVector(VECTOR, 5));
    expect(noisyVector(VECTOR, 5)).not.toEqual(noisyVector(VECTOR, 6));
  });

  it("has length 1 and the cosine with its original that the noise was chosen for", () => {
    const norm = Math.sqrt(dot(VECTOR, VECTOR));
    const unit = VECTOR.map((value) => value / norm);
    for (let seed = 0; seed < 20; seed++) {
      const copy = noisyVector(unit, seed);
      expect(dot(copy, copy)).toBeCloseTo(1, 5);
      expect(Math.abs(dot(copy, unit) - 0.8)).toBeLessThan(0.1);
    }
  });
});

describe("the impacts of a copy", () => {
  it("are the same for the same seed", () => {
    expect(changedImpacts(impacts(0), impacts(1), 9)).toEqual(changedImpacts(impacts(0), impacts(1), 9));
  });

  it("lack about a fifth of the document's own and have about a tenth from the other, ascending and once each", () => {
    const { ids, values } = changedImpacts(impacts(0), impacts(1), 9);
    expect(values.length).toBe(ids.length);
    expect(Array.from(ids)).toEqual([...new Set(ids)].sort((a, b) => a - b));
    const own = ids.filter((id) => id % 2 === 0).length;
    expect(own).toBeGreaterThan(280);
    expect(own).toBeLessThan(360);
    expect(ids.length - own).toBeGreaterThan(15);
    expect(ids.length - own).toBeLessThan(70);
  });

  it("hold nothing of another that has nothing", () => {
    const none = { ids: new Uint32Array(0), values: new Uint8Array(0) };
    expect(changedImpacts(none, impacts(0), 1)).toEqual(none);
    expect(changedImpacts(impacts(0), none, 1).ids.every((id) => id % 2 === 0)).toBe(true);
  });
});

describe("seeds", () => {
  it("differ between the copies of a document and between documents", () => {
    const seeds = new Set<number>();
    for (let copy = 0; copy < 10; copy++)
      for (let document = 0; document < 1000; document++) seeds.add(copySeed(copy, document));
    expect(seeds.size).toBe(10_000);
  });
});
