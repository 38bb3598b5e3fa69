/**
 * Folding: what a version becomes when writes at the edge are laid over its sources. Pure, so that
 * the indexer, the Worker and tests have one rule.
 *
 * The order of writes is the order of their names. For each document the greatest write counts, once: its name is
 * kept as the document's watermark, and an entry that is not above it changes nothing, however often
 * and however late it is seen. What was written stands until the source itself changes the document,
 * that is until the source's digest of it is another than when the write was folded; then the source wins.
 */
import { compareIds } from "../format/ids.ts";
import type { InboxEntry } from "../format/inbox.ts";
import type { WriteId } from "../format/names.ts";
import type { Overlay, OverlayEntry } from "../format/overlay.ts";
import type { Fields } from "../types.ts";

/** What folding found: each document is in at most one of `puts`, `kept` and `deletes`; in none, it is the source's. */
export interface Fold {
  /** For the new version; the very one that was given where nothing new was found. */
  readonly overlay: Overlay;
  /** Documents to index from these fields, whatever the source holds under their ids. */
  readonly puts: ReadonlyMap<string, Fields>;
  /** Documents put by an earlier fold that still stand: as the version before has them, whatever the source holds. */
  readonly kept: ReadonlySet<string>;
  /** Documents to leave out, whatever the source holds; the version before may have them. */
  readonly deletes: ReadonlySet<string>;
  /** Documents that an earlier fold put or deleted and that are the source's again, ascending. */
  readonly released: readonly string[];
  /** Writes that this fold takes in, those that a later one overtakes included. 0 where nothing was new. */
  readonly taken: number;
}

/** Time after which the watermark of a document that is the source's is forgotten: 30 days, in ms between write names. */
export const WATERMARK_MS = 30 * 86_400_000;

/**
 * Lays entries over an overlay. `overlay` is that of the version the new one is made from,
 * `entries` those of `readInbox` in any order and any number of times, `listed` its list of all
 * writes whose entries lie there. `sourceDigest` gives the content digest, 32 hexadecimal digits, of the record that the source
 * has now under an id, or null; it is asked for ids of the overlay and the entries only.
 */
export function foldInbox(
  overlay: Overlay,
  { entries, listed }: { readonly entries: readonly InboxEntry[]; readonly listed: readonly WriteId[] },
  sourceDigest: (id: string) => string | null,
): Fold {
  const released: string[] = [];
  const next = new Map<string, OverlayEntry>();
  for (const entry of overlay.entries) {
    const changed = entry.stands !== "source" && sourceDigest(entry.id) !== entry.source;
    if (changed) released.push(entry.id);
    next.set(entry.id, changed ? { ...entry, stands: "source", source: null } : entry);
  }
  const { newest, taken } = newestWrites(entries, overlay);
  const puts = new Map<string, Fields>();
  for (const [id, entry] of newest) {
    next.set(id, { id, write: entry.write, stands: entry.op, source: sourceDigest(id) });
    if (entry.op === "put") puts.set(id, entry.fields);
  }
  const kept = new Set<string>();
  const deletes = new Set<string>();
  for (const { id, stands } of next.values()) {
    if (stands === "delete") deletes.add(id);
    else if (stands === "put" && !puts.has(id)) kept.add(id);
  }
  const known = new Set<WriteId>([...overlay.folded, ...entries.map(({ write }) => write)]);
  const after: Overlay = {
    entries: withoutForgotten([...next.values()], listed).sort((a, b) => compareIds(a.id, b.id)),
    folded: [...new Set(listed)].filter((write) => known.has(write)).sort(),
  };
  // That entries were collected and watermarks could be forgotten is no reason for a new version.
  const isNew = released.length > 0 || known.size > new Set(overlay.folded).size;
  return {
    overlay: isNew ? after : overlay,
    puts,
    kept,
    deletes,
    released: released.filter((id) => !newest.has(id)),
    taken,
  };
}

/** The greatest entry of each document that is above the document's watermark, and how many entries are. */
function newestWrites(
  entries: readonly InboxEntry[],
  overlay: Overlay,
): { readonly newest: ReadonlyMap<string, InboxEntry>; readonly taken: number } {
  const watermarks = new Map(overlay.entries.map(({ id, write }) => [id, write]));
  const newest = new Map<string, InboxEntry>();
  const taken = new Set<WriteId>();
  for (const entry of entries) {
    const watermark = watermarks.get(entry.id);
    if (watermark !== undefined && entry.write <= watermark) continue;
    taken.add(entry.write);
    const before = newest.get(entry.id);
    if (before === undefined || before.write < entry.write) newest.set(entry.id, entry);
  }
  return { newest, taken: taken.size };
}

/**
 * Without the watermarks that protect nothing any more: of a document that is the source's, or was
 * deleted and is in no source, whose write is 30 days older than the newest and lies in the inbox no
 * longer. By then no entry that it would have to hold off can still be on its way.
 */
function withoutForgotten(entries: readonly OverlayEntry[], listed: readonly WriteId[]): OverlayEntry[] {
  const times = [...entries.map(({ write }) => write), ...listed].map(timeOfWrite);
  const newest = times.reduce((most, time) => Math.max(most, time), 0);
  const there = new Set<WriteId>(listed);
  return entries.filter(({ write, stands, source }) => {
    const rests = stands === "source" || (stands === "delete" && source === null);
    return !rests || there.has(write) || timeOfWrite(write) >= newest - WATERMARK_MS;
  });
}

/** Milliseconds since 1970 at which a write was taken, by the clock of the Worker that took it. */
export function timeOfWrite(write: WriteId): number {
  return Number(write.slice(0, 13));
}
