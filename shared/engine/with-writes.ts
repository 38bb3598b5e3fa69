/**
 * A version with writes at the edge laid over it: its own shards, with what was written anew or
 * deleted hidden, and one fresh shard in memory. It ranks as if the version held them.
 */
import { compareIds } from "../format/ids.ts";
import type { InboxEntry, InboxPut } from "../format/inbox.ts";
import { makeSegment } from "../segment/segment.ts";
import type { OpenIndex, WaitingWrite } from "./api.ts";
import { type BlockCache, DocumentReader, type DocumentsFile } from "./document-reader.ts";
import { type FreshDocument, type FreshParts, freshDocument, readFreshDocument } from "./fresh-document.ts";
import type { FreshSlot } from "./fresh-slot.ts";
import type { ResidentShard } from "./resident.ts";
import { createSearcher, type Searcher, type SearcherParts } from "./search.ts";

/** A loaded version, as it came from the store. */
export interface BaseParts {
  /** What is told of it. */
  readonly facts: Pick<
    OpenIndex,
    "name" | "manifest" | "version" | "manifestSha256" | "residentBytes" | "placement" | "warm" | "overlay"
  >;
  readonly searcher: Omit<SearcherParts, "documents" | "newWords">;
  /** One for each shard, in their order. */
  readonly files: readonly DocumentsFile[];
  readonly blocks: BlockCache;
  /** What the version's impacts were multiplied by. */
  readonly impactScale: number;
  /** Where the fresh shard is put. */
  readonly slot: FreshSlot;
}

/** What is laid over a version: the newest write of each document, of those that there is room for. */
interface Layer {
  /** Ids that are no longer the version's: those of all writes that were taken. */
  readonly ids: readonly string[];
  /** The documents put, ascending by id. */
  readonly puts: readonly FreshDocument[];
  readonly bytes: number;
  readonly left: number;
}

/** Bytes that a write takes beside what it says: names, objects, a hidden number. */
const WRITE_BYTES = 512;
/** Bytes that a document's numbers take for each of its text, about, where they are not known. */
const UNREAD_SHARE = 2;

/** An open index over these parts, with no write laid over it. */
export function openOver(parts: BaseParts): OpenIndex {
  const { searcher, files, blocks } = parts;
  const plain = createSearcher({
    ...searcher,
    newWords: new Set(),
    documents: new DocumentReader(files, blocks),
  });
  const encoded = new WeakMap<InboxEntry, FreshDocument>();
  const encode = (entry: InboxPut): FreshDocument | null => {
    const document = encoded.get(entry) ?? freshDocument(entry, freshParts(parts));
    if (document !== null) encoded.set(entry, document);
    return document;
  };
  const prepare = async (writes: readonly WaitingWrite[]): Promise<void> => {
    for (const { entry } of writes) {
      if (entry.op !== "put" || encode(entry) !== null) continue;
      encoded.set(entry, await readFreshDocument(entry, freshParts(parts)));
    }
  };
  // The slot holds one shard, that of the last layer: what was laid before answers through it as well. It is made when somebody
  // asks: of a thousand writes in a row each would make a shard of all before it, megabytes that nobody searches.
  let newest: Searcher = plain;
  let unmade: Layer | null = null;
  const now = (): Searcher => {
    if (unmade !== null) newest = searcherOver(parts, unmade);
    unmade = null;
    return newest;
  };
  const withWrites = (writes: readonly WaitingWrite[], capBytes: number, unread = 0): OpenIndex => {
    const chosen = choose(writes, capBytes, encode);
    const layer = { ...chosen, left: chosen.left + unread };
    newest = plain;
    unmade = layer.ids.length + layer.left === 0 ? null : layer;
    return {
      ...parts.facts,
      waiting: writes,
      waitingBytes: layer.bytes,
      left: layer.left,
      unread,
      async search(request, patienceMs) {
        const started = parts.searcher.ports.now();
        // Asked again each time, of what is newest then: once nothing is missing nothing may come between.
        for (let wait = now().ready(request); wait !== null; wait = now().ready(request)) await wait;
        return now().search(request, patienceMs, started);
      },
      document: async (...asked) => now().document(...asked),
      prepare,
      withWrites,
      leavesOut: (others, cap) => choose(others, cap, encode, true).left,
    };
  };
  return withWrites([], 0);
}

function freshParts({ searcher: { manifest, tokenizer, tables }, impactScale }: BaseParts): FreshParts {
  return { manifest, tokenizer, table: tables[0]!, impactScale };
}

/**
 * The writes that are laid, the earliest first for as long as there is room: those left out are the newest. What has
 * not been prepared ends them too, unless it is `assumed` to have been: then its size is guessed.
 */
function choose(
  writes: readonly WaitingWrite[],
  capBytes: number,
  encode: (entry: InboxPut) => FreshDocument | null,
  assumed = false,
): Layer {
  const byId = new Map<string, WaitingWrite>();
  for (const write of writes) {
    // Moved to the end: the order is that of the writes that count.
    byId.delete(write.entry.id);
    byId.set(write.entry.id, write);
  }
  const ids: string[] = [];
  const puts: FreshDocument[] = [];
  let bytes = 0;
  for (const { entry, bytes: stored } of byId.values()) {
    const document = entry.op === "put" ? encode(entry) : null;
    // Texts are kept with one or two bytes a character.
    const unread = entry.op === "put" && document === null;
    const more = WRITE_BYTES + 2 * stored + (document?.bytes ?? (unread ? UNREAD_SHARE * stored : 0));
    if (bytes + more > capBytes || (unread && !assumed)) break;
    bytes += more;
    ids.push(entry.id);
    if (document !== null) puts.push(document);
  }
  puts.sort((a, b) => compareIds(a.numbers.id, b.numbers.id));
  return { ids, puts, bytes, left: byId.size - ids.length };
}

function searcherOver(parts: BaseParts, layer: Layer): Searcher {
  const { searcher, files, blocks } = parts;
  const fresh = layer.puts.length === 0 ? null : freshShard(parts, layer.puts);
  const records = layer.puts.map(({ record }) => record);
  const laid = createSearcher({
    ...searcher,
    newWords: new Set(layer.puts.flatMap(({ words }) => words)),
    shards: searcher.shards.withLayer({ hidden: layer.ids, fresh }),
    documents: new DocumentReader(fresh === null ? files : [...files, { records }], blocks),
  });
  if (layer.left === 0) return laid;
  const warning = `${layer.left} documents that were written last are not in this answer; they will be in the index's next version.`;
  return {
    ...laid,
    async search(...asked) {
      const answer = await laid.search(...asked);
      return { ...answer, warnings: [...(answer.warnings ?? []), warning] };
    },
  };
}

/** The shard of what was written. */
function freshShard(
  { searcher, impactScale, slot }: BaseParts,
  puts: readonly FreshDocument[],
): ResidentShard {
  const { manifest, tables } = searcher;
  const { encoder, tokenizer, dimension, vocabulary } = tables[0]!.meta;
  const file = makeSegment(
    puts.map(({ numbers }, index) => ({ ...numbers, place: { block: 0, index } })),
    {
      ...{ encoder, tokenizer, dimension, vocabulary },
      table: manifest.tasks[0]!.table,
      impact_scale: impactScale,
      mix: 0,
    },
  );
  const shard = slot.place(file);
  // All of it lies in the slot now. A full inbox is 3 MiB of it, made anew with every write that is searched.
  for (const { buffer } of [file.codes, file.factors, file.vectors, file.rows, file.impacts, file.passages])
    buffer.transfer(0);
  return shard;
}
