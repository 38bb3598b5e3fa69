import { describe, expect, it } from "vitest";
import { createRotation, ROTATION, rotateRows } from "../../../indexer/compress/rotate.ts";
import { Random } from "../../../indexer/random.ts";

/** `rows` vectors of values from -1 to 1. */
function randomRows(seed: number, rows: number, dimension: number): Float32Array<ArrayBuffer> {
  const random = new Random(seed);
  return Float32Array.from({ length: rows * dimension }, () => random.bits() / 2 ** 31 - 1);
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, j) => sum + value * b[j]!, 0);
}

describe.each([64, 96, 384])("a rotation of %i dimensions", (dimension) => {
  const rotation = createRotation(ROTATION, dimension);

  it("keeps lengths and dot products", () => {
    const rows = randomRows(dimension, 12, dimension);
    const rotated = rows.slice();
    rotateRows(rotation, rotated);
    const row = (of: Float32Array, n: number) => of.subarray(n * dimension, (n + 1) * dimension);
    for (let a = 0; a < 12; a++) {
      for (let b = 0; b <= a; b++) {
        const lengths = Math.sqrt(dot(row(rows, a), row(rows, a)) * dot(row(rows, b), row(rows, b)));
        const difference = dot(row(rotated, a), row(rotated, b)) - dot(row(rows, a), row(rows, b));
        expect(Math.abs(difference) / lengths).toBeLessThan(1e-5);
      }
    }
  });

  it("is the same map every time it is made, and another one for another seed", () => {
    const vector = randomRows(7, 1, dimension);
    const [first, second, other] = [vector.slice(), vector.slice(), vector.slice()];
    rotation.apply(first, 0);
    createRotation(ROTATION, dimension).apply(second, 0);
    createRotation({ ...ROTATION, seed: ROTATION.seed + 1 }, dimension).apply(other, 0);
    expect(second).toEqual(first);
    expect(other).not.toEqual(first);
  });

  it("spreads a vector of one value over the coordinates", () => {
    for (const axis of [0, 1, dimension - 1]) {
      const unit = new Float32Array(dimension);
      unit[axis] = 1;
      rotation.apply(unit, 0);
      const greatest = Math.max(...unit.map(Math.abs));
      // A Gaussian vector of this length would have its greatest value near sqrt(2 ln d / d).
      expect(greatest).toBeLessThan(2 * Math.sqrt((2 * Math.log(dimension)) / dimension));
      expect(unit.filter((value) => value !== 0).length).toBeGreaterThan(0.8 * dimension);
    }
  });

  it("touches the vector at its offset and nothing beside it", () => {
    const rows = randomRows(3, 3, dimension);
    const rotated = rows.slice();
    rotation.apply(rotated, dimension);
    expect(rotated.subarray(0, dimension)).toEqual(rows.subarray(0, dimension));
    expect(rotated.subarray(2 * dimension)).toEqual(rows.subarray(2 * dimension));
    const alone = rows.slice(dimension, 2 * dimension);
    rotation.apply(alone, 0);
    expect(rotated.subarray(dimension, 2 * dimension)).toEqual(alone);
  });
});
