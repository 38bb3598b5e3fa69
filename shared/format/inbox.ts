/** An entry of the inbox: one write at the edge, as one immutable object. docs/format.md section 15. */

import { checkedFields, checkedId } from "../document-rules.ts";
import { LightedgeError, printable } from "../errors.ts";
import { INBOX_LIMITS } from "../limits.ts";
import type { Fields } from "../types.ts";
import { invalid } from "./bytes.ts";
import { inboxKey, isIndexName, isWriteId, type WriteId } from "./names.ts";
import { parseSealed, serializeSealed } from "./sealed.ts";
import { type Check, object, oneOf, plainObject, text } from "./shape.ts";

/** The format of entries that this version writes and reads. */
export const INBOX_FORMAT = 1;

/** A write at the edge that waits to be folded into a version. The greatest `write` of an id is the one that counts. */
export type InboxEntry = InboxPut | InboxDelete;

/** A document in place of whatever the index has under its id. */
export interface InboxPut {
  readonly write: WriteId;
  readonly index: string;
  readonly id: string;
  readonly op: "put";
  /** The whole document; all rules of `checkedFields` hold. */
  readonly fields: Fields;
}

/** A document taken away. The index need not have it. */
export interface InboxDelete {
  readonly write: WriteId;
  readonly index: string;
  readonly id: string;
  readonly op: "delete";
}

/** An entry as it is stored, but for its seal. */
interface StoredEntry {
  readonly format: typeof INBOX_FORMAT;
  readonly write: WriteId;
  readonly index: string;
  readonly id: string;
  readonly op: "put" | "delete";
  readonly fields?: Fields;
}

const checkWrite: Check<WriteId> = (value, where) => {
  const write = text(30, 30)(value, where);
  if (isWriteId(write)) return write;
  throw invalid(`${where} must be 13 digits, a dash and 16 hexadecimal digits, not ${printable(write)}.`);
};
const checkIndex: Check<string> = (value, where) => {
  const name = text(63, 1)(value, where);
  if (isIndexName(name)) return name;
  throw invalid(`${where} must be the name of an index, not ${printable(name)}.`);
};
const checkEntry = object<StoredEntry>(
  {
    format: oneOf([INBOX_FORMAT]),
    write: checkWrite,
    index: checkIndex,
    id: (value, where) => byRules(where, () => checkedId(text(512, 1)(value, where))),
    op: oneOf(["put", "delete"]),
    // Checked below, with the id: both count for the document's bytes.
    fields: (value, where) => plainObject(value, where) as Fields,
  },
  ["fields"],
);

/**
 * An entry as bytes: canonical JSON in UTF-8, with the digest of all its other fields. Throws
 * `format/invalid` for what `parseInboxEntry` would refuse and `request/too-large` above
 * `INBOX_LIMITS.entryBytes`.
 */
export async function serializeInboxEntry(entry: InboxEntry): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await serializeSealed({ format: INBOX_FORMAT, ...entry });
  const limit = INBOX_LIMITS.entryBytes;
  if (bytes.length > limit) {
    const message = `The document takes ${bytes.length} bytes of JSON; ${limit} are allowed.`;
    throw new LightedgeError("request/too-large", message, { field: "body", limit });
  }
  await parseInboxEntry(bytes, entry.index, entry.write);
  return bytes;
}

/**
 * The entry in these bytes, which lie in this index's inbox under this write's key. Throws
 * `blob/corrupt` where bits differ from what was written, `format/unsupported` for a newer format or
 * an unknown field, and `format/invalid` for every other breach, an entry of another place among them.
 */
export async function parseInboxEntry(bytes: Uint8Array, index: string, write: WriteId): Promise<InboxEntry> {
  const key = inboxKey(index, write);
  const limit = INBOX_LIMITS.entryBytes;
  const stored = await parseSealed(bytes, key, { format: INBOX_FORMAT, limit, check: checkEntry });
  if (!equalBytes(await serializeSealed(stored), bytes)) throw invalid(`${key} is not in canonical JSON.`);
  if (stored.index !== index || stored.write !== write)
    throw invalid(`${key} holds an entry of another key.`);
  return entryOf(stored, key);
}

function entryOf({ write, index, id, op, fields }: StoredEntry, key: string): InboxEntry {
  if ((op === "put") !== (fields !== undefined))
    throw invalid(`${key} is a ${op} and ${fields ? "has" : "lacks"} fields.`);
  if (fields === undefined) return { write, index, id, op: "delete" };
  return {
    write,
    index,
    id,
    op: "put",
    fields: byRules(key, () => checkedFields(id, Object.entries(fields))),
  };
}

/** Runs a check of documents; what it refuses is a breach of the format here. */
function byRules<T>(where: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof LightedgeError && error.code === "document/invalid")
      throw invalid(`${where}: ${error.message}`, error);
    throw error;
  }
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
