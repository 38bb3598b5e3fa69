/**
 * A block of rows as bytes: what it is of, a digest, then its rows in half precision, little-endian, by id. Bytes of
 * rows that a plan has none of are zero. A file counts only with its digest, so a torn one is made anew.
 */
import { createHash } from "node:crypto";
import type { RowPlan } from "./row-plan.ts";
import { BLOCK } from "./row-plan.ts";

/** Magic, key, number of the block, its rows, numbers of a row, ids of a pass; then the digest. */
const FIELDS_BYTES = 8 + 32 + 4 * 4;
const HEAD_BYTES = FIELDS_BYTES + 32;
const MAGIC = Buffer.from("LERows\0\u0001", "latin1");

/** Which block. */
export interface BlockFacts {
  readonly plan: Pick<RowPlan, "key" | "tokens" | "dimension" | "pass">;
  readonly number: number;
}

/** Bytes of a block's file. */
export function blockBytes({ plan, number }: BlockFacts): number {
  return HEAD_BYTES + 2 * rowsIn(plan, number) * plan.dimension;
}

/** Rows that a block has room for: `BLOCK`, fewer in the last. */
export function rowsIn({ tokens }: Pick<RowPlan, "tokens">, number: number): number {
  return Math.min(BLOCK, tokens - number * BLOCK);
}

/** A block without a digest, and its halves, to be filled. */
export function emptyBlock(facts: BlockFacts): {
  readonly bytes: Buffer<ArrayBuffer>;
  readonly halves: Uint16Array;
} {
  const { plan, number } = facts;
  const bytes = Buffer.from(new ArrayBuffer(blockBytes(facts)));
  MAGIC.copy(bytes);
  bytes.write(plan.key, 8, "hex");
  [number, rowsIn(plan, number), plan.dimension, plan.pass].forEach((value, at) => {
    bytes.writeUInt32LE(value, 40 + 4 * at);
  });
  return { bytes, halves: halvesIn(bytes) };
}

/** Puts the digest of all else into a filled block. */
export function seal(bytes: Buffer): void {
  digestOf(bytes).copy(bytes, FIELDS_BYTES);
}

/** The halves of a block's file; `torn` where it is not what was written, `foreign` where it is sound but of other rows. */
export function readBlock(bytes: Buffer<ArrayBuffer>, facts: BlockFacts): Uint16Array | "torn" | "foreign" {
  if (bytes.length < HEAD_BYTES || !bytes.subarray(0, 8).equals(MAGIC)) return "torn";
  if (!digestOf(bytes).equals(bytes.subarray(FIELDS_BYTES, FIELDS_BYTES + 32))) return "torn";
  const { plan, number } = facts;
  const [foundNumber, rows, dimension] = [40, 44, 48].map((at) => bytes.readUInt32LE(at));
  const same =
    bytes.toString("hex", 8, 40) === plan.key &&
    foundNumber === number &&
    rows === rowsIn(plan, number) &&
    dimension === plan.dimension &&
    bytes.length === blockBytes(facts);
  return same ? halvesIn(bytes) : "foreign";
}

/** A view of the halves; of a copy where they begin at an odd place, as in Node's pool of small buffers. */
function halvesIn(bytes: Buffer<ArrayBuffer>): Uint16Array {
  if (bytes.byteOffset % 2 === 1) return halvesIn(Buffer.from(new Uint8Array(bytes).buffer));
  return new Uint16Array(bytes.buffer, bytes.byteOffset + HEAD_BYTES, (bytes.length - HEAD_BYTES) / 2);
}

function digestOf(bytes: Buffer): Buffer {
  return createHash("sha256")
    .update(bytes.subarray(0, FIELDS_BYTES))
    .update(bytes.subarray(HEAD_BYTES))
    .digest();
}
