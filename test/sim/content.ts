/**
 * Artificial versions: a few documents in buckets, each bucket a blob of a hundred bytes. They go
 * through the publishing, rolling back and collecting of the product, to which a blob is a blob.
 */

import type { Publisher, VersionContent } from "../../indexer/store/publish-version.ts";
import type { WrittenFile } from "../../shared/format/envelope.ts";
import { loadBlob } from "../../shared/format/load.ts";
import { type BlobEntry, blobsOf, type Manifest } from "../../shared/format/manifest.ts";
import { type Sha256, sha256 } from "../../shared/hash.ts";
import type { ReadStore } from "../../shared/store/store.ts";

/** What a version says. */
export interface Content {
  /** Texts by id. */
  readonly documents: ReadonlyMap<string, string>;
  /** Which table it was made with. */
  readonly table: number;
}

/** What a run does to the version before: texts by id, null for documents that are gone. */
export interface Change {
  readonly texts: ReadonlyMap<string, string | null>;
  /** Makes a new table and puts everything anew, as a full run does. */
  readonly table?: number;
}

/** The content of an index that has no version. */
export const NOTHING: Content = { documents: new Map(), table: 0 };

const BUCKETS = 3;
const ZEROS = "0".repeat(64) as Sha256;
/** The shortest file that a manifest can name. */
const SHORTEST = 64;

/** A content after a change. */
export function changed(content: Content, { texts, table }: Change): Content {
  const documents = new Map(content.documents);
  for (const [id, text] of texts) {
    if (text === null) documents.delete(id);
    else documents.set(id, text);
  }
  return { documents, table: table ?? content.table };
}

/** A content as one text: equal for equal contents. */
export function spelled({ documents, table }: Content): string {
  return JSON.stringify({ table, documents: [...documents].sort(([a], [b]) => (a < b ? -1 : 1)) });
}

/** Puts what a version is made of, all of it or what `base` does not have, and gives what its manifest says. */
export async function putContent(
  publisher: Publisher,
  index: string,
  content: Content,
  base: Manifest | null,
): Promise<VersionContent> {
  const known = new Map(base?.blobs.map((blob) => [blob.sha256, blob]));
  const put = async (text: string) => {
    const file = await fileOf(text);
    const same = known.get(file.sha256);
    if (same === undefined) return publisher.put(file);
    const { key, sha256: digest, bytes, head } = same;
    return { key, sha256: digest, bytes, head };
  };
  const table = await put(`table ${content.table}`);
  const blobs: BlobEntry[] = [
    { role: "tokenizer", ...(await put("tokenizer")) },
    { role: "table", task: "search", ...table },
  ];
  const buckets = bucketsOf(content);
  for (const [ordinal, text] of buckets.entries()) {
    blobs.push({ role: "shard", ordinal, ...(await put(`shard of ${text}`)) });
  }
  for (const [ordinal, text] of buckets.entries()) {
    blobs.push({ role: "documents", ordinal, ...(await put(text)) });
  }
  const count = content.documents.size;
  return {
    index,
    model: { name: "none", encoder: ZEROS, dimension: 1, vocabulary: 1, max_tokens: 1 },
    tasks: [{ name: "search", query_prompt: "", table: table.sha256 }],
    fusion: { rule: "minmax", weight: 0.5 },
    counts: { documents: count, chunks: count, rejected: 0 },
    fields: [],
    blobs,
  };
}

/** Reads what a version says, every byte checked. Throws as the loading of blobs does. */
export async function readContent(store: ReadStore, manifest: Manifest): Promise<Content> {
  const texts = [];
  for (const blob of blobsOf(manifest, "documents")) texts.push(plain(await loadBlob(store, blob)));
  const table = plain(await loadBlob(store, blobsOf(manifest, "table")[0]!));
  return contentOf(table, texts);
}

/** A content from the texts of its blobs. */
export function contentOf(table: string, buckets: readonly string[]): Content {
  const entries = buckets.flatMap((text) => JSON.parse(text) as [string, string][]);
  return { documents: new Map(entries), table: Number(table.split(" ")[1]) };
}

/** The documents by bucket, as JSON; buckets without documents left out. */
function bucketsOf({ documents }: Content): readonly string[] {
  const buckets = Array.from({ length: BUCKETS }, (): [string, string][] => []);
  for (const [id, text] of [...documents].sort(([a], [b]) => (a < b ? -1 : 1))) {
    buckets[id.charCodeAt(0) % BUCKETS]!.push([id, text]);
  }
  return buckets.filter((bucket) => bucket.length > 0).map((bucket) => JSON.stringify(bucket));
}

async function fileOf(text: string): Promise<WrittenFile> {
  const bytes = new TextEncoder().encode(text.padEnd(SHORTEST));
  return { bytes, sha256: await sha256(bytes), head: { bytes: SHORTEST, sha256: ZEROS } };
}

function plain(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
