/** Which versions of other stores never came whole to this one. docs/format.md section 1. */

import { FORMAT_LIMITS } from "../limits.ts";
import { invalid } from "./bytes.ts";
import { isIndexName, SKIPPED_KEY } from "./names.ts";
import { commitId } from "./pointer.ts";
import { parseSealed, serializeSealed } from "./sealed.ts";
import { type Check, dictionary, integer, object, oneOf } from "./shape.ts";

/** The content of `gc/skipped.json`. */
export interface Skipped {
  readonly format: 1;
  /** Random for each change, for the etag. */
  readonly commit_id: string;
  /** By index, the version up to which some may never have come here, wholly or in part. Never falls. */
  readonly skipped: Readonly<Record<string, number>>;
}

const checkFields = object<Skipped>({
  format: oneOf([1]),
  commit_id: commitId,
  skipped: dictionary(integer(1, Number.MAX_SAFE_INTEGER), FORMAT_LIMITS.indexes),
});

const check: Check<Skipped> = (value, where) => {
  const record = checkFields(value, where);
  for (const name of Object.keys(record.skipped))
    if (!isIndexName(name)) throw invalid(`${where}: a key is not the name of an index.`);
  return record;
};

/** A record from its bytes. Throws `blob/corrupt`, `format/unsupported` for a newer format, else `format/invalid`. */
export function parseSkipped(bytes: Uint8Array): Promise<Skipped> {
  return parseSealed(bytes, SKIPPED_KEY, { format: 1, limit: FORMAT_LIMITS.registryBytes, check });
}

/** A record as bytes. Throws `format/invalid` for what `parseSkipped` would refuse. */
export async function serializeSkipped(record: Skipped): Promise<Uint8Array<ArrayBuffer>> {
  return serializeSealed(check(record, SKIPPED_KEY));
}
