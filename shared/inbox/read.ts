/** Reading an inbox: which writes at the edge no version holds yet. */
import { LightedgeError } from "../errors.ts";
import { type InboxEntry, parseInboxEntry } from "../format/inbox.ts";
import { inboxKey, inboxPrefix, type WriteId, writeOfKey } from "../format/names.ts";
import type { Overlay } from "../format/overlay.ts";
import { inTurns } from "../in-turns.ts";
import type { ReadStore, WriteStore } from "../store/store.ts";

/** What lies in an index's inbox. */
export interface Inbox {
  /** Every write whose entry lies there, folded ones included, ascending. */
  readonly listed: readonly WriteId[];
  /** The entries that the overlay does not list as folded, ascending by `write`. */
  readonly entries: readonly InboxEntry[];
  /** Entries that cannot be read. They are left where they are: somebody was told that they are safe. */
  readonly damaged: readonly DamagedEntry[];
}

/** An entry whose bytes are not what was written, or of a newer format. */
export interface DamagedEntry {
  readonly write: WriteId;
  /** Names the key and says what is wrong with it. */
  readonly reason: LightedgeError;
}

/** What reading an inbox needs of a store. */
export type InboxStore = Pick<ReadStore, "get"> & Pick<WriteStore, "list">;

/** Entries read at once. */
const AT_ONCE = 8;

/**
 * Reads an index's inbox, but for the entries that this overlay lists as folded. An entry that is
 * damaged at first is read once more. Throws `store/unavailable`. Cost: a listing, and one read for each entry
 * that is not folded; memory: all of those.
 */
export async function readInbox(store: InboxStore, index: string, overlay: Overlay): Promise<Inbox> {
  const folded = new Set<string>(overlay.folded);
  const listed: WriteId[] = [];
  for await (const { key } of store.list(inboxPrefix(index))) {
    const write = writeOfKey(index, key);
    if (write !== null) listed.push(write);
  }
  listed.sort();
  const waiting = listed.filter((write) => !folded.has(write));
  const entries: InboxEntry[] = [];
  const damaged: DamagedEntry[] = [];
  await inTurns(waiting, AT_ONCE, async (write) => {
    try {
      const entry = await readEntry(store, index, write);
      // Gone since it was listed: then it was folded and collected.
      if (entry !== null) entries.push(entry);
    } catch (error) {
      if (!isDamage(error)) throw error;
      damaged.push({ write, reason: error });
    }
  });
  return { listed, entries: entries.sort(byWrite), damaged: damaged.sort(byWrite) };
}

/** One entry of an inbox, or null where there is none. Throws as `parseInboxEntry`, after a second read of what is damaged. */
export async function readEntry(
  store: Pick<ReadStore, "get">,
  index: string,
  write: WriteId,
): Promise<InboxEntry | null> {
  const key = inboxKey(index, write);
  for (let attempt = 1; ; attempt++) {
    const found = await store.get(key);
    if (found === null) return null;
    try {
      return await parseInboxEntry(found.body, index, write);
    } catch (error) {
      if (attempt === 2 || !isDamage(error)) throw error;
    }
  }
}

/** Whether an error says that an entry is not what was written, rather than that the store did not answer. */
export function isDamage(error: unknown): error is LightedgeError {
  const codes: readonly string[] = ["blob/corrupt", "format/invalid", "format/unsupported"];
  return error instanceof LightedgeError && codes.includes(error.code);
}

function byWrite(a: { readonly write: WriteId }, b: { readonly write: WriteId }): number {
  return a.write < b.write ? -1 : 1;
}
