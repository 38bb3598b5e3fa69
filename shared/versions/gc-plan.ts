/** What may be deleted: a pure function of what was found and of the time. Decision 0011. */

import { LightedgeError } from "../errors.ts";
import type { CurrentSince, GcClock } from "../format/gc-clock.ts";
import { pointerKey, versionName } from "../format/names.ts";
import type { Sha256 } from "../hash.ts";
import type { GcFacts, IndexFacts, ManifestFacts, Stored } from "./gc-facts.ts";
import { FRESH_MS } from "./times.ts";

/** What a collection is to leave. */
export interface Retention {
  /** How long a version stands after it was replaced, in ms. */
  readonly graceMs: number;
  /** Newest versions of each index that stand whatever their age, at least 1. */
  readonly keep: number;
  /** Lets go of versions of this index only; of all when absent. */
  readonly index?: string;
}

/** A version that stays. */
export interface KeptVersion {
  readonly index: string;
  readonly seq: number;
  readonly version: string;
}

/** What a collection is about to do. */
export interface GcPlan {
  /** Versions that stay, newest first for each index. */
  readonly kept: readonly KeptVersion[];
  /** By index, digests of all manifests that stay, those of commits under way included. */
  readonly retained: ReadonlyMap<string, ReadonlySet<Sha256>>;
  /** To be deleted in this order: manifests after everything they name. */
  readonly blobs: readonly Stored[];
  readonly manifests: readonly Stored[];
  /** What the clock says before this begins. */
  readonly clock: Pick<GcClock, "released" | "current">;
  /** Indexes whose pointer must be written again first, so that no writer that has slept since commits upon it. */
  readonly touches: readonly string[];
  /** Whether an object of this age is old enough to be deleted. */
  isOld(object: Pick<Stored, "modified">): boolean;
}

/**
 * Plans. `now` is the store's time, not after that of the facts. Throws, so that nothing is deleted, when a manifest that
 * stays cannot be read or is lost, and for a registered index without a pointer.
 */
export function planCollection(facts: GcFacts, now: number, retention: Retention): GcPlan {
  const isOld = ({ modified }: Pick<Stored, "modified">) => modified < now - retention.graceMs - FRESH_MS;
  const isYoung = (time: number) => time >= now - retention.graceMs;
  const kept: KeptVersion[] = [];
  const needed = new Set<string>();
  const retained = new Map<string, ReadonlySet<Sha256>>();
  const manifests: Stored[] = [];
  const released: Record<string, number> = { ...facts.clock.released };
  for (const index of facts.indexes) {
    checkPointer(index);
    const selected = retention.index === undefined || retention.index === index.name;
    const floor = facts.clock.released[index.name] ?? 0;
    const chain = selected
      ? retainedVersions(index, floor, retention.keep, currentSince(index, facts), isYoung, isOld)
      : everyVersion(index, floor);
    const own = new Set(chain.kept.map(({ sha256 }) => sha256));
    for (const [sha256, manifest] of index.manifests) {
      if (selected && isOld(manifest)) continue;
      for (const stays of [sha256, parentOf(manifest)])
        if (stays !== null && index.manifests.has(stays)) own.add(stays);
    }
    for (const sha256 of own) for (const key of readable(index, sha256).keys) needed.add(key);
    for (const [sha256, manifest] of index.manifests) if (!own.has(sha256)) manifests.push(manifest);
    for (const { seq, sha256 } of chain.kept)
      kept.push({ index: index.name, seq, version: versionName(seq, sha256) });
    const gone = chain.gone.filter(({ sha256 }) => !own.has(sha256)).map(({ seq }) => seq);
    if (gone.length > 0) released[index.name] = Math.max(floor, ...gone);
    retained.set(index.name, own);
  }
  const touched = facts.indexes.filter(({ pointer }) => pointer !== null && !isYoung(pointer.modified));
  const current: Record<string, CurrentSince> = {};
  for (const index of facts.indexes) {
    const seq = index.pointer?.pointer.seq;
    const noted = facts.clock.current[index.name];
    if (seq !== undefined && (touched.includes(index) || noted?.seq === seq))
      current[index.name] = { seq, since: currentSince(index, facts) };
  }
  return {
    kept,
    retained,
    blobs: facts.blobs.filter((blob) => isOld(blob) && !needed.has(blob.key)),
    manifests: manifests.filter(isOld).sort((a, b) => a.modified - b.modified),
    clock: { released, current },
    touches: touched.map(({ name }) => name),
    isOld,
  };
}

