/** Which version each region has of each index, how far behind home it is, and what it lacks. */
import { asLightedgeError, type LightedgeError } from "../../shared/errors.ts";
import { loadManifest } from "../../shared/format/load.ts";
import type { Manifest } from "../../shared/format/manifest.ts";
import { versionName } from "../../shared/format/names.ts";
import type { StoredPointer } from "../../shared/format/pointer.ts";
import { inTurns } from "../../shared/in-turns.ts";
import type { RegionName } from "../../shared/regions/region.ts";
import type { ReadStore } from "../../shared/store/store.ts";
import { readPointer } from "../../shared/versions/current.ts";
import { placeOf, type Standing } from "./replicate.ts";
import type { RegionStore, RegionStores } from "./stores.ts";

/** An index in a region that answered. */
export interface KnownState {
  readonly kind: "known";
  readonly region: RegionName;
  readonly index: string;
  /** Beside home: "same" for home itself, "absent" where there is no version. */
  readonly standing: Standing;
  readonly version: string | null;
  readonly seq: number;
  /** When the version was made, as its maker's clock had it, and ms since. */
  readonly created: string | null;
  readonly age_ms: number | null;
  /** How many versions home has had since, and how many ms home's is younger; null where home has none or is behind. */
  readonly behind: { readonly versions: number; readonly ms: number } | null;
  /** Blobs of home's version that are not there, or not with their length, and their bytes. */
  readonly missing: number;
  readonly missing_bytes: number;
}

/** An index in a region: what is known, or why nothing is. */
export type RegionState =
  | KnownState
  | {
      readonly kind: "unknown";
      readonly region: RegionName;
      readonly index: string;
      readonly error: LightedgeError;
    };

/** Looks at once. */
const AT_ONCE = 8;

interface Current {
  readonly stored: StoredPointer;
  readonly manifest: Manifest;
}

/**
 * Looks at every index in every region, home first. `now` is this machine's time, in ms, for ages. Never throws for what a
 * store says. Cost: two reads for each, and a look at each blob of home's version.
 */
export async function regionStates(
  { home, others }: RegionStores,
  indexes: readonly string[],
  now: number,
): Promise<readonly RegionState[]> {
  const states: RegionState[] = [];
  for (const index of indexes) {
    let atHome: Current | null = null;
    for (const place of [home, ...others]) {
      const region = place.region.name;
      try {
        const current = await currentOf(place, index);
        if (place === home) atHome = current;
        states.push(await stateOf(place, index, current, atHome, now));
      } catch (thrown) {
        const error = asLightedgeError(thrown);
        if (error.code === "internal") throw thrown;
        states.push({ kind: "unknown", region, index, error });
      }
    }
  }
  return states;
}

async function currentOf({ store }: RegionStore, index: string): Promise<Current | null> {
  const stored = await readPointer(store, index);
  return stored === null ? null : { stored, manifest: await loadManifest(store, stored.pointer.manifest) };
}

async function stateOf(
  { region, store }: RegionStore,
  index: string,
  current: Current | null,
  home: Current | null,
  now: number,
): Promise<KnownState> {
  const standing = standingOf(current, home);
  const lacking = home === null ? [] : await missingOf(store, home.manifest);
  const pointer = current?.stored.pointer;
  const created = current?.manifest.created ?? null;
  return {
    kind: "known",
    region: region.name,
    index,
    standing,
    version: pointer === undefined ? null : versionName(pointer.seq, pointer.manifest.sha256),
    seq: pointer?.seq ?? 0,
    created,
    age_ms: created === null ? null : Math.max(0, now - Date.parse(created)),
    behind: home === null || standing === "ahead" || standing === "forked" ? null : distance(current, home),
    missing: lacking.length,
    missing_bytes: lacking.reduce((sum, bytes) => sum + bytes, 0),
  };
}

function standingOf(current: Current | null, home: Current | null): Standing {
  if (current === null) return "absent";
  return home === null ? "ahead" : placeOf(home.stored.pointer, current.stored.pointer);
}

function distance(current: Current | null, home: Current) {
  const since = current === null ? home.manifest.created : current.manifest.created;
  return {
    versions: home.stored.pointer.seq - (current?.stored.pointer.seq ?? 0),
    ms: Math.max(0, Date.parse(home.manifest.created) - Date.parse(since)),
  };
}

/** Lengths of the blobs that are not there. */
async function missingOf(store: ReadStore, manifest: Manifest): Promise<readonly number[]> {
  const found: number[] = [];
  const blobs = [...new Map(manifest.blobs.map((blob) => [blob.key, blob])).values()];
  await inTurns(blobs, AT_ONCE, async ({ key, bytes }) => {
    if ((await store.head(key))?.bytes !== bytes) found.push(bytes);
  });
  return found;
}
