/** What a graph gives: numbers in single or half precision, read a row at a time. */
import type { Tensor } from "onnxruntime-node";
import { halfNumbers } from "../../shared/math/float16.ts";

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

/** Numbers in half precision as an output: the 16 bits of each. A whole one is [batch, sequence, dimension] of them, of which few are read. */
export function halfOutput(bits: Uint16Array): Output {
  const numbers = halfNumbers();
  let row = new Float32Array(0);
  return {
    floats(first, end) {
      if (row.length !== end - first) row = new Float32Array(end - first);
      for (let at = first; at < end; at++) row[at - first] = numbers[bits[at]!]!;
      return row;
    },
  };
}
