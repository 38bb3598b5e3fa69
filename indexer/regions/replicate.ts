/**
 * One index of one region brought to the version that home has: the blobs it lacks, read back there; the manifests;
 * and the pointer last, which only ever goes forward. A run may die anywhere, be run twice or beside another. Decision 0017.
 */
import { LightedgeError } from "../../shared/errors.ts";
import { loadBlob } from "../../shared/format/load.ts";
import { parseManifest } from "../../shared/format/manifest.ts";
import { versionName } from "../../shared/format/names.ts";
import { type Pointer, type StoredPointer, withCheck } from "../../shared/format/pointer.ts";
import { toHex } from "../../shared/hash.ts";
import type { ReadStore, WriteStore } from "../../shared/store/store.ts";
import { readExisting, readPointer } from "../../shared/versions/current.ts";
import { readManifest } from "../../shared/versions/history.ts";
import { keysOf } from "../../shared/versions/references.ts";
import { register } from "../../shared/versions/registry.ts";
import { noteSkipped } from "../../shared/versions/skipped.ts";
import type { PublishPorts } from "../store/publish.ts";
import { readBase } from "../store/publish-version.ts";
import { type NeededBlob, settle } from "../store/settle.ts";
import { type SwapOutcome, swap } from "../store/swap.ts";
import { forked, wayDown } from "./chain.ts";
import { type CopyReport, copyBlobs, type Verify } from "./copy-blobs.ts";

/** What to bring where. */
export interface ReplicateRequest {
  readonly home: ReadStore;
  readonly region: WriteStore;
  readonly index: string;
  readonly verify: Verify;
  /** Called before anything is written, where something has to be; throws where the store is not fit for it. */
  prepare?(): Promise<void>;
  /** Told how many bytes the version has, then of bytes as they are done with. */
  begin?(bytes: number): (bytes: number) => void;
}

/** What became of it. */
export interface Replicated extends CopyReport {
  readonly index: string;
  /** The version that the region has now. */
  readonly version: string;
  readonly seq: number;
  /** False where it had that version already. */
  readonly moved: boolean;
  /** The version that it had before, null for none. */
  readonly from: string | null;
  /** Bytes of blobs that lay there from an older version and were written again to be young. */
  readonly refreshed: number;
}

/** Times that others may move either pointer before this gives up. */
const ATTEMPTS = 5;

/**
 * Brings an index of a region to home's version. Throws `index/not-found` where home has none; `store/conflict`
 * where the region is ahead of home or has a version that home never had; `blob/missing` and `blob/corrupt` as `copyBlobs`; `store/unavailable`
 * where a store is down or does not say whether the pointer was moved. In every case the region serves a whole version.
 */
export async function replicate(request: ReplicateRequest, ports: PublishPorts): Promise<Replicated> {
  const { home, region, index } = request;
  let ahead = false;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const source = await readExisting(home, index);
    const target = await readPointer(region, index);
    const place = placeOf(source.pointer, target?.pointer);
    if (place === "forked") throw forked(index, nameOf(target!), nameOf(source));
    if (place === "ahead") {
      // Home was read first: another run may have brought a version meanwhile that is newer than what we saw.
      if (ahead) throw aheadOfHome(index, target!, source);
      ahead = true;
      continue;
    }
    if (place === "same") return keepSound(request, source);
    const moved = await moveForward(request, source, target, ports);
    if (moved !== null) return moved;
  }
  throw new LightedgeError(
    "store/conflict",
    `Others moved ${index} ${ATTEMPTS} times while it was being replicated. Run it again.`,
    { field: "index", value: index },
  );
}

/** Where a region's pointer stands beside home's. */
export type Standing = "same" | "behind" | "absent" | "ahead" | "forked";

/** Where a region's pointer stands, as far as the two pointers tell. */
export function placeOf(home: Pointer, region: Pointer | undefined): Standing {
  if (region === undefined) return "absent";
  if (region.seq === home.seq) return region.manifest.sha256 === home.manifest.sha256 ? "same" : "forked";
  return region.seq < home.seq ? "behind" : "ahead";
}

/** A region that has the version already: what it lacks of it, or has damaged, is brought again. */
async function keepSound(request: ReplicateRequest, source: StoredPointer): Promise<Replicated> {
  const { home, region, index, verify } = request;
  const { reference, body, manifest } = await manifestOf(home, source);
  const there = await region.head(reference.key);
  if (there?.bytes !== reference.bytes || (verify === "full" && !(await isReadable(region, index, source))))
    await region.put(reference.key, body);
  const advance = request.begin?.(bytesOf(manifest.blobs)) ?? (() => {});
  const known = new Set(keysOf(manifest));
  const report = await copyBlobs({ home, region, blobs: manifest.blobs, known, verify, advance });
  const { seq } = source.pointer;
  const version = nameOf(source);
  return { index, version, seq, moved: false, from: version, refreshed: 0, ...report };
}

