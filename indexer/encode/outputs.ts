/** What a graph gives: numbers in single or half precision, read a row at a time. */
import type { Tensor } from "onnxruntime-node";
import { fromHalf } from "../../shared/math/float16.ts";

/** Numbers of an output, row-major. */
export interface Output {
  /** Numbers [first, end) in single precision: the caller's to read until the next call. */
  floats(first: number, end: number): Float32Array;
}

/** Numbers of a tensor, float32 or float16. */
export function tensorOutput({ type, data }: Pick<Tensor, "type" | "data">): Output {
  if (type === "float32") return floatOutput(data as Float32Array);
  // Runtimes with a Float16Array get one, others the bits.
  const { buffer, byteOffset, length } = data as Uint16Array;
  return halfOutput(new Uint16Array(buffer, byteOffset, length));
}

/** Numbers in single precision as an output. */
export function floatOutput(data: Float32Array): Output {
  return { floats: (first, end) => data.subarray(first, end) };
}

/** Every half by its 16 bits: a whole output is [batch, sequence, dimension] numbers, of which few are read. */
let halves: Float32Array | null = null;

/** Numbers in half precision as an output: the 16 bits of each. */
export function halfOutput(bits: Uint16Array): Output {
  halves ??= Float32Array.from({ length: 1 << 16 }, (_, half) => fromHalf(half));
  const table = halves;
  let row = new Float32Array(0);
  return {
    floats(first, end) {
      if (row.length !== end - first) row = new Float32Array(end - first);
      for (let at = first; at < end; at++) row[at - first] = table[bits[at]!]!;
      return row;
    },
  };
}
