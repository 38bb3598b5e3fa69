/** What the name and the manifest of a version tell of it. */
import type { OpenIndex } from "../shared/engine/api.ts";

/**
 * Whole seconds since the version of an index was built. `now` is in milliseconds since 1970; a
 * clock behind the indexer's gives 0.
 */
export function ageOf({ manifest }: Pick<OpenIndex, "manifest">, now: number): number {
  return Math.max(0, Math.floor((now - Date.parse(manifest.created)) / 1000));
}

/** The number in a version's name. */
export function seqOf(version: string): number {
  return Number(version.slice(0, version.indexOf("-")));
}
