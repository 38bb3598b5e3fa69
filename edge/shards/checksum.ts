/**
 * A checksum that can be had at once, where SHA-256 cannot: some 1 GB/s. Each step is a bijection of the sum and of the
 * word, so a change of one word always shows, and one of several with all but one chance in 2^32.
 */

/** The checksum of these words; `seed` tells equal content in different places apart. */
export function checksum(words: Uint32Array, start: number, end: number, seed: number): number {
  let sum = Math.imul(seed + 1, 0x9e3779b1);
  for (let at = start; at < end; at++) {
    sum = Math.imul(sum ^ words[at]!, 0x85ebca6b);
    sum ^= sum >>> 15;
  }
  return sum >>> 0;
}
