/** What commands that know regions share: options, and the store or the regions that they stand for. */
import { LightedgeError, printable } from "../../shared/errors.ts";
import { isRegionName, type RegionName, regionsOf } from "../../shared/regions/region.ts";
import type { WriteStore } from "../../shared/store/store.ts";
import { type Config, loadConfig } from "../config/config.ts";
import type { Progress } from "../progress.ts";
import { VERIFY, type Verify } from "../regions/copy-blobs.ts";
import { type RegionResult, replicateAll } from "../regions/replicate-all.ts";
import { chosenRegions, openRegions, type RegionStores } from "../regions/stores.ts";
import { openStore } from "../store/open.ts";
import { PUBLISH_PORTS } from "../store/publish.ts";
import type { Arguments, Option } from "./command.ts";
import { STORE_OPTION } from "./options.ts";

/** Which indexes of a config file. */
export const INDEX_OPTION: Option = {
  type: "string",
  value: "NAME",
  help: "an index of the config file (default: all)",
  multiple: true,
};

/** Stop after one region. */
export const CANARY_OPTION: Option = {
  type: "string",
  value: "REGION",
  help: "bring the new version to this region and leave the others as they are",
};

/** How copies are checked. */
export const VERIFY_OPTION: Option = {
  type: "string",
  choices: VERIFY,
  help: "what is read back in a region beside what is copied: head nothing, new what its version before does not name, full all",
  default: "new",
};

/** `--store`, or `--config` for a store with all its regions. */
export const STORE_OR_CONFIG = {
  store: { type: "string", value: "URL", help: `${STORE_OPTION.help} (default ${STORE_OPTION.default})` },
  config: { type: "string", value: "FILE", help: "config file whose store, and regions, to use instead" },
} as const satisfies Readonly<Record<string, Option>>;

/** A store, and the regions that are kept like it. */
export interface Target {
  readonly store: WriteStore;
  readonly regions: RegionStores | null;
}

/** What `--store` or `--config` stand for. Throws `usage/invalid` for both, and as `loadConfig` and `openStore`. */
export async function targetOf(args: Pick<Arguments, "text">): Promise<Target> {
  const [store, file] = [args.text("store"), args.text("config")];
  if (file === undefined) return { store: openStore(store ?? String(STORE_OPTION.default)), regions: null };
  if (store !== undefined)
    throw new LightedgeError(
      "usage/invalid",
      "Give --store or --config, not both: the config names the store.",
      {
        field: "store",
        value: printable(store),
      },
    );
  const config = await loadConfig(file, process.env);
  return { store: openStore(config.store), regions: openRegions(config, process.env) };
}

/** The regions of a config, opened. Throws `usage/invalid` where it declares none. */
export function regionsOfConfig(config: Config): RegionStores {
  const regions = openRegions(config, process.env);
  if (regions !== null) return regions;
  throw new LightedgeError(
    "usage/invalid",
    `${config.file} declares no regions. Add the list regions, the first of which is home: regions: [weur, enam].`,
    { field: "regions", file: config.file },
  );
}

/** Checks names of regions against those declared. Throws `usage/invalid` for one that is not a region, or not declared. */
export function declaredRegions(
  { home, others }: RegionStores,
  names: readonly string[],
  field: string,
): readonly RegionName[] {
  const declared = [home, ...others].map(({ region }) => region.name);
  for (const name of names) {
    if (!isRegionName(name)) regionsOf([name], field);
    if (declared.some((known) => known === name)) continue;
    throw new LightedgeError(
      "usage/invalid",
      `--${field}: the region ${name} is not declared; declared are ${declared.join(", ")}.`,
      { field, value: name },
    );
  }
  return names.filter(isRegionName);
}

/** Checks what `--canary` names before anything is done. Undefined where it is not given. */
export function canaryOf(regions: RegionStores | null, canary: string | undefined): RegionName | undefined {
  if (canary === undefined) return undefined;
  if (regions !== null) return declaredRegions(regions, [canary], "canary")[0];
  throw new LightedgeError("usage/invalid", "--canary needs regions: name a config that declares them.", {
    field: "canary",
    value: printable(canary),
  });
}

/** How regions are to follow home. */
export interface FollowOptions {
  readonly verify: Verify;
  /** The only region to bring forward; with home, none. */
  readonly canary?: RegionName | undefined;
  /** Regions to bring forward, all where absent. */
  readonly only?: readonly RegionName[];
}

/** Brings regions to what home has of these indexes. Never throws for what a store says. */
export async function follow(
  regions: RegionStores | null,
  indexes: readonly string[],
  { verify, canary, only = [] }: FollowOptions,
  progress: Progress,
): Promise<readonly RegionResult[]> {
  if (regions === null) return [];
  const chosen = chosenRegions(regions, canary === undefined ? only : [canary]);
  return replicateAll(regions.home, chosen, indexes, { verify }, PUBLISH_PORTS, progress);
}

/** The value of `--verify`. */
export function verifyOf(args: Pick<Arguments, "text">): Verify {
  const text = args.text("verify");
  return VERIFY.find((verify) => verify === text) ?? "new";
}

/** What is left to do after a canary, for people. */
export function canaryNote(canary: RegionName | undefined, config: string): string[] {
  return canary === undefined
    ? []
    : [`Only ${canary} was brought forward. The others: lightedge replicate ${config}.`];
}