/** When the pointer came to name the version that it names, in ms; infinity where there is none. */
function currentSince({ name, pointer }: IndexFacts, { clock }: GcFacts): number {
  if (pointer === null) return Number.POSITIVE_INFINITY;
  const noted = clock.current[name];
  return noted?.seq === pointer.pointer.seq ? Math.min(noted.since, pointer.modified) : pointer.modified;
}

interface Place {
  readonly seq: number;
  readonly sha256: Sha256;
}

/** The versions of the chain that stay, newest first, and those that go. */
interface Chain {
  readonly kept: readonly Place[];
  readonly gone: readonly Place[];
}

function retainedVersions(
  index: IndexFacts,
  floor: number,
  keep: number,
  since: number,
  isYoung: (time: number) => boolean,
  isOld: (manifest: ManifestFacts) => boolean,
): Chain {
  const chain: (Place & { readonly manifest: ManifestFacts })[] = [];
  const kept: Place[] = [];
  const gone: Place[] = [];
  for (const place of placesOf(index)) {
    const at = chain.length;
    // The moment a version was replaced is the time of a pointer that is there no longer. It lies before the
    // next manifest but one was written, since that one's writer had read it.
    const replacedBefore = at === 1 ? since : chain[at - 2]?.manifest.modified;
    const stays =
      at < keep ||
      (replacedBefore !== undefined && isYoung(replacedBefore)) ||
      !isOld(chain[at - 1]!.manifest);
    const manifest = index.manifests.get(place.sha256);
    if (manifest === undefined) {
      if (stays && (at === 0 || place.seq > floor)) throw lost(index.name, place);
      break;
    }
    if (stays) kept.push(place);
    else gone.push(place);
    chain.push({ ...place, manifest });
  }
  return { kept, gone };
}

/** All versions of an index whose old ones are not let go of. */
function everyVersion(index: IndexFacts, floor: number): Chain {
  const places = [...placesOf(index)];
  const last = places.at(-1);
  if (last !== undefined && !index.manifests.has(last.sha256)) {
    if (places.length === 1 || last.seq > floor) throw lost(index.name, last);
    places.pop();
  }
  return { kept: places, gone: [] };
}

/** The chain from the pointer, up to and with the first manifest that is not there or cannot be read. */
function* placesOf(index: IndexFacts): Generator<Place, void, undefined> {
  if (index.pointer === null) return;
  const { pointer } = index.pointer;
  let place: Place | null = { seq: pointer.seq, sha256: pointer.manifest.sha256 };
  while (place !== null) {
    yield place;
    const manifest = index.manifests.get(place.sha256);
    const parent: Sha256 | null = manifest === undefined ? null : parentOf(manifest);
    place = parent === null ? null : { seq: place.seq - 1, sha256: parent };
  }
}

function parentOf({ content }: ManifestFacts): Sha256 | null {
  return content.kind === "read" ? content.parent : null;
}

function readable(index: IndexFacts, sha256: Sha256): { readonly keys: readonly string[] } {
  const { key, content } = index.manifests.get(sha256)!;
  if (content.kind === "read") return content;
  const { code, message } = content.reason;
  throw new LightedgeError(
    code,
    `Nothing was deleted, since what ${index.name} needs is not certain. ${message}`,
    { blob: key },
    content.reason,
  );
}

/** An index that is registered and has no pointer is being published for the first time, or its pointer was lost. */
function checkPointer({ name, registered, pointer }: IndexFacts): void {
  if (!registered || pointer !== null) return;
  throw new LightedgeError(
    "index/not-found",
    `Nothing was deleted: ${name} is registered and has no ${pointerKey(name)}. Its first run is under way, or died: run it again. If it is never to be published, let go of its name: lightedge gc --forget ${name}.`,
    { field: "index", value: name },
  );
}

function lost(index: string, { seq, sha256 }: Place): LightedgeError {
  return new LightedgeError(
    "blob/missing",
    `Nothing was deleted: the manifest of ${index} ${versionName(seq, sha256)} is gone, and no collection has taken it.`,
    { field: "index", value: index },
  );
}
