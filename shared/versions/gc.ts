/**
 * Garbage collection: what no version needs any more is deleted, oldest versions first. It may run
 * beside any number of writers, readers and other collections, and die anywhere. Decision 0011
 * has the argument why nothing is deleted that somebody needs.
 */

import { LightedgeError, printable } from "../errors.ts";
import { type GcClock, serializeGcClock } from "../format/gc-clock.ts";
import { GC_CLOCK_KEY, GC_NOW_KEY, pointerKey, REGISTRY_KEY } from "../format/names.ts";
import { serializePointer, withCheck } from "../format/pointer.ts";
import { toHex } from "../hash.ts";
import { noIndexNamed } from "../store/keys.ts";
import type { PutOutcome, WriteStore } from "../store/store.ts";
import { type GcFacts, gatherFacts, type Stored } from "./gc-facts.ts";
import { foldedEntries } from "./gc-inbox.ts";
import { type GcPlan, type KeptVersion, planCollection, type Retention } from "./gc-plan.ts";
import type { RecordPorts } from "./registry.ts";
import { GRACE_MS, SWEEP_WINDOW_MS } from "./times.ts";

/** What a collection takes from the world around it. */
export interface GcPorts extends RecordPorts {
  /** Milliseconds from any fixed point that pass no slower than real ones, those a machine sleeps included. */
  monotonic(): number;
}

/** How to collect. */
export interface GcOptions extends Retention {
  /** Says what would be deleted; writes `gc/now.json`, to be told the time, and nothing else. */
  readonly dryRun?: boolean;
}

/** What a collection did, or would do. */
export interface GcReport {
  readonly dryRun: boolean;
  readonly deleted: readonly Pick<Stored, "key" | "bytes">[];
  /** Sum of `deleted`. */
  readonly bytes: number;
  readonly kept: readonly KeptVersion[];
}

/** Rounds that others' changes may spoil one after the other. */
const SPOILT_ROUNDS = 5;
/** Milliseconds before a round that follows one that was spoilt. */
const SPOILT_WAIT_MS = 1000;
/** Deletes at once. */
const AT_ONCE = 8;

/**
 * Collects. Throws, before anything is deleted, `usage/invalid` for a grace or a number out of bounds,
 * `index/not-found`, and whatever makes it uncertain what is needed; `store/conflict` when others changed
 * the store all the time; and what the store throws, after which it may simply be run again.
 */
export async function collectGarbage(
  store: WriteStore,
  options: GcOptions,
  ports: GcPorts,
): Promise<GcReport> {
  checkOptions(options);
  const deleted: Pick<Stored, "key" | "bytes">[] = [];
  let spoilt = 0;
  for (;;) {
    // The time first: whatever comes later looks younger than it is.
    const { modified: now } = await store.put(GC_NOW_KEY, new TextEncoder().encode("{}\n"));
    const facts = await gatherFacts(store);
    checkIndex(facts, options.index);
    const plan = planCollection(facts, now, options);
    const entries = await foldedEntries(store, facts, plan);
    const first = [...plan.blobs, ...entries];
    const candidates = [...first, ...plan.manifests];
    const report = (list: readonly Pick<Stored, "key" | "bytes">[]): GcReport => ({
      dryRun: options.dryRun ?? false,
      deleted: list.map(({ key, bytes }) => ({ key, bytes })),
      bytes: list.reduce((sum, { bytes }) => sum + bytes, 0),
      kept: plan.kept,
    });
    if (options.dryRun) return report(candidates);
    if (candidates.length === 0) return report(deleted);
    const before = deleted.length;
    const began = await lockOut(store, facts, plan, ports);
    if (began !== null) {
      const inTime = () => ports.monotonic() - began < SWEEP_WINDOW_MS;
      const done =
        (await sweep(store, first, AT_ONCE, inTime, deleted)) &&
        (await sweep(store, plan.manifests, 1, inTime, deleted));
      if (done) return report(deleted);
    }
    spoilt = deleted.length > before ? 0 : spoilt + 1;
    if (spoilt >= SPOILT_ROUNDS) throw unsettled(deleted.length);
    await ports.pause(SPOILT_WAIT_MS);
  }
}

