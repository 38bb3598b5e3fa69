/** The stores of a deployment's regions, opened. */
import type { Region, RegionName } from "../../shared/regions/region.ts";
import type { WriteStore } from "../../shared/store/store.ts";
import type { Config, Environment } from "../config/config.ts";
import { openStore } from "../store/open.ts";
import { NamedStore } from "./named-store.ts";

/** A region and where its copy of everything lies. */
export interface RegionStore {
  readonly region: Region;
  readonly store: WriteStore;
}

/** All regions of a deployment. */
export interface RegionStores {
  /** Where versions are made. */
  readonly home: RegionStore;
  readonly others: readonly RegionStore[];
}

/** The stores of a config's regions; null where it declares none. Their errors name the region. Throws as `openStore`. */
export function openRegions(config: Pick<Config, "regions">, environment: Environment): RegionStores | null {
  const opened = config.regions.map(({ region, store }) => ({
    region,
    store: new NamedStore(openStore(store, environment), region.name),
  }));
  const [home, ...others] = opened;
  return home === undefined ? null : { home, others };
}

/** The regions with these names other than home, in the order declared; all others where no name is given. */
export function chosenRegions(
  { others }: RegionStores,
  names: readonly RegionName[],
): readonly RegionStore[] {
  return names.length === 0 ? others : others.filter(({ region }) => names.includes(region.name));
}
