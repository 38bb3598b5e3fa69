/** What every store says about ranges, so that all of them refuse the same ones. */

import { LightedgeError } from "../errors.ts";

/**
 * Throws `blob/corrupt` unless `[offset, offset + length)` lies inside `size` bytes. Leave
 * `size` out where it is not known yet: then only the shape of the range is checked.
 * Offsets come out of stored directories, so a mad one is a fault of the file, not of the caller.
 */
export function checkRange(
  key: string,
  offset: number,
  length: number,
  size: number = Number.MAX_SAFE_INTEGER,
): void {
  const whole = Number.isSafeInteger(offset) && Number.isSafeInteger(length);
  if (whole && offset >= 0 && length >= 0 && offset + length <= size) return;
  const has = size === Number.MAX_SAFE_INTEGER ? "" : `; it has ${size}`;
  throw new LightedgeError("blob/corrupt", `${key} cannot give ${length} bytes from ${offset}${has}.`, {
    blob: key,
  });
}

/** Throws `blob/corrupt` when a body came with another number of bytes than was promised. */
export function checkLength(key: string, expected: number, got: number): void {
  if (got === expected) return;
  throw new LightedgeError("blob/corrupt", `${key} gave ${got} bytes where ${expected} were expected.`, {
    blob: key,
  });
}
