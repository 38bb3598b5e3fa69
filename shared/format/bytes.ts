/**
 * Typed views of stored bytes. Every number in a file is little-endian, as every machine
 * that runs JavaScript engines of today is, so a view needs no conversion: docs/format.md
 * section 2.
 */

import { LightedgeError } from "../errors.ts";

/** Bytes that sections and the parts of a head are aligned to: a cache line, and enough for any SIMD load. */
export const ALIGNMENT = 64;

/** The smallest float32 that is not denormal. Denormals multiply slowly and differ between machines that flush them. */
const SMALLEST_NORMAL = 2 ** -126;

/** The error for bytes that were read whole but do not have the shape the format prescribes. */
export function invalid(message: string, cause?: unknown): LightedgeError {
  return new LightedgeError("format/invalid", message, {}, cause);
}

/** The least multiple of `to` (64 when left out) that is not below `length`. */
export function align(length: number, to: number = ALIGNMENT): number {
  return Math.ceil(length / to) * to;
}

/** Whether every byte of `[start, end)` is zero. The range must lie inside `bytes`. */
export function isZero(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if (bytes[at] !== 0) return false;
  return true;
}

/** The bytes of a typed array without a copy. */
export function bytesOf(
  array:
    | Float32Array<ArrayBuffer>
    | Uint32Array<ArrayBuffer>
    | Uint16Array<ArrayBuffer>
    | Int8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** `count` unsigned 32-bit numbers; a view where the bytes are aligned, otherwise a copy. `format/invalid` when the length differs. */
export function uint32s(
  bytes: Uint8Array<ArrayBuffer>,
  count: number,
  what: string,
): Uint32Array<ArrayBuffer> {
  const { buffer, byteOffset } = sized(bytes, count, 4, what);
  return new Uint32Array(buffer, byteOffset, count);
}

/** `count` unsigned 16-bit numbers, as `uint32s`. */
export function uint16s(
  bytes: Uint8Array<ArrayBuffer>,
  count: number,
  what: string,
): Uint16Array<ArrayBuffer> {
  const { buffer, byteOffset } = sized(bytes, count, 2, what);
  return new Uint16Array(buffer, byteOffset, count);
}

/** `count` float32 numbers, as `uint32s`. They may be NaN: see `checkScales`. */
export function float32s(
  bytes: Uint8Array<ArrayBuffer>,
  count: number,
  what: string,
): Float32Array<ArrayBuffer> {
  const { buffer, byteOffset } = sized(bytes, count, 4, what);
  return new Float32Array(buffer, byteOffset, count);
}

/** `count` signed bytes, as `uint32s`. */
export function int8s(bytes: Uint8Array<ArrayBuffer>, count: number, what: string): Int8Array<ArrayBuffer> {
  const { buffer, byteOffset } = sized(bytes, count, 1, what);
  return new Int8Array(buffer, byteOffset, count);
}

/** `count` bytes, or `format/invalid`. */
export function uint8s(bytes: Uint8Array<ArrayBuffer>, count: number, what: string): Uint8Array<ArrayBuffer> {
  return sized(bytes, count, 1, what);
}

/**
 * Throws `format/invalid` unless every number is a positive normal float32: no NaN, no
 * infinity, no denormal, no zero. With `zero` given as "allowed", +0 passes too.
 */
export function checkScales(scales: Float32Array, what: string, zero: "allowed" | "refused"): void {
  for (let at = 0; at < scales.length; at += 1) {
    const scale = scales[at]!;
    if (scale >= SMALLEST_NORMAL && scale < Number.POSITIVE_INFINITY) continue;
    if (zero === "allowed" && Object.is(scale, 0)) continue;
    throw invalid(`${what}: number ${at} is ${scale}, where a positive normal float32 is needed.`);
  }
}

/** Throws `format/invalid` unless the numbers begin with 0, end with `end`, and each is greater than the one before. */
export function checkStarts(starts: Uint32Array, end: number, what: string): void {
  if (starts[0] !== 0 || starts[starts.length - 1] !== end) {
    throw invalid(`${what} must begin with 0 and end with ${end}.`);
  }
  checkAscending(starts, what);
}

/** Throws `format/invalid` unless each number is greater than the one before. */
export function checkAscending(numbers: Uint32Array, what: string): void {
  for (let at = 1; at < numbers.length; at += 1) {
    if (numbers[at]! <= numbers[at - 1]!) throw invalid(`${what}: number ${at} is not above the one before.`);
  }
}

/** The same bytes where their length is right and their place aligned to `width`, otherwise an aligned copy. */
function sized(
  bytes: Uint8Array<ArrayBuffer>,
  count: number,
  width: number,
  what: string,
): Uint8Array<ArrayBuffer> {
  if (bytes.length !== count * width) {
    throw invalid(`${what} has ${bytes.length} bytes, where ${count} x ${width} are needed.`);
  }
  // A store may hand out a body that begins anywhere in its buffer.
  return bytes.byteOffset % width === 0 ? bytes : bytes.slice();
}
