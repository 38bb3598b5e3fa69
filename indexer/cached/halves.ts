/** Many numbers at a time between single and half precision: a table has hundreds of millions. */
import { halfNumbers } from "../../shared/math/float16.ts";

const GREATEST_MAGNITUDE = 0x477ff000;

/** Numbers, and the same memory as bits. */
export interface Singles {
  readonly values: Float32Array;
  readonly bits: Uint32Array;
}

/** An array seen both ways. */
export function singlesOf(values: Float32Array): Singles {
  return { values, bits: new Uint32Array(values.buffer, values.byteOffset, values.length) };
}

/**
 * Rounds `count` numbers to the nearest halves, ties to even, as `toHalf` does. The first place whose number has no
 * finite half, or -1: not a number, infinite, or of 65,520 and more.
 */
export function roundToHalves(
  { values, bits }: Singles,
  offset: number,
  count: number,
  to: Uint16Array,
  at: number,
): number {
  for (let j = 0; j < count; j++) {
    const value = bits[offset + j]!;
    const magnitude = value & 0x7fffffff;
    if (magnitude >= GREATEST_MAGNITUDE) return j;
    const sign = (value >>> 16) & 0x8000;
    if (magnitude < 0x38800000) to[at + j] = sign | smallHalf(values[offset + j]!);
    else {
      const rebased = magnitude - 0x38000000;
      // Just under half of the last place, and one more where that place is odd: the carry rounds ties to even.
      to[at + j] = sign | ((rebased + 0xfff + ((rebased >>> 13) & 1)) >>> 13);
    }
  }
  return -1;
}

/** Below 2^-14 halves are whole multiples of 2^-24; adding 2^23 of those rounds as the processor does: to even. */
function smallHalf(value: number): number {
  const scaled = Math.abs(value) * 2 ** 24;
  return Math.fround(scaled + 2 ** 23) - 2 ** 23;
}

/** The numbers that halves stand for. Exact. */
export function numbersOf(halves: Uint16Array, to: Float32Array): void {
  const numbers = halfNumbers();
  for (let j = 0; j < halves.length; j++) to[j] = numbers[halves[j]!]!;
}