/**
 * Makes it safe to delete what is planned, from now on for `SWEEP_WINDOW_MS`: writers that sleep are locked out,
 * those awake are told, and all is still as it was found. Gives the time from which the window counts, or
 * null where something has changed.
 */
async function lockOut(
  store: WriteStore,
  facts: GcFacts,
  plan: GcPlan,
  ports: GcPorts,
): Promise<number | null> {
  const etags = new Map(facts.indexes.map(({ name, pointer }) => [name, pointer?.etag ?? null]));
  const stamp = () => toHex(ports.randomBytes(16));
  const clock: GcClock = { format: 1, commit_id: stamp(), ...plan.clock };
  const body = await serializeGcClock(clock);
  const began = ports.monotonic();
  const written: PutOutcome = await (facts.clock.etag === null
    ? store.putIfAbsent(GC_CLOCK_KEY, body)
    : store.putIfMatch(GC_CLOCK_KEY, body, facts.clock.etag));
  if (written.kind === "conflict") return null;
  for (const { name, pointer } of facts.indexes) {
    if (pointer === null || !plan.touches.includes(name)) continue;
    const touched = serializePointer(withCheck({ ...pointer.pointer, commit_id: stamp() }));
    const outcome = await store.putIfMatch(pointerKey(name), touched, pointer.etag);
    if (outcome.kind === "conflict") return null;
    etags.set(name, outcome.etag);
  }
  if ((await store.head(REGISTRY_KEY))?.etag !== facts.registryEtag) return null;
  for (const [name, etag] of etags)
    if (((await store.head(pointerKey(name)))?.etag ?? null) !== etag) return null;
  return began;
}

/** Deletes what is still as it was found. False where time ran out. */
async function sweep(
  store: WriteStore,
  candidates: readonly Stored[],
  atOnce: number,
  inTime: () => boolean,
  deleted: Pick<Stored, "key" | "bytes">[],
): Promise<boolean> {
  const rest = candidates.values();
  let over = false;
  const sweepOn = async () => {
    for (const { key, bytes, modified } of rest) {
      const now = await store.head(key);
      // Gone, or written again by somebody who is about to publish it.
      if (now === null || now.modified !== modified || now.bytes !== bytes) continue;
      if (over || !inTime()) {
        over = true;
        return;
      }
      await store.delete(key);
      deleted.push({ key, bytes });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, sweepOn));
  return !over;
}

function checkOptions({ graceMs, keep }: Retention): void {
  if (!(graceMs >= GRACE_MS.least)) {
    throw new LightedgeError(
      "usage/invalid",
      `The grace must be at least ${GRACE_MS.least / 60_000} minutes, since readers may hold a version for that long; it is ${printable(graceMs / 60_000)}.`,
      { field: "grace", value: printable(graceMs), limit: GRACE_MS.least },
    );
  }
  if (!Number.isSafeInteger(keep) || keep < 1) {
    throw new LightedgeError(
      "usage/invalid",
      `keep must be a whole number of at least 1, not ${printable(keep)}.`,
      {
        field: "keep",
        value: printable(keep),
        limit: 1,
      },
    );
  }
}

function checkIndex(facts: GcFacts, index: string | undefined): void {
  if (index === undefined || facts.indexes.some(({ name }) => name === index)) return;
  throw noIndexNamed(index);
}

function unsettled(deleted: number): LightedgeError {
  return new LightedgeError(
    "store/conflict",
    `The store changed while it was looked through, ${SPOILT_ROUNDS} times in a row; ${deleted} objects were deleted. Run it again when fewer indexes are being published.`,
  );
}
