/** The R2 buckets of a deployment: what a config's stores are to the Worker. */
import { LightedgeError, printable } from "../../shared/errors.ts";
import type { Region } from "../../shared/regions/region.ts";
import type { Config } from "../config/config.ts";

/** A bucket as the Worker binds it and as it is made. */
export interface Bucket {
  /** Null where the config declares no regions. */
  readonly region: Region | null;
  readonly name: string;
  /** Where by law its data must stay; a bucket has this or a location hint. */
  readonly jurisdiction: string | null;
}

/** What R2 takes for a name, and how far a store's URL may differ: a Worker's bindings know no prefix. */
const STORE = /^r2:\/\/([a-z0-9][a-z0-9-]{1,61}[a-z0-9])\/?(?:\?jurisdiction=([a-z]{1,16}))?$/u;

/**
 * The buckets of a config, home first. Throws `usage/invalid` with the line of a region whose store a Worker cannot
 * bind: not `r2://`, or with a prefix.
 */
export function bucketsOf(
  config: Pick<Config, "file" | "store" | "regions">,
): readonly [Bucket, ...Bucket[]] {
  const home = bucketOf(config.file, config.regions[0]?.line, "the store", config.store);
  const [, ...others] = config.regions;
  return [
    { region: config.regions[0]?.region ?? null, ...home },
    ...others.map(({ region, store, line }) => ({
      region,
      ...bucketOf(config.file, line, `the store of ${region.name}`, store),
    })),
  ];
}

function bucketOf(file: string, line: number | undefined, what: string, store: string) {
  const [, name, jurisdiction = null] = STORE.exec(store) ?? [];
  if (name !== undefined) return { name, jurisdiction };
  const place = line === undefined ? file : `${file}:${line}`;
  throw new LightedgeError(
    "usage/invalid",
    `${place}: ${what} is ${printable(store)}; a Worker reads R2 buckets, written r2://BUCKET without a prefix.`,
    { field: "store", value: printable(store), file, ...(line === undefined ? {} : { line }) },
  );
}
