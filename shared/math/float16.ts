/** IEEE 754 half precision, which not every runtime has: rounding to nearest, ties to even. */

const FLOAT = new Float32Array(1);
const BITS = new Uint32Array(FLOAT.buffer);

/** The 16 bits of the half nearest to a number. Above 65,519 gives infinity. */
export function toHalf(value: number): number {
  FLOAT[0] = value;
  const bits = BITS[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // 65,520, half-way between the greatest half and the next power of two, and all above.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  // Below 2^-14 halves are whole multiples of 2^-24.
  if (magnitude < 0x38800000) return sign | roundEven(Math.abs(FLOAT[0]!) * 2 ** 24);
  const rebased = magnitude - 0x38000000;
  const half = rebased >>> 13;
  const rest = rebased & 0x1fff;
  return sign | (half + (rest > 0x1000 || (rest === 0x1000 && (half & 1) === 1) ? 1 : 0));
}

function roundEven(value: number): number {
  const low = Math.floor(value);
  const rest = value - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low;
}

/** The number that 16 bits stand for. Exact. */
export function fromHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

let numbers: Float32Array | undefined;

/** The number of every half, by its 16 bits: for many at a time. Made when it is first asked for. */
export function halfNumbers(): Float32Array {
  numbers ??= Float32Array.from({ length: 1 << 16 }, (_, half) => fromHalf(half));
  return numbers;
}

/** The nearest half of a number, as a number. */
export function roundToHalf(value: number): number {
  return fromHalf(toHalf(value));
}
