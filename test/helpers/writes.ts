/** Writes at the edge for tests: names that say their order, and entries. */
import type { InboxEntry } from "../../shared/format/inbox.ts";
import type { WriteId } from "../../shared/format/names.ts";
import type { Overlay } from "../../shared/format/overlay.ts";
import type { Fields } from "../../shared/types.ts";

/** When the first of the writes was taken, in ms since 1970. */
export const FIRST_WRITE = Date.parse("2026-01-31T12:00:00Z");

/** The write of this number: a second lies between two. */
export function writeId(number: number, random = 0): WriteId {
  const time = String(FIRST_WRITE + number * 1000).padStart(13, "0");
  return `${time}-${random.toString(16).padStart(16, "0")}` as WriteId;
}

/** An entry that puts a document, or deletes it where no fields are given. */
export function entryOf(number: number, id: string, fields?: Fields, index = "docs"): InboxEntry {
  const write = writeId(number);
  return fields === undefined ? { write, index, id, op: "delete" } : { write, index, id, op: "put", fields };
}

/** An overlay with an entry in each state. */
export const OVERLAY: Overlay = {
  entries: [
    { id: "edge/put", write: writeId(5), stands: "put", source: null },
    { id: "edge/put-over", write: writeId(1), stands: "put", source: "0123456789abcdef".repeat(2) },
    { id: "gone", write: writeId(2, 0xffff), stands: "delete", source: null },
    { id: "hidden", write: writeId(3), stands: "delete", source: "00".repeat(16) },
    { id: "\u{1f600}", write: writeId(4), stands: "source", source: null },
  ],
  folded: [writeId(2, 0xffff), writeId(3), writeId(4), writeId(5)],
};
