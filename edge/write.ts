/**
 * Taking a write: it is in object storage before it is acknowledged, and over the index of this
 * isolate before the answer is sent.
 */
import type { OpenIndex } from "../shared/engine/api.ts";
import { LightedgeError } from "../shared/errors.ts";
import { type InboxEntry, serializeInboxEntry } from "../shared/format/inbox.ts";
import { isWriteId, type WriteId } from "../shared/format/names.ts";
import { lastFolded, overlayEntry, someFolded } from "../shared/format/overlay.ts";
import { canonicalJson, sha256 } from "../shared/hash.ts";
import { timeOfWrite } from "../shared/inbox/fold.ts";
import { readEntry } from "../shared/inbox/read.ts";
import { INBOX_LIMITS } from "../shared/limits.ts";
import type { ReadStore } from "../shared/store/store.ts";
import type { Fields } from "../shared/types.ts";
import type { AdminKey } from "./admin-key.ts";
import type { InboxStore } from "./inbox-store.ts";
import type { Background, IndexCache, Proven } from "./index-cache.ts";

/** What taking writes needs of the place it runs in. */
export interface WritePorts {
  readonly key: AdminKey;
  readonly store: Pick<ReadStore, "get">;
  readonly inbox: Pick<InboxStore, "put">;
  /** 16 random hexadecimal digits. */
  random(): string;
}

/** The indexes that a write is laid over, as `IndexCache` has those of one region. */
export interface WrittenIndexes extends Pick<IndexCache, "hasRoom" | "note"> {
  getWhere(
    name: string,
    background: Background,
    passes: (found: Proven) => boolean,
  ): Promise<Pick<Proven, "index">>;
}

/** A write as it is asked for: `fields` where a document is put, none where it is deleted. */
export interface WriteRequest {
  readonly index: string;
  readonly id: string;
  readonly fields?: Fields;
  /** The sender's own name for this write, null where it gives none. */
  readonly idempotencyKey: string | null;
}

/** The answer to a write that is safe. */
export interface WriteAnswer {
  readonly index: string;
  readonly id: string;
  readonly op: "put" | "delete";
  /** Its name, for `min_write`. */
  readonly write: WriteId;
  /** When it was taken, UTC. */
  readonly received: string;
}

/** What an `Idempotency-Key` may be. */
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,256}$/;

/**
 * Writes an entry to the inbox and lays it over the index. `now` is in ms since 1970. Throws `index/not-found`,
 * `inbox/full`, `request/too-large`, and `store/unavailable` when the entry may or may not have been
 * written: sent again it makes a second entry that says the same. Cost: one write to the store, where the index is loaded.
 */
export async function takeWrite(
  ports: WritePorts,
  cache: WrittenIndexes,
  request: WriteRequest,
  now: number,
  background: Background,
): Promise<WriteAnswer> {
  const { index: name, idempotencyKey } = request;
  const tag = idempotencyKey === null ? null : await tagOf(request, idempotencyKey);
  // Another isolate may have taken it, so a key is looked for in what the store has now.
  const { index } = await cache.getWhere(name, background, () => tag === null);
  const before = tag === null ? undefined : takenBefore(index, tag);
  if (before !== undefined) return answerOf(request, before);

  checkRoom(index, 0);
  const write = nameWrite(index, request.id, now, tag ?? ports.random());
  const entry = entryOf(request, write);
  const body = await serializeInboxEntry(entry);
  checkRoom(index, body.length);
  const waiting = { entry, bytes: body.length };
  await index.prepare([waiting]);
  // Found at once is part of the promise, so what there is no memory for is not taken.
  if (!cache.hasRoom(name, waiting)) throw full(index);
  await put(ports, entry, body);
  cache.note(name, waiting);
  return answerOf(request, write);
}

function entryOf({ index, id, fields }: WriteRequest, write: WriteId): InboxEntry {
  return fields === undefined ? { write, index, id, op: "delete" } : { write, index, id, op: "put", fields };
}

function answerOf({ index, id, fields }: WriteRequest, write: WriteId): WriteAnswer {
  const op = fields === undefined ? "delete" : "put";
  return { index, id, op, write, received: new Date(timeOfWrite(write)).toISOString() };
}

/**
 * The name of a new write: of this moment, but above the writes that this isolate knows of, so that writes
 * that follow each other keep their order, and none is born below its document's watermark, even where
 * the clocks of two Workers differ.
 */
function nameWrite({ waiting, overlay }: OpenIndex, id: string, now: number, digits: string): WriteId {
  const folded = overlay === null ? [] : [lastFolded(overlay), overlayEntry(overlay, id)?.write];
  const known = [waiting.at(-1)?.entry.write, ...folded];
  const times = known.map((write) => (write ? timeOfWrite(write) + 1 : 0));
  const write = `${String(Math.max(now, ...times)).padStart(13, "0")}-${digits}`;
  if (isWriteId(write)) return write;
  throw new LightedgeError("internal", `${write} cannot name a write.`);
}

/** Writes the entry, and where it is not certain that it was written looks whether it is there. */
async function put(
  { store, inbox }: WritePorts,
  entry: InboxEntry,
  body: Uint8Array<ArrayBuffer>,
): Promise<void> {
  let failure: unknown;
  try {
    if ((await inbox.put(entry.index, entry.write, body)) === "written") return;
  } catch (error) {
    failure = error;
  }
  // The platform may have tried twice by itself, the first time with success.
  const there = await readEntry(store, entry.index, entry.write).catch(() => null);
  if (there !== null && canonicalJson(there) === canonicalJson(entry)) return;
  throw failure ?? new LightedgeError("store/conflict", `${entry.write} is the name of another write.`);
}

/** Throws `inbox/full` where another write, of this many bytes, would be more than may wait. */
function checkRoom(index: OpenIndex, more: number): void {
  const { waiting, left } = index;
  const bytes = waiting.reduce((sum, write) => sum + write.bytes, more);
  if (waiting.length >= INBOX_LIMITS.waiting || bytes > INBOX_LIMITS.waitingBytes || left > 0)
    throw full(index);
}

function full({ name, waiting, left }: OpenIndex): LightedgeError {
  const bytes = waiting.reduce((sum, write) => sum + write.bytes, 0);
  const { waiting: most, waitingBytes } = INBOX_LIMITS;
  const message = `The index ${name} can take no such write now: ${waiting.length} of ${bytes} bytes wait for its next version, of at most ${most} of ${waitingBytes} bytes and as many as fit in memory, and ${left} more could not be read. Run "lightedge reindex", or wait for its next run.`;
  return new LightedgeError("inbox/full", message, { field: "index", limit: most });
}

/** The random digits of a write whose sender named it: the same for the same name, document and operation. */
async function tagOf({ index, id, fields }: WriteRequest, key: string): Promise<string> {
  if (!IDEMPOTENCY_KEY.test(key)) {
    const message = "Idempotency-Key must be 1 to 256 visible ASCII characters.";
    throw new LightedgeError("request/invalid", message, { field: "idempotency-key", limit: 256 });
  }
  return (await sha256(canonicalJson([index, id, fields === undefined ? "delete" : "put", key]))).slice(
    0,
    16,
  );
}

/** The write with these digits, waiting or folded, as long as its entry is in the inbox. */
function takenBefore({ waiting, overlay }: OpenIndex, tag: string): WriteId | undefined {
  const waits = waiting.find(({ entry }) => entry.write.endsWith(tag))?.entry.write;
  return waits ?? (overlay === null ? undefined : someFolded(overlay, tag));
}
