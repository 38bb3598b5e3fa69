/** An index from the store into memory: pointer, manifest, tokenizer, tables, lexicon, shards, each checked on the way. */
import { LightedgeError } from "../errors.ts";
import { checkBinding } from "../format/binding.ts";
import { readClusters } from "../format/clusters.ts";
import { openDocuments } from "../format/documents.ts";
import { readLexicon } from "../format/lexicon.ts";
import { loadEnvelope, loadManifest, openRanged } from "../format/load.ts";
import { type BlobEntry, blobsOf, type Manifest } from "../format/manifest.ts";
import { pointerKey, versionName } from "../format/names.ts";
import { readOverlay } from "../format/overlay.ts";
import { PLAN_LIMITS } from "../format/plan.ts";
import { type ManifestReference, type Pointer, parsePointer } from "../format/pointer.ts";
import { readShardMeta } from "../format/shard.ts";
import { AS_ONE, IN_PIECES } from "../format/streamed.ts";
import { readTokenizerFile } from "../format/tokenizer-file.ts";
import { deadByShard, readTombstones } from "../format/tombstones.ts";
import { MEMORY_LIMITS, REQUEST_LIMITS } from "../limits.ts";
import { noIndexNamed } from "../store/keys.ts";
import type { ReadStore } from "../store/store.ts";
import { loadTokenizer } from "../tokenizer/load.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { Placement } from "../types.ts";
import type { EnginePorts, OpenIndex } from "./api.ts";
import { residentClusters } from "./clusters.ts";
import { BlockCache } from "./document-reader.ts";
import { FreshSlot } from "./fresh-slot.ts";
import { residentLexicon, residentLexiconBytes } from "./lexicon.ts";
import { liveShards } from "./live-shards.ts";
import { isolateBytesOf, placementOf, roomFor } from "./placement.ts";
import { remoteShards } from "./remote-shards.ts";
import { loadShard, residentShardBytes } from "./resident.ts";
import { loadTable, residentTableBytes } from "./resident-table.ts";
import { localShards } from "./shards.ts";
import { SharedParts } from "./shared-parts.ts";
import type { ShardAddress } from "./wire.ts";
import { openOver } from "./with-writes.ts";

/** How much of an index may be kept in memory. */
export interface OpenOptions {
  /**
   * Bytes for tables and shards, or what gives them once it is known, before any blob is read, how many are needed: who
   * keeps several indexes makes room then. `MEMORY_LIMITS.residentBytes` when absent.
   */
  readonly residentBytes?: number | ((neededBytes: number) => number);
  /** Bytes that decide where shards are kept; `residentBytes` where that is a number, when absent. */
  readonly budgetBytes?: number;
  /** Bytes of a query table that is kept whole, and of what is kept of a larger one; `MEMORY_LIMITS.tableBytes` when absent. */
  readonly tableBytes?: number;
  /** Where inflated document blocks are kept; a cache of its own of `MEMORY_LIMITS.documentCacheBytes` when absent. */
  readonly blocks?: BlockCache;
  /** Where parts are found that another version or index has; each is loaded anew when absent. */
  readonly parts?: SharedParts;
}

/** The pointer of an index, checked. Throws `index/not-found` where there is none. Cost: one read. */
export async function readCurrent(store: ReadStore, name: string): Promise<Pointer> {
  const object = await store.get(pointerKey(name));
  if (object === null) throw noIndexNamed(name);
  return parsePointer(object.body, name);
}

/**
 * Loads the current version of an index; of one that is too large for the budget all but its shards, where the ports
 * lead to objects that keep those. Throws `index/not-found`, `index/too-many-shards` and `index/too-large` before anything is loaded that would not
 * fit, `binding/mismatch`, and what loading a blob throws.
 * Cost: one read each for pointer, manifest and blob; of documents no more than their beginning.
 */
export async function openIndex(
  ports: EnginePorts,
  name: string,
  options: OpenOptions = {},
): Promise<OpenIndex> {
  const pointer = await readCurrent(ports.store, name);
  const manifest = await loadManifest(ports.store, pointer.manifest);
  const { residentBytes: allowed = MEMORY_LIMITS.residentBytes } = options;
  const { shards: port } = ports;
  const placement = placementOf(manifest, {
    budgetBytes: options.budgetBytes ?? (typeof allowed === "number" ? allowed : MEMORY_LIMITS.residentBytes),
    objects: port !== undefined,
  });
  checkShards(manifest);
  const cap = typeof allowed === "number" ? allowed : allowed(roomFor(manifest, placement));
  checkSize(manifest, placement, cap);
  const parts = await loadParts(ports, manifest, placement, cap, options);
  const { documents: files, overlay, shards, dead, ...searcher } = parts;
  const remote =
    port === undefined || placement === "isolate"
      ? null
      : remoteShards({ port, now: ports.now }, addressesOf(ports.region, manifest, pointer.manifest));
  const overlayBytes = blobsOf(manifest, "overlay").reduce((sum, { bytes }) => sum + bytes, 0);
  const residentBytes =
    overlayBytes +
    parts.tables.reduce((sum, table) => sum + residentTableBytes(table), 0) +
    shards.reduce((sum, shard) => sum + residentShardBytes(shard), 0) +
    (parts.lexicon === null ? 0 : residentLexiconBytes(parts.lexicon)) +
    (parts.clusters?.residentBytes ?? 0);
  const blocks = options.blocks ?? new BlockCache(MEMORY_LIMITS.documentCacheBytes);
  const version = versionName(pointer.seq, pointer.manifest.sha256);
  return openOver({
    facts: {
      ...{ name, manifest, version, manifestSha256: pointer.manifest.sha256, residentBytes, overlay },
      ...{ placement, warm: remote === null ? async () => undefined : () => remote.ready() },
    },
    searcher: {
      ...{ name, version, manifest, ports, ...searcher },
      shards: remote ?? localShards(liveShards(shards, dead)),
    },
    files,
    blocks,
    impactScale:
      shards[0]?.meta.impact_scale ??
      manifest.build?.impact_scale ??
      (await impactScaleOf(ports.store, manifest)),
    slot: new FreshSlot(() => ports.kernels(MEMORY_LIMITS.waitingBytes)),
  });
}

