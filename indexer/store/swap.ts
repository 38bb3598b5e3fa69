/** The one conditional write that makes a version current, and finding out what became of it where the store does not say. */
import { LightedgeError } from "../../shared/errors.ts";
import { type Pointer, type StoredPointer, serializePointer } from "../../shared/format/pointer.ts";
import { pointerKey } from "../../shared/store/keys.ts";
import type { PutOutcome, ReadStore, WriteStore } from "../../shared/store/store.ts";
import { readPointer } from "../../shared/versions/current.ts";
import { history } from "../../shared/versions/history.ts";

/** Waits before each try of the conditional write. R2 takes one write a second for a key. */
const TRY_WAITS_MS = [0, 1000, 2000];
/** Versions that are looked through for our own. Each took its writer seconds at least. */
const DEEPEST = 1000;

/** What became of the write. */
export type SwapOutcome =
  | { readonly kind: "committed"; readonly pointer: Pointer }
  /** Another writer's version is current, and ours is none of those before it. */
  | { readonly kind: "conflict" }
  /** The base is current, and its pointer was written again: a collection has locked out writers that sleep. */
  | { readonly kind: "touched"; readonly current: StoredPointer }
  /** The write may or may not have happened, or may yet. */
  | { readonly kind: "unknown"; readonly cause: unknown };

/**
 * Moves the pointer, and finds out what happened where the store does not say. A conflict
 * may be our own: a client below us that repeats a request whose answer was lost is refused
 * by what it wrote itself. So both a conflict and an error are settled by reading.
 */
export async function swap(
  store: WriteStore,
  index: string,
  base: StoredPointer | null,
  pointer: Pointer,
  ports: { pause(milliseconds: number): Promise<void> },
): Promise<SwapOutcome> {
  const body = serializePointer(pointer);
  const key = pointerKey(index);
  let failure: { readonly cause: unknown } | undefined;
  for (const wait of TRY_WAITS_MS) {
    if (wait > 0) await ports.pause(wait);
    let outcome: PutOutcome | undefined;
    try {
      outcome = await (base === null ? store.putIfAbsent(key, body) : store.putIfMatch(key, body, base.etag));
    } catch (cause) {
      failure ??= { cause };
    }
    if (outcome?.kind === "written") return { kind: "committed", pointer };
    try {
      const found = await lookUp(store, index, base, pointer);
      // The base still stands, so the write was lost or is late: the same bytes again, with
      // the same commit id, are refused or harmless if it lands after all.
      if (found !== null) return found;
    } catch (error) {
      return { kind: "unknown", cause: failure?.cause ?? error };
    }
  }
  return failure === undefined ? { kind: "conflict" } : { kind: "unknown", cause: failure.cause };
}

/** What the pointer says of our write; null where it is still the base's. */
async function lookUp(
  store: ReadStore,
  index: string,
  base: StoredPointer | null,
  ours: Pointer,
): Promise<SwapOutcome | null> {
  const current = await readPointer(store, index);
  if (current?.etag === base?.etag) return null;
  if (current === null) return { kind: "conflict" };
  if (current.pointer.commit_id === ours.commit_id) return { kind: "committed", pointer: ours };
  if (base !== null && isSameVersion(current.pointer, base.pointer)) return { kind: "touched", current };
  return (await includes(store, index, current, ours))
    ? { kind: "committed", pointer: ours }
    : { kind: "conflict" };
}

/** Whether the current version is ours or was committed, however deep, on top of ours. */
async function includes(
  store: ReadStore,
  index: string,
  current: StoredPointer,
  ours: Pointer,
): Promise<boolean> {
  const { pointer } = current;
  const above = pointer.seq - ours.seq;
  if (above < 0) return false;
  // With the same manifest in the same place it is our version, whoever wrote the pointer last.
  if (above === 0) return pointer.manifest.sha256 === ours.manifest.sha256;
  if (above === 1) return pointer.parent === ours.manifest.sha256;
  if (above > DEEPEST) throw lost(index, `${above} versions were committed since`);
  for await (const link of history(store, index, current)) {
    if (link.seq === ours.seq) return link.sha256 === ours.manifest.sha256;
    if (link.kind !== "version") break;
  }
  throw lost(index, "the chain of its versions is broken");
}

function isSameVersion(a: Pointer, b: Pointer): boolean {
  return a.seq === b.seq && a.manifest.sha256 === b.manifest.sha256;
}

function lost(index: string, why: string): LightedgeError {
  const message = `Whether a version is among those of ${index} cannot be told: ${why}.`;
  return new LightedgeError("store/unavailable", message, { field: "index", value: index });
}
