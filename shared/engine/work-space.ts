/** The space that a shard's queries work in. */
import type { ResidentShard } from "./resident.ts";

/** Lets a kernel fill the shard's list of rows, and copies it out. */
export function takeRows(shard: ResidentShard, fill: (out: number) => number): Uint32Array<ArrayBuffer> {
  return rowSpace(shard, fill(shard.work.rows)).slice();
}

/** The first `count` of the shard's list of rows. A view, valid until the next use. */
export function rowSpace(shard: ResidentShard, count: number): Uint32Array<ArrayBuffer> {
  const ints = shard.kernels.ints(shard.work.rows, count);
  return new Uint32Array(ints.buffer, ints.byteOffset, count);
}
