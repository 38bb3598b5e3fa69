/** Where the indexes of all regions come from, for one cache of the isolate. */
import type { EnginePorts, OpenIndex } from "../../shared/engine/api.ts";
import type { MemoryBudget } from "../../shared/engine/budget.ts";
import { BlockCache } from "../../shared/engine/document-reader.ts";
import { openIndex, readCurrent } from "../../shared/engine/open.ts";
import { SharedParts } from "../../shared/engine/shared-parts.ts";
import { LightedgeError } from "../../shared/errors.ts";
import { versionName } from "../../shared/format/names.ts";
import { MEMORY_LIMITS } from "../../shared/limits.ts";
import type { InboxStore } from "../inbox-store.ts";
import type { IndexSource } from "../index-cache.ts";
import { withWaiting } from "../waiting.ts";
import { partsOf } from "./key.ts";
import type { RegionStore } from "./stores.ts";

/** What opening indexes needs. */
export interface SourcePorts extends Pick<EnginePorts, "kernels" | "now" | "shards"> {
  /** Bytes for all indexes of the isolate; what does not fit by itself has its shards in objects, where there are some. */
  readonly budgetBytes: number;
  /** The isolate's, in whose free part documents are kept; they have `MEMORY_LIMITS.documentCacheBytes` alone where it is absent. */
  readonly budget?: MemoryBudget;
  readonly regions: readonly Pick<RegionStore, "name" | "home" | "store">[];
  /** The home region's inboxes; null where writes that wait are not looked for. */
  readonly inbox: Pick<InboxStore, "list"> | null;
  /** Whether requests are kept from this region now: then other regions do not wait for its inbox either. */
  isAvoided(region: string): boolean;
  /** Takes one line of JSON for each entry of an inbox that cannot be read. */
  log(line: string): void;
}

/** The indexes of these regions under the keys of `keyOf`. Each is read from its own region's store; the inbox of all is home's. */
export function sourceOf(ports: SourcePorts): IndexSource {
  const { regions, inbox, budgetBytes, shards, log } = ports;
  const engine = { kernels: ports.kernels, now: ports.now, ...(shards === undefined ? {} : { shards }) };
  // One for all indexes, so that all of them share the bound; blocks are named by their content in every region.
  const blocks = new BlockCache(MEMORY_LIMITS.documentCacheBytes, undefined, ports.budget);
  const parts = new SharedParts();
  const home = regions.find((region) => region.home);
  const locate = (key: string) => {
    const { region: name, index } = partsOf(key);
    const region = regions.find((each) => each.name === name);
    if (region !== undefined && home !== undefined) return { region, index, home };
    throw new LightedgeError("internal", `There is no region ${name}.`);
  };
  return {
    open(key, room): Promise<OpenIndex> {
      const { region, index } = locate(key);
      const { store, name } = region;
      return openIndex({ ...engine, store, region: name }, index, {
        residentBytes: room,
        budgetBytes,
        blocks,
        parts,
      });
    },
    async currentVersion(key) {
      const { region, index } = locate(key);
      const { seq, manifest } = await readCurrent(region.store, index);
      return versionName(seq, manifest.sha256);
    },
    async withWaiting(index, known, capBytes, key) {
      if (inbox === null) return index;
      const { region, home } = locate(key);
      if (!region.home && ports.isAvoided(home.name))
        throw new LightedgeError(
          "store/unavailable",
          `The inbox in ${home.name} is not looked at: it fails.`,
        );
      const { store } = home;
      return withWaiting({ store, inbox, log }, index, known, capBytes);
    },
    inboxIsElsewhere: (key) => !locate(key).region.home,
  };
}
