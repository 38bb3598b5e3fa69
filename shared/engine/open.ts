/** An index from the store into memory: pointer, manifest, tokenizer, tables, lexicon, shards, each checked on the way. */
import { LightedgeError } from "../errors.ts";
import { checkBinding } from "../format/binding.ts";
import { openDocuments } from "../format/documents.ts";
import { readLexicon } from "../format/lexicon.ts";
import { loadEnvelope, loadManifest, openRanged } from "../format/load.ts";
import { type BlobEntry, blobsOf, type Manifest } from "../format/manifest.ts";
import { pointerKey } from "../format/names.ts";
import { type Pointer, parsePointer } from "../format/pointer.ts";
import { readShard } from "../format/shard.ts";
import { readTable } from "../format/table.ts";
import { readTokenizerFile } from "../format/tokenizer-file.ts";
import { MEMORY_LIMITS } from "../limits.ts";
import type { ReadStore } from "../store/store.ts";
import { loadTokenizer } from "../tokenizer/load.ts";
import type { EnginePorts, OpenIndex } from "./api.ts";
import { BlockCache, DocumentReader } from "./document-reader.ts";
import { type ResidentLexicon, residentLexicon, residentLexiconBytes } from "./lexicon.ts";
import {
  type ResidentShard,
  type ResidentTable,
  residentShard,
  residentShardBytes,
  residentTable,
  residentTableBytes,
} from "./resident.ts";
import { createSearcher } from "./search.ts";

/** How much of an index may be kept in memory. */
export interface OpenOptions {
  /** Bytes for tables and shards; `MEMORY_LIMITS.residentBytes` when absent. */
  readonly residentBytes?: number;
  /** Where inflated document blocks are kept; a cache of its own of `MEMORY_LIMITS.documentCacheBytes` when absent. */
  readonly blocks?: BlockCache;
}

/** The pointer of an index, checked. Throws `index/not-found` where there is none. Cost: one read. */
export async function readCurrent(store: ReadStore, name: string): Promise<Pointer> {
  const object = await store.get(pointerKey(name));
  if (object === null) {
    throw new LightedgeError("index/not-found", `There is no index named ${name}.`, {
      field: "index",
      value: name,
    });
  }
  return parsePointer(object.body, name);
}

/**
 * Loads the current version of an index. Throws `index/not-found`, `index/too-large` before
 * anything is loaded that would not fit, `binding/mismatch`, and what loading a blob throws.
 * Cost: one read each for pointer, manifest and blob; for documents two, of head and directory alone.
 */
export async function openIndex(
  ports: EnginePorts,
  name: string,
  options: OpenOptions = {},
): Promise<OpenIndex> {
  const pointer = await readCurrent(ports.store, name);
  const manifest = await loadManifest(ports.store, pointer.manifest);
  const cap = options.residentBytes ?? MEMORY_LIMITS.residentBytes;
  checkSize(manifest, cap);
  const parts = await loadParts(ports, manifest, cap);
  const residentBytes =
    parts.tables.reduce((sum, table) => sum + residentTableBytes(table), 0) +
    parts.shards.reduce((sum, shard) => sum + residentShardBytes(shard), 0) +
    (parts.lexicon === null ? 0 : residentLexiconBytes(parts.lexicon));
  const blocks = options.blocks ?? new BlockCache(MEMORY_LIMITS.documentCacheBytes);
  const documents = new DocumentReader(parts.documents, blocks);
  const version = `${pointer.seq}-${pointer.manifest.sha256.slice(0, 8)}`;
  const searcher = createSearcher({ name, version, manifest, ports, ...parts, documents });
  return { name, manifest, version, manifestSha256: pointer.manifest.sha256, residentBytes, ...searcher };
}

/** Stored and resident bytes of tables, shards and lexicons are about equal: blobs are laid out as memory is. */
function checkSize(manifest: Manifest, cap: number): void {
  const bytes = manifest.blobs
    .filter(({ role }) => role === "table" || role === "shard" || role === "lexicon")
    .reduce((sum, blob) => sum + blob.bytes, 0);
  if (bytes <= cap) return;
  throw new LightedgeError(
    "index/too-large",
    `The index ${manifest.index} needs ${bytes} bytes of memory and ${cap} are allowed. Index fewer documents or raise the budget.`,
    { field: "index", value: manifest.index, limit: cap },
  );
}

async function loadParts(ports: EnginePorts, manifest: Manifest, cap: number) {
  const { store } = ports;
  const [tokenizerBlob] = blobsOf(manifest, "tokenizer");
  const loads = {
    tokenizer: async () => {
      const content = readTokenizerFile(await loadEnvelope(store, tokenizerBlob!));
      return { meta: content.meta, tokenizer: loadTokenizer(content.value) };
    },
    table: async (blob: BlobEntry): Promise<ResidentTable> =>
      residentTable(readTable(await loadEnvelope(store, blob)), ports.kernels(cap)),
    lexicon: async (blob: BlobEntry): Promise<ResidentLexicon> =>
      residentLexicon(readLexicon(await loadEnvelope(store, blob))),
    shard: async (blob: BlobEntry): Promise<ResidentShard> =>
      residentShard(readShard(await loadEnvelope(store, blob)), ports.kernels(cap)),
  };
  // A blob is in memory twice while it is copied to the kernels. Small indexes load all at
  // once, which a cold start gains from; large ones part by part.
  const gentle = manifest.blobs.reduce((sum, { bytes }) => sum + bytes, 0) > cap / 3;
  const [tokenizer, tables, lexicons, shards, documents] = await Promise.all([
    loads.tokenizer(),
    each(blobsOf(manifest, "table"), loads.table, gentle),
    each(blobsOf(manifest, "lexicon"), loads.lexicon, gentle),
    each(blobsOf(manifest, "shard"), loads.shard, gentle),
    each(
      blobsOf(manifest, "documents"),
      async (blob) => ({
        sha256: blob.sha256,
        documents: await openDocuments(await openRanged(store, blob)),
      }),
      gentle,
    ),
  ]);
  await checkBinding(manifest, {
    tokenizer: tokenizer.meta,
    tables: tables.map(({ meta }) => meta),
    shards: shards.map(({ meta }) => meta),
  });
  return { tokenizer: tokenizer.tokenizer, tables, lexicon: lexicons[0] ?? null, shards, documents };
}

async function each<A, B>(items: readonly A[], load: (item: A) => Promise<B>, inTurn: boolean): Promise<B[]> {
  if (!inTurn) return Promise.all(items.map(load));
  const loaded: B[] = [];
  for (const item of items) loaded.push(await load(item));
  return loaded;
}
