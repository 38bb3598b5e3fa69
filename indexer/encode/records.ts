/** Encodings as bytes, for the cache. Every value is an exact half, so nothing is lost. */
import { fromHalf, toHalf } from "../../shared/math/float16.ts";
import type { Encoding, SparseVector } from "./encoder.ts";

const DENSE = 1;
const SPARSE = 2;

/** An encoding as bytes: flags, then the dense halves, then ids and halves of the sparse vector, each with its count. */
export function encodingToBytes({ dense, sparse }: Encoding): Buffer {
  const size = 1 + (dense ? 4 + 2 * dense.length : 0) + (sparse ? 4 + 6 * sparse.ids.length : 0);
  const bytes = Buffer.alloc(size);
  let at = bytes.writeUInt8((dense ? DENSE : 0) | (sparse ? SPARSE : 0), 0);
  if (dense) {
    at = bytes.writeUInt32LE(dense.length, at);
    for (const value of dense) at = bytes.writeUInt16LE(toHalf(value), at);
  }
  if (sparse) {
    at = bytes.writeUInt32LE(sparse.ids.length, at);
    for (const id of sparse.ids) at = bytes.writeUInt32LE(id, at);
    for (const value of sparse.values) at = bytes.writeUInt16LE(toHalf(value), at);
  }
  return bytes;
}

/** The encoding in these bytes, or null where they are not one. */
export function encodingFromBytes(bytes: Buffer): Encoding | null {
  try {
    const flags = bytes.readUInt8(0);
    let at = 1;
    let dense: Float32Array<ArrayBuffer> | null = null;
    let sparse: SparseVector | null = null;
    if (flags & DENSE) {
      dense = halves(bytes, at + 4, bytes.readUInt32LE(at));
      at += 4 + 2 * dense.length;
    }
    if (flags & SPARSE) {
      const count = bytes.readUInt32LE(at);
      const from = at + 4;
      const ids = Uint32Array.from({ length: count }, (_, i) => bytes.readUInt32LE(from + 4 * i));
      sparse = { ids, values: halves(bytes, from + 4 * count, count) };
      at = from + 6 * count;
    }
    return at === bytes.length ? { dense, sparse } : null;
  } catch {
    // Reading past the end: whatever wrote this was not `encodingToBytes`.
    return null;
  }
}

function halves(bytes: Buffer, at: number, count: number): Float32Array<ArrayBuffer> {
  if (at + 2 * count > bytes.length) throw new RangeError("the record is too short");
  return Float32Array.from({ length: count }, (_, i) => fromHalf(bytes.readUInt16LE(at + 2 * i)));
}
