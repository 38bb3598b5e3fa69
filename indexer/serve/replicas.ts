/** Replicas of a store in folders, one for each region but home, and how they stay as home is. */
import { join } from "node:path";
import { asLightedgeError, LightedgeError } from "../../shared/errors.ts";
import type { Region, Regions } from "../../shared/regions/region.ts";
import type { WriteStore } from "../../shared/store/store.ts";
import { readPointer } from "../../shared/versions/current.ts";
import type { Progress } from "../progress.ts";
import { NamedStore } from "../regions/named-store.ts";
import { placeOf } from "../regions/replicate.ts";
import { type RegionResult, replicateAll } from "../regions/replicate-all.ts";
import type { RegionStore } from "../regions/stores.ts";
import { FolderStore } from "../store/folder.ts";
import { PUBLISH_PORTS } from "../store/publish.ts";

/** A region with its store in a folder. */
export interface Replica extends RegionStore {
  readonly folder: string;
}

/** Regions with their stores; home's is the one that the others are copies of. */
export interface Replicas {
  readonly home: RegionStore;
  readonly others: readonly Replica[];
}

/** Stores of these regions: home's as it is, the others' in a folder each below `folder`. Nothing is read or made yet. */
export function openReplicas([home, ...others]: Regions, store: WriteStore, folder: string): Replicas {
  const replica = (region: Region): Replica => {
    const own = join(folder, region.name);
    return { region, folder: own, store: new NamedStore(new FolderStore(own), region.name) };
  };
  return { home: { region: home, store }, others: others.map(replica) };
}

/** Copies these indexes to every region, as a deployment does. Throws what the first region failed with. */
export async function fillReplicas(
  { home, others }: Replicas,
  indexes: readonly string[],
  progress: Progress,
): Promise<void> {
  const results = await replicateAll(home, others, indexes, { verify: "new" }, PUBLISH_PORTS, progress);
  const failed = results.find(
    (result): result is RegionResult & { kind: "failed" } => result.kind === "failed",
  );
  if (failed === undefined) return;
  const { code, message, details } = failed.error;
  const { folder } = others.find(({ region }) => region.name === failed.region)!;
  const said = `The copy for ${failed.region} was not made: ${message} If ${folder} is a copy of another store, delete it.`;
  throw new LightedgeError(code, said, details, failed.error);
}

/** What following needs from around it. */
export interface FollowPorts {
  /** Names of home's indexes. */
  indexes(): Promise<readonly string[]>;
  /** Whether a region can be written to now. */
  reachable(region: string): boolean;
  pause(ms: number): Promise<void>;
  readonly progress: Progress;
}

/** Milliseconds between two looks at home's pointers, one small read for each index and region. */
const LOOK_MS = 2000;

/** Brings every new version of home to the other regions until `stopped` says so. Never throws: what fails is tried again. */
export async function followHome(
  { home, others }: Replicas,
  stopped: () => boolean,
  { indexes, reachable, pause, progress }: FollowPorts,
): Promise<void> {
  while (!stopped()) {
    await pause(LOOK_MS);
    try {
      for (const index of await indexes()) {
        const current = await readPointer(home.store, index);
        if (current === null) continue;
        const behind: RegionStore[] = [];
        for (const other of others) {
          if (stopped() || !reachable(other.region.name)) continue;
          const there = await readPointer(other.store, index);
          if (placeOf(current.pointer, there?.pointer) !== "same") behind.push(other);
        }
        if (behind.length > 0)
          await replicateAll(home, behind, [index], { verify: "new" }, PUBLISH_PORTS, progress);
      }
    } catch (error) {
      progress.warn(`Replicas were not brought forward: ${asLightedgeError(error).message}`);
    }
  }
}
