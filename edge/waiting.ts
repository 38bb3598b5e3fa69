/** The writes that wait in an index's inbox, read and laid over the version that is loaded. */
import type { OpenIndex, WaitingWrite } from "../shared/engine/api.ts";
import type { WriteId } from "../shared/format/names.ts";
import { isListedAsFolded, lastFolded } from "../shared/format/overlay.ts";
import { inTurns } from "../shared/in-turns.ts";
import { timeOfWrite } from "../shared/inbox/fold.ts";
import { isHeld } from "../shared/inbox/held.ts";
import { isDamage, readEntry } from "../shared/inbox/read.ts";
import { INBOX_LIMITS } from "../shared/limits.ts";
import type { ReadStore } from "../shared/store/store.ts";
import type { InboxStore, ListedWrite } from "./inbox-store.ts";

/** What looking at an inbox needs. */
export interface WaitingPorts {
  readonly store: Pick<ReadStore, "get">;
  readonly inbox: Pick<InboxStore, "list">;
  /** Takes one line of JSON for each entry that cannot be read. */
  log(line: string): void;
}

/** Entries read at once. */
const AT_ONCE = 8;

/**
 * How far below the newest write of a version its inbox is looked at, in ms. A write is named by the clock of its
 * Worker before it is put; one that comes later than this is found by the next run of the indexer.
 */
const LATE_MS = 3_600_000;

/** Times the limits of an inbox that are read at most: isolates that take writes do not know each other's. */
const OVERSHOOT = 2;

/**
 * The index with the writes that wait now. `known` are entries that need not be read again; what is
 * laid takes at most `capBytes`. The index itself where nothing has changed. Throws
 * `store/unavailable`. Cost: one listing, and one read for each write that is not known.
 */
export async function withWaiting(
  ports: WaitingPorts,
  index: OpenIndex,
  known: readonly WaitingWrite[],
  capBytes: number,
): Promise<OpenIndex> {
  const { overlay, name } = index;
  const newest = overlay === null ? null : lastFolded(overlay);
  const from = newest === null ? null : String(Math.max(0, timeOfWrite(newest) - LATE_MS)).padStart(13, "0");
  const listed = await ports.inbox.list(name, from);
  const unfolded = listed.filter(({ write }) => overlay === null || !isListedAsFolded(overlay, write));
  const wanted = withinLimits(unfolded);
  const found = await readAll(ports, name, wanted, known);
  const writes = found.writes.filter(({ entry }) => !isHeld(overlay, entry));
  const unread = unfolded.length - wanted.length + found.damaged;
  if (unread === index.unread && index.left === unread && sameWrites(writes, index.waiting)) return index;
  await index.prepare(writes);
  return index.withWrites(writes, capBytes, unread);
}

/** Writes in their order, those of `more` that are in `writes` already left out. */
export function mergeWrites(
  writes: readonly WaitingWrite[],
  more: readonly WaitingWrite[],
): readonly WaitingWrite[] {
  const names = new Set<WriteId>(writes.map(({ entry }) => entry.write));
  const all = [...writes, ...more.filter(({ entry }) => !names.has(entry.write))];
  return all.sort((a, b) => (a.entry.write < b.entry.write ? -1 : 1));
}

/** The first writes, for as long as they are not far more than an inbox may hold. */
function withinLimits(listed: readonly ListedWrite[]): readonly ListedWrite[] {
  let bytes = 0;
  const end = listed.findIndex((write) => {
    bytes += write.bytes;
    return bytes > OVERSHOOT * INBOX_LIMITS.waitingBytes;
  });
  return listed.slice(0, Math.min(end < 0 ? listed.length : end, OVERSHOOT * INBOX_LIMITS.waiting));
}

async function readAll(
  { store, log }: WaitingPorts,
  index: string,
  listed: readonly ListedWrite[],
  known: readonly WaitingWrite[],
): Promise<{ readonly writes: readonly WaitingWrite[]; readonly damaged: number }> {
  const byName = new Map(known.map((write) => [write.entry.write, write]));
  const found: (WaitingWrite | null)[] = listed.map(({ write }) => byName.get(write) ?? null);
  let damaged = 0;
  await inTurns([...listed.entries()], AT_ONCE, async ([at, { write, bytes }]) => {
    if (found[at] !== null) return;
    try {
      const entry = await readEntry(store, index, write);
      if (entry !== null) found[at] = { entry, bytes };
    } catch (error) {
      if (!isDamage(error)) throw error;
      damaged++;
      log(JSON.stringify({ level: "error", index, code: error.code, message: error.message }));
    }
  });
  return { writes: found.filter((write) => write !== null), damaged };
}

function sameWrites(a: readonly WaitingWrite[], b: readonly WaitingWrite[]): boolean {
  return a.length === b.length && a.every(({ entry }, at) => entry.write === b[at]!.entry.write);
}
