import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codebookOf, quantizeRow } from "../../../indexer/compress/quantize-rows.ts";
import { Random } from "../../../indexer/random.ts";
import type { RowBits } from "../../../shared/kernels/kernels.ts";
import { compressVector } from "../../../shared/segment/compress-vector.ts";

const BITS = [1, 2, 3, 4, 8] as const satisfies readonly RowBits[];
/** The outermost Lloyd-Max level of a unit normal, by Max 1960. */
const OUTERMOST = { 1: 0.7979, 2: 1.51, 3: 2.152, 4: 2.733 } as const;

const row = fc
  .array(fc.float({ min: -4, max: 4, noNaN: true }), { minLength: 1, maxLength: 64 })
  .map((values) => Float32Array.from(values, (value) => (Math.abs(value) < 1e-6 ? 0 : value)))
  .filter((values) => values.some((value) => value !== 0));

/** Values near the normal distribution: sums of twelve even ones. */
function gaussian(seed: number, length: number): Float32Array<ArrayBuffer> {
  const random = new Random(seed);
  const one = () => Array.from({ length: 12 }, () => random.bits() / 2 ** 32).reduce((a, b) => a + b) - 6;
  return Float32Array.from({ length }, one);
}

function decode(codes: Int8Array, scale: number, bits: RowBits): Float64Array {
  const codebook = codebookOf(bits);
  return Float64Array.from(codes, (code) => scale * (bits === 8 ? code : codebook[code]!));
}

function squaredError(values: Float32Array, decoded: Float64Array): number {
  return values.reduce((sum, value, j) => sum + (value - decoded[j]!) ** 2, 0);
}

describe("a codebook", () => {
  it.each([1, 2, 3, 4] as const)("of %i bits ascends, mirrors itself around zero and reaches 127", (bits) => {
    const used = Array.from(codebookOf(bits)).slice(0, 1 << bits);
    expect(used).toEqual([...used].sort((a, b) => a - b));
    expect(new Set(used).size).toBe(1 << bits);
    used.forEach((level, code) => {
      expect(level).toBe(-used[used.length - 1 - code]!);
    });
    expect(used.at(-1)).toBe(127);
    expect(Array.from(codebookOf(bits)).slice(1 << bits)).toEqual(Array(16 - (1 << bits)).fill(0));
  });
});

describe("a quantised row", () => {
  it.each([1, 2, 3, 4] as const)("has the nearest of the %i-bit levels for every value", (bits) => {
    const levels = Array.from(codebookOf(bits)).slice(0, 1 << bits);
    fc.assert(
      fc.property(row, (values) => {
        const { codes } = quantizeRow(values, bits);
        const deviation = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
        values.forEach((value, j) => {
          const wanted = ((value / deviation) * 127) / OUTERMOST[bits];
          const distances = levels.map((level) => Math.abs(level - wanted));
          expect(distances[codes[j]!]!).toBeLessThanOrEqual(Math.min(...distances) + 1e-9);
        });
      }),
    );
  });

  it.each([1, 2, 3, 4] as const)("of %i bits has the scale with the least squared error", (bits) => {
    fc.assert(
      fc.property(row, (values) => {
        const { codes, scale } = quantizeRow(values, bits);
        const levels = decode(codes, 1, bits);
        let product = 0;
        let norm = 0;
        for (const [j, level] of levels.entries()) {
          product += values[j]! * level;
          norm += level * level;
        }
        expect(scale).toBe(Math.fround(product / norm));
        expect(scale).toBeGreaterThan(0);
        const best = squaredError(values, decode(codes, scale, bits));
        for (const other of [0.9, 0.99, 1.01, 1.1])
          expect(squaredError(values, decode(codes, other * scale, bits))).toBeGreaterThanOrEqual(best);
      }),
    );
  });

  it("of 8 bits is off by at most half a step anywhere", () => {
    fc.assert(
      fc.property(row, (values) => {
        const { codes, scale } = quantizeRow(values, 8);
        const decoded = decode(codes, scale, 8);
        values.forEach((value, j) => {
          expect(Math.abs(value - decoded[j]!)).toBeLessThanOrEqual(scale * 0.5001);
        });
        expect(Math.max(...codes.map(Math.abs))).toBe(127);
      }),
    );
  });

  it("comes closer to its values with every bit", () => {
    const values = gaussian(1, 384);
    const length = values.reduce((sum, value) => sum + value * value, 0);
    const errors = BITS.map((bits) => {
      const { codes, scale } = quantizeRow(values, bits);
      return squaredError(values, decode(codes, scale, bits)) / length;
    });
    expect(errors).toEqual([...errors].sort((a, b) => b - a));
    // Max 1960, table I: 0.3634, 0.1175, 0.03454 and 0.009497 of the variance for 1 to 4 bits.
    expect(errors[0]!).toBeCloseTo(0.3634, 1);
    expect(errors[1]!).toBeCloseTo(0.1175, 1);
    expect(errors[2]!).toBeLessThan(0.045);
    expect(errors[3]!).toBeLessThan(0.0125);
    expect(errors[4]!).toBeLessThan(0.0005);
  });

  it.each(BITS)("of zeros in %i bits decodes to nothing, with a scale that readers accept", (bits) => {
    const { codes, scale } = quantizeRow(new Float32Array(32), bits);
    expect(scale).toBeGreaterThan(0);
    expect(Number.isFinite(scale)).toBe(true);
    for (const value of decode(codes, scale, bits)) expect(Math.abs(value)).toBeLessThan(1e-25);
  });
});

