/** The tombstones file: which documents of an index's shards are dead. docs/format.md section 11. */

import { bytesOf, invalid, uint16s, uint32s } from "./bytes.ts";
import { type Envelope, type WrittenFile, writeEnvelope } from "./envelope.ts";
import { integer, object } from "./shape.ts";

/** Dead documents by shard: those that a later shard holds anew, and those that are gone. */
export interface TombstonesFile {
  readonly meta: {
    /** Shards of the version, as many as the manifest has. */
    readonly shards: number;
    /** Dead documents of all of them, at least 1. */
    readonly documents: number;
  };
  /** shards + 1: first entry of each shard in `rows`. */
  readonly starts: Uint32Array<ArrayBuffer>;
  /** Numbers of dead documents in their shard, ascending for each. */
  readonly rows: Uint16Array<ArrayBuffer>;
}

const checkMeta = object<TombstonesFile["meta"]>({
  shards: integer(1, 65_536),
  documents: integer(1, 0xffffffff),
});

/** Dead documents of each shard, ascending, as a file. Throws `format/invalid` where none is dead or an order is broken. */
export async function writeTombstones(dead: readonly (readonly number[])[]): Promise<WrittenFile> {
  const starts = new Uint32Array(dead.length + 1);
  dead.forEach((rows, at) => {
    starts[at + 1] = starts[at]! + rows.length;
  });
  const rows = Uint16Array.from(dead.flat());
  const file: TombstonesFile = { meta: { shards: dead.length, documents: rows.length }, starts, rows };
  checkTombstones(file);
  return writeEnvelope("tombstones", { ...file.meta }, [
    { name: "starts", bytes: bytesOf(starts) },
    { name: "rows", bytes: bytesOf(rows) },
  ]);
}

/** The tombstones of an open file, every number checked. Throws `format/invalid`. */
export function readTombstones(envelope: Envelope): TombstonesFile {
  const meta = checkMeta(envelope.meta, "tombstones");
  const file = {
    meta,
    starts: uint32s(envelope.section("starts"), meta.shards + 1, "tombstones section starts"),
    rows: uint16s(envelope.section("rows"), meta.documents, "tombstones section rows"),
  };
  checkTombstones(file);
  return file;
}

/** The dead documents of each of a version's shards, ascending: views. Throws `format/invalid` for another number of shards. */
export function deadByShard(
  { meta, starts, rows }: TombstonesFile,
  shards: number,
): readonly Uint16Array<ArrayBuffer>[] {
  if (meta.shards !== shards)
    throw invalid(`The tombstones are of ${meta.shards} shards, and the version has ${shards}.`);
  return Array.from({ length: shards }, (_, at) => rows.subarray(starts[at], starts[at + 1]));
}

function checkTombstones({ meta, starts, rows }: TombstonesFile): void {
  checkMeta(meta, "tombstones");
  if (starts[0] !== 0 || starts[meta.shards] !== rows.length)
    throw invalid(`tombstones section starts must begin with 0 and end with ${rows.length}.`);
  // All of them first: an end far outside would be a walk of minutes. A shard may have none, so a start may repeat.
  for (let shard = 0; shard < meta.shards; shard++) {
    if (starts[shard + 1]! < starts[shard]!)
      throw invalid(`tombstones section starts: shard ${shard} ends before it begins.`);
  }
  for (let shard = 0; shard < meta.shards; shard++) {
    for (let at = starts[shard]! + 1; at < starts[shard + 1]!; at++) {
      if (rows[at - 1]! >= rows[at]!)
        throw invalid(`tombstones section rows: entry ${at} is not above the one before.`);
    }
  }
}
