/** Source and inbox to one collection: documents that were written at the edge stand beside and in front of the source's. */
import { uint32s } from "../../shared/format/bytes.ts";
import { compareIds } from "../../shared/format/ids.ts";
import { loadEnvelope, openRanged } from "../../shared/format/load.ts";
import { blobsOf } from "../../shared/format/manifest.ts";
import { NO_OVERLAY, type Overlay, readOverlay, unpackOverlay } from "../../shared/format/overlay.ts";
import { type Fold, foldInbox } from "../../shared/inbox/fold.ts";
import { readInbox } from "../../shared/inbox/read.ts";
import { contentDigest, type SourceDocument } from "../../shared/segment/document.ts";
import type { WriteStore } from "../../shared/store/store.ts";
import type { Progress } from "../progress.ts";
import { type Collection, withKinds } from "../stages/collect.ts";
import { type Base, type BasePlace, type BaseShard, liveOf } from "./base.ts";

/** A source with the writes at the edge laid over it. */
export interface Laid {
  readonly collection: Collection;
  /** For the new version. */
  readonly overlay: Overlay;
  /** Writes that no version had yet. */
  readonly taken: number;
}

/** A document of the collection to be, with where it is read. */
interface Entry {
  readonly id: string;
  readonly digest: string;
  read(): Promise<SourceDocument>;
}

/** Reads an index's inbox and lays it over what the source holds. Cost: a listing, a read for each write not folded yet. */
export async function layWrites(
  store: WriteStore,
  index: string,
  base: Base | null,
  source: Collection,
  progress: Progress,
): Promise<Laid> {
  const before = base === null ? NO_OVERLAY : await overlayOf(store, base);
  const inbox = await readInbox(store, index, before);
  for (const { reason } of inbox.damaged) progress.warn(`${reason.message} It was left where it is.`);
  if (before === NO_OVERLAY && inbox.listed.length === 0)
    return { collection: source, overlay: before, taken: 0 };
  const digests = new Map(source.ids.map((id, at) => [id, source.digests[at]!]));
  const fold = foldInbox(before, inbox, (id) => digests.get(id) ?? null);
  return { collection: await laid(store, base, source, fold), overlay: fold.overlay, taken: fold.taken };
}

async function overlayOf(store: WriteStore, { manifest }: Base): Promise<Overlay> {
  const [entry] = blobsOf(manifest, "overlay");
  return entry === undefined ? NO_OVERLAY : unpackOverlay(readOverlay(await loadEnvelope(store, entry)));
}

async function laid(
  store: WriteStore,
  base: Base | null,
  source: Collection,
  fold: Fold,
): Promise<Collection> {
  const { puts, kept, deletes } = fold;
  const entries: Entry[] = source.ids.flatMap((id, at) =>
    puts.has(id) || kept.has(id) || deletes.has(id)
      ? []
      : [{ id, digest: source.digests[at]!, read: () => source.read(at) }],
  );
  for (const [id, fields] of puts) {
    const document = { id, fields, sections: [] };
    entries.push({ id, digest: await contentDigest(document), read: async () => document });
  }
  const live = base === null ? new Map<string, BasePlace>() : liveOf(base);
  const readStored = base === null ? null : storedReader(store, base);
  for (const id of kept) {
    const place = live.get(id);
    // A version before digests is made anew as a whole, so an empty one is compared with nothing.
    const digest = place === undefined ? "" : (base!.shards[place.shard]!.digests?.[place.row] ?? "");
    if (place !== undefined) entries.push({ id, digest, read: () => readStored!(place) });
  }
  entries.sort((a, b) => compareIds(a.id, b.id));
  const fields = [...puts.values()];
  // What is kept was described by the version that holds it.
  const known = kept.size > 0 && base !== null ? base.manifest.fields : [];
  return {
    ...source,
    ids: entries.map(({ id }) => id),
    digests: entries.map(({ digest }) => digest),
    fields: withKinds([...source.fields, ...known], fields),
    read: (at) => entries[at]!.read(),
  };
}

/**
 * Reads documents as the base has them. What is written at the edge has no headings, so nothing is lost.
 * Cost: the places of a shard's documents once, of 8 bytes each; then some range reads for a document.
 */
function storedReader(store: WriteStore, { shards }: Base): (place: BasePlace) => Promise<SourceDocument> {
  const known = new Map<number, Promise<Uint32Array>>();
  const placesOf = (at: number): Promise<Uint32Array> => {
    const places = known.get(at) ?? readPlaces(store, shards[at]!);
    known.set(at, places);
    return places;
  };
  return async ({ shard: at, row }) => {
    const places = await placesOf(at);
    const [block] = await shards[at]!.file.blocks([places[2 * row]!]);
    const { id, fields } = block!.record(places[2 * row + 1]!);
    return { id, fields, sections: [] };
  };
}

async function readPlaces(store: WriteStore, { shard, ids }: BaseShard): Promise<Uint32Array> {
  const source = await openRanged(store, shard);
  const [bytes] = await source.read("places", [{ start: 0, end: source.bytes("places") }]);
  return uint32s(bytes!, 2 * ids.length, "shard section places");
}