describe("a compressed vector", () => {
  it("has the signs, the factor, the scale and the bytes of its definition", () => {
    fc.assert(
      fc.property(row, (values) => {
        const { code, factor, values: bytes, scale } = compressVector(values, 128);
        const sum = values.reduce((total, value) => total + Math.abs(value), 0);
        expect(factor).toBe(Math.fround(1 / sum));
        expect(scale).toBe(Math.fround(Math.max(...values.map(Math.abs)) / 127));
        expect([code.length, bytes.length]).toEqual([16, 128]);
        for (let j = 0; j < 128; j++) {
          const value = values[j] ?? 0;
          expect((code[j >> 3]! >> (j & 7)) & 1).toBe(value > 0 ? 1 : 0);
          expect(Math.abs(bytes[j]! * scale - value)).toBeLessThanOrEqual(scale * 0.5001);
        }
      }),
    );
  });

  it("estimates its dot product with itself as its squared length over one", () => {
    const raw = gaussian(2, 384);
    const length = Math.sqrt(raw.reduce((sum, value) => sum + value * value, 0));
    const unit = raw.map((value) => value / length);
    const { code, factor } = compressVector(unit, 384);
    const signed = unit.reduce((sum, value, j) => sum + ((code[j >> 3]! >> (j & 7)) & 1 ? value : -value), 0);
    expect(signed * factor).toBeCloseTo(1, 5);
  });

  it("estimates dot products that are off by little and on average by nothing", () => {
    const dimension = 128;
    const pairs = 600;
    let sum = 0;
    let squares = 0;
    for (let pair = 0; pair < pairs; pair++) {
      // Half of the pairs are alike, as a query and its answer are.
      const [a, b] = [gaussian(2 * pair + 10, dimension), gaussian(2 * pair + 11, dimension)];
      const near = pair % 2 === 0 ? b : b.map((value, j) => value + a[j]!);
      const unit = (vector: Float32Array) => {
        const length = Math.hypot(...vector);
        return vector.map((value) => value / length);
      };
      const [document, query] = [unit(a), unit(near)];
      const { code, factor } = compressVector(document, dimension);
      const signed = query.reduce(
        (total, value, j) => total + ((code[j >> 3]! >> (j & 7)) & 1 ? value : -value),
        0,
      );
      const error = signed * factor - query.reduce((total, value, j) => total + value * document[j]!, 0);
      sum += error;
      squares += error * error;
    }
    const deviation = Math.sqrt(squares / pairs);
    // One bit loses the share of a vector that its signs do not have: sqrt(pi/2 - 1) / sqrt(D), 0.067 here.
    expect(deviation).toBeLessThan(0.08);
    expect(Math.abs(sum / pairs)).toBeLessThan((3 * deviation) / Math.sqrt(pairs));
  });

  it("of zeros has no factor, so that it scores nothing", () => {
    const { code, factor, values, scale } = compressVector(new Float32Array(96), 128);
    expect(factor).toBe(0);
    expect(scale).toBeGreaterThan(0);
    expect(code.every((byte) => byte === 0)).toBe(true);
    expect(values.every((value) => value === 0)).toBe(true);
  });
});
