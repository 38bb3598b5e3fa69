/** Many numbers at a time between single and half precision: a table has hundreds of millions. */
import { fromHalf } from "../../shared/math/float16.ts";

const GREATEST_MAGNITUDE = 0x477ff000;

/**
 * Rounds `count` numbers to the nearest halves, ties to even, as `toHalf` does. The first place whose number has no
 * finite half, or -1: not a number, infinite, or of 65,520 and more.
 */
export function roundToHalves(
  from: Float32Array,
  offset: number,
  count: number,
  to: Uint16Array,
  at: number,
): number {
  const bits = new Uint32Array(from.buffer, from.byteOffset + 4 * offset, count);
  for (let j = 0; j < count; j++) {
    const value = bits[j]!;
    const magnitude = value & 0x7fffffff;
    if (magnitude >= GREATEST_MAGNITUDE) return j;
    const sign = (value >>> 16) & 0x8000;
    if (magnitude < 0x38800000) to[at + j] = sign | smallHalf(from[offset + j]!);
    else {
      const rebased = magnitude - 0x38000000;
      // Half of the last place, less one where that place is even: the carry rounds ties to even.
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

/** Every half as a number. */
const NUMBERS = Float32Array.from({ length: 1 << 16 }, (_, half) => fromHalf(half));

/** The numbers that halves stand for. Exact. */
export function numbersOf(halves: Uint16Array, to: Float32Array): void {
  for (let j = 0; j < halves.length; j++) to[j] = NUMBERS[halves[j]!]!;
}
