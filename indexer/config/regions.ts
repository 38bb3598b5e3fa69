/** The regions of a config file: which there are, and where each keeps its copy of everything. */
import { asLightedgeError } from "../../shared/errors.ts";
import { MOST_REGIONS, type Region, regionOf, regionsOf } from "../../shared/regions/region.ts";
import type { ConfigNode } from "./node.ts";

/** A region as a config file declares it. The first is home, and its store is the config's. */
export interface ConfigRegion {
  readonly region: Region;
  /** URL of its store, as `openStore` takes it. */
  readonly store: string;
  /** Where it stands in the file. */
  readonly line: number;
}

/** Reads a store's URL out of a node: variables put in, relative folders made absolute. */
export type StoreOf = (node: ConfigNode) => string;

interface Named {
  readonly node: ConfigNode;
  readonly name: ConfigNode;
  readonly store: ConfigNode | undefined;
}

/**
 * The regions of the list under `regions`, whose first is home with the store `homeStore`. An item is a name, or
 * `{name, store}`; the store of a name alone is home's with `-name` after its bucket or folder. Throws `usage/invalid`
 * with the line for an unknown region, one named twice, a second store for home, and two regions with one store.
 */
export function regionsIn(node: ConfigNode, homeStore: string, storeOf: StoreOf): readonly ConfigRegion[] {
  const items = node.list().map(namedIn);
  const names = items.map(({ name }) => name.text());
  const found: ConfigRegion[] = [];
  if (names.length > MOST_REGIONS) checkNames(names, node);
  for (const [at, { node: item, name, store: own }] of items.entries()) {
    // All names up to this one, so that the refusal of any is said in its own line.
    checkNames(names.slice(0, at + 1), name);
    const region = regionOf(regionsOf(names.slice(at, at + 1), name.key)[0].name);
    const store = own === undefined ? derived(homeStore, at === 0 ? "" : `-${region.name}`) : storeOf(own);
    if (at === 0 && store !== homeStore)
      throw own!.refuse(`the first region, ${region.name}, is home; its store is that of the key store.`);
    const same = found.find((other) => identity(other.store) === identity(store));
    if (same !== undefined)
      throw (own ?? item).refuse(
        `${region.name} has the same store as ${same.region.name} in line ${same.line}; each region has its own.`,
      );
    found.push({ region, store, line: item.line });
  }
  return found;
}

function namedIn(node: ConfigNode): Named {
  if (node.isMapping()) {
    const keys = node.mapping(["name", "store"]);
    const name = keys.get("name");
    if (name === undefined) throw node.refuse(`${node.key} must have the key name.`);
    return { node, name, store: keys.get("store") };
  }
  return { node, name: node, store: undefined };
}

function checkNames(names: readonly string[], node: ConfigNode): void {
  try {
    regionsOf(names, node.key);
  } catch (error) {
    const { message, details } = asLightedgeError(error);
    throw node.refuse(message, details.limit);
  }
}

/** A store's URL with this after the name of its bucket, or of its folder. */
function derived(url: string, suffix: string): string {
  const [, place = url, rest = ""] = /^((?:s3|r2):\/\/[^/?]*)(.*)$/su.exec(url) ?? [];
  return `${place.replace(/\/+$/u, "")}${suffix}${rest}`;
}

/** What two URLs of one store have in common. */
function identity(url: string): string {
  const bucket = /^(?:s3|r2):/u.test(url);
  const plain = url.replace(/^file:\/\/(?=\/)/u, "file:");
  return (bucket ? plain.replace(/\/(?=\?|$)/u, "") : plain.replace(/\/+$/u, "")) || plain;
}
