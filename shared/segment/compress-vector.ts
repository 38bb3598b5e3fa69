/**
 * Document vectors as the shard keeps them: one bit a dimension with a correction
 * factor for the first pass, eight bits a dimension for rescoring.
 */

/** One document vector, compressed. Arrays are padded with zeros to the shard's padded dimension. */
export interface CompressedVector {
  /** Bit j at byte j>>3, bit j&7: set where value j is above 0. */
  readonly code: Uint8Array<ArrayBuffer>;
  /**
   * 1 / sum |d_j|. For a unit vector d and its signs s, the estimate of q.d is
   * (s.q) / (s.d), and s.d is that sum: the unbiased estimator of RaBitQ
   * (Gao and Long 2024, arXiv 2405.12497, section 3.2) with the rotation already applied.
   */
  readonly factor: number;
  /** Value j is about `scale * values[j]`. */
  readonly values: Int8Array<ArrayBuffer>;
  readonly scale: number;
}

/** Compresses a rotated unit vector. A zero vector gives a factor of 0: it is found last and scores 0. */
export function compressVector(vector: Float32Array, padded: number): CompressedVector {
  const code = new Uint8Array(padded / 8);
  const values = new Int8Array(padded);
  let sum = 0;
  let greatest = 0;
  for (let j = 0; j < vector.length; j++) {
    const magnitude = Math.abs(vector[j]!);
    sum += magnitude;
    if (magnitude > greatest) greatest = magnitude;
  }
  const scale = Math.fround(greatest > 0 ? greatest / 127 : 1);
  for (let byte = 0, j = 0; j < vector.length; byte++) {
    let bits = 0;
    for (let bit = 0; bit < 8 && j < vector.length; bit++, j++) {
      const value = vector[j]!;
      if (value > 0) bits |= 1 << bit;
      // Rounded as Math.round does, in a third of the time: no quotient is below -127.5.
      values[j] = ((value / scale + 128.5) | 0) - 128;
    }
    code[byte] = bits;
  }
  return { code, factor: Math.fround(sum > 0 ? 1 / sum : 0), values, scale };
}
