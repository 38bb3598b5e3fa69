/** The documents of a version as JSON lines that `lightedge index` reads back to the same documents. */
import { LightedgeError } from "../shared/errors.ts";
import { uint32s } from "../shared/format/bytes.ts";
import type { DocumentBlock, StoredDocument } from "../shared/format/document-block.ts";
import { type Documents, openDocuments } from "../shared/format/documents.ts";
import { loadEnvelope, openRanged } from "../shared/format/load.ts";
import { blobsOf, type Manifest, type ShardBlob } from "../shared/format/manifest.ts";
import { readShardMeta } from "../shared/format/shard.ts";
import { deadByShard, readTombstones } from "../shared/format/tombstones.ts";
import { canonicalJson } from "../shared/hash.ts";
import type { ReadStore } from "../shared/store/store.ts";
import { documentFromFields } from "./sources/named-fields.ts";

/** Blocks of documents that are fetched together: about 2 MiB once inflated. */
const BLOCKS_AT_ONCE = 32;

/**
 * The live documents of a version, one line each with its line feed, shard by shard. Throws what loading blobs
 * throws, and `format/invalid` at the end where the manifest counts other than so many documents. Memory:
 * one shard's places and some blocks.
 */
export async function* exportLines(
  store: ReadStore,
  manifest: Manifest,
): AsyncGenerator<string, void, undefined> {
  const shards = blobsOf(manifest, "shard");
  const [tombstones] = blobsOf(manifest, "tombstones");
  const dead =
    tombstones === undefined
      ? []
      : deadByShard(readTombstones(await loadEnvelope(store, tombstones)), shards.length);
  let count = 0;
  for (const [at, shard] of shards.entries()) {
    const file = await openDocuments(await openRanged(store, blobsOf(manifest, "documents")[at]!));
    const gone = new Set(dead[at]);
    const block = blockReader(file);
    const places = await readPlaces(store, shard);
    for (let row = 0; row < places.length / 2; row++) {
      if (gone.has(row)) continue;
      yield lineOf((await block(places[2 * row]!)).record(places[2 * row + 1]!));
      count++;
    }
  }
  if (count !== manifest.counts.documents) {
    throw new LightedgeError(
      "format/invalid",
      `The manifest counts ${manifest.counts.documents} documents and the shards hold ${count}.`,
      { field: "documents" },
    );
  }
}

/**
 * A document as one line of JSON: its fields beside its id; or, where reading that would rename a field or
 * take another for the id, `{"id": …, "fields": {…}}`.
 */
export function lineOf({ id, fields }: Pick<StoredDocument, "id" | "fields">): string {
  const flat = { id, ...fields };
  const isPlain = !("id" in fields) && comesBack(flat, id, fields);
  return `${JSON.stringify(isPlain ? flat : { id, fields })}\n`;
}

function comesBack(flat: object, id: string, fields: StoredDocument["fields"]): boolean {
  try {
    const read = documentFromFields(Object.entries(flat), {});
    return read.id === id && canonicalJson(read.fields) === canonicalJson(fields);
  } catch {
    // A renaming that finds both names taken.
    return false;
  }
}

/** Block and record of each document of a shard, as pairs. */
async function readPlaces(store: ReadStore, entry: ShardBlob): Promise<Uint32Array<ArrayBuffer>> {
  const source = await openRanged(store, entry);
  const { documents } = readShardMeta(source.meta);
  const [bytes] = await source.read("places", [{ start: 0, end: source.bytes("places") }]);
  return uint32s(bytes!, 2 * documents, "shard section places");
}

/** Reads blocks ahead: documents lie in the order of their rows. */
function blockReader({ meta, blocks }: Documents): (number: number) => Promise<DocumentBlock> {
  let first = 0;
  let open: readonly DocumentBlock[] = [];
  return async (number) => {
    if (open[number - first] === undefined) {
      first = number;
      const count = Math.max(1, Math.min(BLOCKS_AT_ONCE, meta.blocks - number));
      open = await blocks(Array.from({ length: count }, (_, at) => number + at));
    }
    return open[number - first]!;
  };
}
