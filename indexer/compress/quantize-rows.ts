/**
 * Table rows in a few bits a value, one float32 scale a row.
 *
 * After rotation a row's values are close to Gaussian, so the best few levels are
 * known beforehand: those of Lloyd and Max for the normal distribution (Max 1960,
 * "Quantizing for minimum distortion", table I), the same for every row and every model.
 */
import type { RowBits } from "../../shared/kernels/kernels.ts";

/** The positive half of the Lloyd-Max levels of a unit normal; the other half mirrors it. */
const LEVELS: Readonly<Record<1 | 2 | 3 | 4, readonly number[]>> = {
  1: [0.7979],
  2: [0.4528, 1.51],
  3: [0.2451, 0.756, 1.344, 2.152],
  4: [0.1284, 0.3881, 0.6568, 0.9424, 1.256, 1.618, 2.069, 2.733],
};

/** The int8 value of the outermost level: the levels are stored as whole numbers so that a swizzle can look them up. */
const OUTERMOST = 127;

/** The 16 int8 values of a codebook, ascending over the 2^bits that are used; the rest are 0. */
export function codebookOf(bits: RowBits): Int8Array<ArrayBuffer> {
  const codebook = new Int8Array(16);
  if (bits === 8) return codebook;
  const levels = LEVELS[bits];
  const unit = OUTERMOST / levels[levels.length - 1]!;
  for (let i = 0; i < levels.length; i++) {
    const value = Math.round(levels[i]! * unit);
    codebook[levels.length + i] = value;
    codebook[levels.length - 1 - i] = -value;
  }
  return codebook;
}

/** One quantised row: value j is about `scale * codebook[codes[j]]`, or `scale * codes[j]` as int8 for 8 bits. */
export interface QuantizedRow {
  readonly codes: Int8Array<ArrayBuffer>;
  readonly scale: number;
}

/**
 * The nearest code of every value, and the scale with the least squared error for those
 * codes; with 8 bits, the scale that gives the greatest value 127. A row of zeros keeps codes
 * next to zero and the smallest scale a reader accepts.
 */
export function quantizeRow(row: Float32Array, bits: RowBits): QuantizedRow {
  return bits === 8 ? quantizeUniform(row) : quantizeByLevels(row, bits);
}

function quantizeByLevels(row: Float32Array, bits: 1 | 2 | 3 | 4): QuantizedRow {
  const codebook = codebookOf(bits);
  const levels = LEVELS[bits];
  const perUnit = OUTERMOST / levels[levels.length - 1]!;
  let squares = 0;
  for (const value of row) squares += value * value;
  const deviation = Math.sqrt(squares / row.length);
  const codes = new Int8Array(row.length);
  if (deviation === 0) return { codes: codes.fill(1 << (bits - 1)), scale: TINY_SCALE };
  let product = 0;
  let norm = 0;
  for (let j = 0; j < row.length; j++) {
    const code = nearest(codebook, 1 << bits, (row[j]! / deviation) * perUnit);
    const level = codebook[code]!;
    codes[j] = code;
    product += row[j]! * level;
    norm += level * level;
  }
  return { codes, scale: Math.fround(product / norm) };
}

/** A scale that is positive, as readers demand, and multiplies to nothing. */
const TINY_SCALE = Math.fround(1e-30);

function quantizeUniform(row: Float32Array): QuantizedRow {
  let greatest = 0;
  for (const value of row) greatest = Math.max(greatest, Math.abs(value));
  const codes = new Int8Array(row.length);
  if (greatest === 0) return { codes, scale: TINY_SCALE };
  const scale = Math.fround(greatest / 127);
  for (let j = 0; j < row.length; j++) codes[j] = Math.max(-127, Math.min(127, Math.round(row[j]! / scale)));
  return { codes, scale };
}

/** The code whose level is nearest; a value half-way goes to the lower one. */
function nearest(codebook: Int8Array, count: number, value: number): number {
  let code = 0;
  while (code + 1 < count && value > (codebook[code]! + codebook[code + 1]!) / 2) code++;
  return code;
}