/** Copies, then moves the pointer from `base`. Null where it has moved meanwhile. */
async function moveForward(
  request: ReplicateRequest,
  source: StoredPointer,
  base: StoredPointer | null,
  ports: PublishPorts,
): Promise<Replicated | null> {
  const { home, region, index, verify } = request;
  const { reference, body, manifest } = await manifestOf(home, source);
  const way = base === null ? { between: [], whole: true } : await wayDown(home, index, source, base);
  const before = base === null ? null : await readBase(region, base);
  await request.prepare?.();
  // First of all, as every writer: a collection that cannot see the index by its name stops short of deleting.
  await register(region, index, ports);
  const known = new Set(before === null ? [] : keysOf(before));
  const advance = request.begin?.(bytesOf(manifest.blobs)) ?? (() => {});
  const report = await copyBlobs({ home, region, blobs: manifest.blobs, known, verify, advance });
  // Always written, even where they are: a collection goes by their age, and these may be left from a run that died.
  for (const link of way.between) await region.put(link.key, link.body);
  // With a gap in the chain the version that is left would be garbage at once; a young manifest keeps it for those who still read it.
  if (!way.whole && before !== null) await touch(region, base!);
  const { seq } = source.pointer;
  if (seq > (base?.pointer.seq ?? 0) + 1) await noteSkipped(region, index, seq - 1, ports);
  const needed = manifest.blobs.filter(({ key }) => !known.has(key));
  const unsettled = { index, manifest: { key: reference.key, body }, blobs: needed };
  const end = await settleAndSwap(region, unsettled, source, base, ports);
  if (end === null) return null;
  const from = base === null ? null : nameOf(base);
  return { index, version: nameOf(source), seq, moved: true, from, refreshed: end.refreshed, ...report };
}

/** The last steps of every writer: what is needed is made young, then the pointer is written upon the one that was read. */
async function settleAndSwap(
  region: WriteStore,
  unsettled: {
    readonly index: string;
    readonly manifest: { readonly key: string; readonly body: Uint8Array<ArrayBuffer> };
    readonly blobs: readonly NeededBlob[];
  },
  source: StoredPointer,
  from: StoredPointer | null,
  ports: PublishPorts,
): Promise<{ readonly refreshed: number } | null> {
  const { index } = unsettled;
  const { seq, parent, manifest, format } = source.pointer;
  let base = from;
  let refreshed = 0;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    refreshed += await settle(region, { ...unsettled, base }, ports);
    const commit_id = toHex(ports.randomBytes(16));
    const pointer = withCheck({ format, seq, commit_id, parent, manifest });
    const outcome: SwapOutcome = await swap(region, index, base, pointer, ports);
    if (outcome.kind === "committed") return { refreshed };
    if (outcome.kind === "conflict") return null;
    if (outcome.kind === "unknown") throw unclear(index, outcome.cause);
    // A collection has written the pointer again: what was settled was settled under the old one.
    base = outcome.current;
  }
  return null;
}

async function manifestOf(home: ReadStore, { pointer }: StoredPointer) {
  const reference = pointer.manifest;
  const body = await loadBlob(home, reference);
  return { reference, body, manifest: parseManifest(body) };
}

async function isReadable(region: ReadStore, index: string, { pointer }: StoredPointer): Promise<boolean> {
  try {
    return (await readManifest(region, index, pointer.manifest.sha256)) !== null;
  } catch (error) {
    if (error instanceof LightedgeError && error.code === "blob/corrupt") return false;
    throw error;
  }
}

/** Writes the manifest of a version again, so that it is young. */
async function touch(region: WriteStore, { pointer }: StoredPointer): Promise<void> {
  await region.put(pointer.manifest.key, await loadBlob(region, pointer.manifest));
}

function bytesOf(blobs: readonly NeededBlob[]): number {
  return blobs.reduce((sum, { bytes }) => sum + bytes, 0);
}

function nameOf({ pointer }: StoredPointer): string {
  return versionName(pointer.seq, pointer.manifest.sha256);
}

function aheadOfHome(index: string, target: StoredPointer, source: StoredPointer): LightedgeError {
  return new LightedgeError(
    "store/conflict",
    `This region has ${index} ${nameOf(target)} and home has ${nameOf(source)}: a region is never taken back. If home was restored from a copy, publish to it until it is ahead, or delete indexes/${index}/current.json from the region's store and run it again.`,
    { field: "index", value: index },
  );
}

function unclear(index: string, cause: unknown): LightedgeError {
  return new LightedgeError(
    "store/unavailable",
    `The store did not say whether the pointer of ${index} was moved. Run it again: what is done is not done twice.`,
    { field: "index", value: index },
    cause,
  );
}