/** What impacts were multiplied by, of a version that does not say so itself and whose shards are elsewhere. Cost: one read. */
async function impactScaleOf(store: ReadStore, manifest: Manifest): Promise<number> {
  const [first] = blobsOf(manifest, "shard");
  if (first === undefined) return 1;
  return readShardMeta((await openRanged(store, first)).meta).impact_scale;
}

function addressesOf(
  region: string,
  manifest: Manifest,
  reference: ManifestReference,
): readonly ShardAddress[] {
  return blobsOf(manifest, "shard").map(({ ordinal, sha256 }) => ({
    ...{ region, index: manifest.index, ordinal, sha256 },
    manifest: reference,
  }));
}

function checkShards(manifest: Manifest): void {
  const shards = blobsOf(manifest, "shard").length;
  const limit = REQUEST_LIMITS.shards;
  if (shards <= limit) return;
  throw new LightedgeError(
    "index/too-many-shards",
    `A query to the index ${manifest.index} would touch ${shards} shards and ${limit} are allowed. Rebuild it with larger shards.`,
    { field: "index", value: manifest.index, limit },
  );
}

function checkSize(manifest: Manifest, placement: Placement, cap: number): void {
  const bytes = isolateBytesOf(manifest, placement);
  if (bytes <= cap) return;
  throw new LightedgeError(
    "index/too-large",
    `The index ${manifest.index} needs ${bytes} bytes of memory and ${cap} are allowed. Index fewer documents or raise the budget.`,
    { field: "index", value: manifest.index, limit: cap },
  );
}

/** Blocks of a documents file that are read with its head: the directory is first, and of 8,000 blocks in one. */
const DIRECTORY_BLOCKS = 1;

/** Keeps what a tokenizer's file says for as long as somebody has the tokenizer, so that it is found with it. */
const TOKENIZER_FILES = new WeakMap<Tokenizer, object>();

async function loadParts(
  ports: EnginePorts,
  manifest: Manifest,
  placement: Placement,
  cap: number,
  { tableBytes, parts = new SharedParts() }: OpenOptions,
) {
  const { store } = ports;
  const [tokenizerBlob] = blobsOf(manifest, "tokenizer");
  // What is read at once is in memory several times over until it lies where it stays. A small
  // index gains a quick cold start by that; a large one comes part by part, in pieces.
  const small = manifest.blobs.reduce((sum, { bytes }) => sum + bytes, 0) <= cap / 3;
  const limits = small ? AS_ONE : IN_PIECES;
  const turn = small ? <T>(load: () => Promise<T>) => load() : oneByOne();
  const part = <T extends object>(blob: BlobEntry, load: (blob: BlobEntry) => Promise<T>) =>
    turn(() => parts.get(ports.region, blob, () => load(blob)));
  const each = <T extends object>(role: BlobEntry["role"], load: (blob: BlobEntry) => Promise<T>) =>
    Promise.all(blobsOf(manifest, role).map((blob) => part(blob, load)));
  const here = placement === "isolate";
  const [tokenizer, tables, lexicons, clusters, shards, documents, tombstones, overlays] = await Promise.all([
    part(tokenizerBlob!, async (blob) => {
      const content = readTokenizerFile(await loadEnvelope(store, blob));
      const file = { meta: content.meta, tokenizer: loadTokenizer(content.value) };
      TOKENIZER_FILES.set(file.tokenizer, file);
      return file;
    }),
    each("table", (blob) => loadTable(store, blob, ports.kernels(cap), limits, tableBytes)),
    each("lexicon", async (blob) => residentLexicon(readLexicon(await loadEnvelope(store, blob)))),
    each("clusters", async (blob) =>
      residentClusters(readClusters(await loadEnvelope(store, blob)), ports.kernels(cap)),
    ),
    here ? each("shard", (blob) => loadShard(store, blob, ports.kernels(cap), limits)) : [],
    // Of these no more than directories is read, so they need not take turns.
    Promise.all(
      blobsOf(manifest, "documents").map(async (blob) => ({
        sha256: blob.sha256,
        documents: await openDocuments(await openRanged(store, blob, PLAN_LIMITS, DIRECTORY_BLOCKS)),
      })),
    ),
    here ? each("tombstones", async (blob) => readTombstones(await loadEnvelope(store, blob))) : [],
    each("overlay", async (blob) => readOverlay(await loadEnvelope(store, blob))),
  ]);
  await checkBinding(manifest, {
    tokenizer: tokenizer.meta,
    tables: tables.map(({ meta }) => meta),
    shards: shards.map(({ meta }) => meta),
    ...(clusters[0] === undefined ? {} : { clusters: clusters[0].meta }),
  });
  return {
    tokenizer: tokenizer.tokenizer,
    tables,
    lexicon: lexicons[0] ?? null,
    clusters: clusters[0] ?? null,
    shards,
    dead: tombstones[0] === undefined ? [] : deadByShard(tombstones[0], shards.length),
    documents,
    overlay: overlays[0] ?? null,
  };
}

/** Runs loads one after the other, in the order they are asked for, and none once one has failed. */
function oneByOne(): <T>(load: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (load) => {
    const next = last.then(load);
    last = next;
    return next;
  };
}
