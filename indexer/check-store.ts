/** A whole store: every index to its last document, every version that nobody has let go of to its last blob. */
import { asLightedgeError } from "../shared/errors.ts";
import { INDEX_PREFIX, isIndexName, pointerKey } from "../shared/format/names.ts";
import type { WriteStore } from "../shared/store/store.ts";
import { readClock } from "../shared/versions/clock.ts";
import { readPointer } from "../shared/versions/current.ts";
import { history } from "../shared/versions/history.ts";
import { readRegistry } from "../shared/versions/registry.ts";
import { type CheckReport, checkIndex } from "./check.ts";
import { lookOnce } from "./store/versions.ts";

/** What a check of a store found. */
export interface StoreReport {
  readonly indexes: readonly CheckReport[];
  /** Versions that are there in full, the current ones included. */
  readonly versions: number;
  /** One sentence for each thing that is wrong, those of the indexes included; empty for a sound store. */
  readonly problems: readonly string[];
}

/**
 * Checks the current version of every index as `checkIndex`, and that of every older one that no
 * collection has let go of the manifest and all blobs are there. Throws what the store throws. Cost: every current
 * version is read whole; one look at each other blob.
 */
export async function checkStore(store: WriteStore): Promise<StoreReport> {
  const problems: string[] = [];
  const attempt = async <T>(work: () => Promise<T>): Promise<T | null> => {
    try {
      return await work();
    } catch (error) {
      const known = asLightedgeError(error);
      if (["internal", "store/unavailable", "store/denied"].includes(known.code)) throw error;
      problems.push(known.message);
      return null;
    }
  };
  const registry = await attempt(() => readRegistry(store));
  const released = (await attempt(() => readClock(store)))?.released ?? {};
  const isThere = lookOnce(store);
  const indexes: CheckReport[] = [];
  let versions = 0;
  const names = new Set([...(registry?.registry.indexes ?? []), ...(await listedIndexes(store))]);
  for (const name of [...names].sort()) {
    const stored = await attempt(() => readPointer(store, name));
    // Registered and not published yet: its first run died, and nothing can be missing.
    if (stored === null) continue;
    const report = await attempt(() => checkIndex(store, name));
    if (report !== null) indexes.push(report);
    problems.push(...(report?.problems ?? []).map((problem) => `${name}: ${problem}`));
    for await (const link of history(store, name, stored)) {
      const owed = link.seq > (released[name] ?? 0);
      if (link.kind === "version") {
        let whole = true;
        for (const blob of link.manifest.blobs) {
          if (await isThere(blob)) continue;
          whole = false;
          if (owed)
            problems.push(`${name} ${link.version} lacks ${blob.key}, which no collection has taken.`);
        }
        if (whole) versions++;
      } else if (link.kind === "damaged") problems.push(`${name} ${link.version}: ${link.reason.message}`);
      else if (owed) problems.push(`${name} ${link.version} is gone, and no collection has taken it.`);
    }
  }
  return { indexes, versions, problems };
}

/** Indexes with a pointer, as a listing shows them. */
async function listedIndexes(store: WriteStore): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { key } of store.list(INDEX_PREFIX)) {
    const name = key.slice(INDEX_PREFIX.length).split("/")[0]!;
    if (isIndexName(name) && key === pointerKey(name)) names.push(name);
  }
  return names;
}
