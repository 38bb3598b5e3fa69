/** The registry: the names of a store's indexes, so that a listing which is cut hides none. docs/format.md section 1. */

import { FORMAT_LIMITS } from "../limits.ts";
import { invalid } from "./bytes.ts";
import { isIndexName, REGISTRY_KEY } from "./names.ts";
import { commitId } from "./pointer.ts";
import { parseSealed, serializeSealed } from "./sealed.ts";
import { type Check, list, object, oneOf, text } from "./shape.ts";

/** The content of `registry.json`. */
export interface Registry {
  readonly format: 1;
  /** Random for each change: two registries with the same names have different bytes, hence etags. */
  readonly commit_id: string;
  /** In ascending order of code units, none twice. */
  readonly indexes: readonly string[];
}

const name: Check<string> = (value, where) => {
  const found = text(63, 1)(value, where);
  if (isIndexName(found)) return found;
  throw invalid(`${where} must be the name of an index.`);
};

const checkFields = object<Registry>({
  format: oneOf([1]),
  commit_id: commitId,
  indexes: list(name, FORMAT_LIMITS.indexes),
});

const check: Check<Registry> = (value, where) => {
  const registry = checkFields(value, where);
  registry.indexes.forEach((index, at) => {
    if (at > 0 && registry.indexes[at - 1]! >= index) throw invalid(`${where}: ${index} is out of order.`);
  });
  return registry;
};

/** A registry from its bytes. Throws `blob/corrupt`, `format/unsupported` for a newer format, else `format/invalid`. */
export function parseRegistry(bytes: Uint8Array): Promise<Registry> {
  return parseSealed(bytes, REGISTRY_KEY, { format: 1, limit: FORMAT_LIMITS.registryBytes, check });
}

/** A registry as bytes. Throws `format/invalid` for what `parseRegistry` would refuse. */
export async function serializeRegistry(registry: Registry): Promise<Uint8Array<ArrayBuffer>> {
  return serializeSealed(check(registry, REGISTRY_KEY));
}
