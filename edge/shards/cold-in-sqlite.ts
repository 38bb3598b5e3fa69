/** Cold sections in the SQLite storage of a shard's object: read for the few documents that a query scores, synchronously. */
import type { ColdFacts, ColdScores, ColdSections, ColdVector } from "../../shared/engine/cold-sections.ts";
import { BATCH_VECTORS, type HotShard } from "../../shared/engine/resident.ts";
import { compareIdsAt, type PackedIds, packIds } from "../../shared/format/ids.ts";
import { FactsList } from "./facts-list.ts";
import type { FoundRow, RowCache } from "./row-cache.ts";
import {
  chunksPerRow,
  DOCUMENT_WORDS,
  documentsAt,
  openRow,
  type RowSpace,
  scalesAt,
  vectorsAt,
} from "./rows.ts";
import { damaged } from "./second-tier.ts";

/** Rows read by one statement, so that a document of a thousand chunks does not fill memory with them. */
const ROWS_AT_ONCE = 256;

/** The chunks of one document that lie in one row. */
interface Visit {
  readonly document: number;
  readonly row: number;
  readonly first: number;
  readonly end: number;
}

/** The cold sections of a shard. Calls throw `blob/corrupt` where a row is not as it was stored. */
export class ColdInSqlite implements ColdSections {
  readonly bytes = 0;
  readonly #sql: SqlStorage;
  readonly #shard: HotShard;
  readonly #cache: RowCache;
  readonly #perRow: number;
  /** A query's scores and facts are asked for one after the other, of the same documents, and lie in the same rows. */
  #last: { readonly documents: Uint32Array; readonly facts: ColdFacts } | null = null;

  constructor(sql: SqlStorage, shard: HotShard, cache: RowCache) {
    this.#sql = sql;
    this.#shard = shard;
    this.#cache = cache;
    this.#perRow = chunksPerRow(shard.meta.padded);
  }

  score(documents: Uint32Array, query: Int16Array): ColdScores {
    const { kernels, meta, owners, work, batch } = this.#shard;
    const { padded } = meta;
    let count = 0;
    for (const document of documents) count += owners[document + 1]! - owners[document]!;
    const dots = new Int32Array(count);
    const scales = new Float32Array(count);
    kernels.shorts(work.query, padded).set(query);
    const rows = kernels.ints(work.rows, Math.min(BATCH_VECTORS, count));
    for (let at = 0; at < rows.length; at++) rows[at] = at;
    let space = kernels.bytes(batch, BATCH_VECTORS * padded);
    let done = 0;
    let held = 0;
    const flush = () => {
      kernels.dotRows(batch, work.rows, held, padded, work.query, work.dots);
      dots.set(kernels.ints(work.dots, held), done);
      done += held;
      held = 0;
      space = kernels.bytes(batch, BATCH_VECTORS * padded);
    };
    const facts = new FactsList(documents.length);
    this.#visit(documents, true, (found, { document, row, first, end }) => {
      const { bytes, floats } = found.space;
      const vectors = 4 * (found.start + vectorsAt(this.#chunksIn(row)));
      for (let chunk = first; chunk < end; chunk++) {
        const own = chunk - row * this.#perRow;
        const at = vectors + own * padded;
        space.set(bytes.subarray(at, at + padded), held * padded);
        scales[done + held] = floats[found.start + scalesAt + own]!;
        held++;
        if (held === BATCH_VECTORS) flush();
      }
      if (first === owners[document]) this.#addFacts(facts, found, row, document);
    });
    if (held > 0) flush();
    this.#last = { documents, facts: facts.finish() };
    return { dots, scales };
  }

  facts(documents: Uint32Array): ColdFacts {
    if (this.#last?.documents === documents) return this.#last.facts;
    const facts = new FactsList(documents.length);
    this.#visit(documents, false, (found, { row, document }) => this.#addFacts(facts, found, row, document));
    return facts.finish();
  }

  vector(chunk: number): ColdVector {
    const { padded } = this.#shard.meta;
    const row = Math.floor(chunk / this.#perRow);
    const { space, start } = this.#one(row);
    const own = chunk - row * this.#perRow;
    const at = 4 * (start + vectorsAt(this.#chunksIn(row))) + own * padded;
    return {
      values: new Int8Array(space.bytes.slice(at, at + padded).buffer),
      scale: space.floats[start + scalesAt + own]!,
    };
  }

  find(id: string): number {
    const { owners, meta } = this.#shard;
    const wanted = packIds([id]);
    let low = 0;
    let high = meta.documents;
    let found: FoundRow | null = null;
    let open = -1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const row = Math.floor(owners[middle]! / this.#perRow);
      // The last few steps are in one row.
      if (found === null || row !== open) found = this.#one(row);
      open = row;
      const order = compareIdsAt(this.#idIn(found, row, middle), 0, wanted, 0);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return -1;
  }

  #chunksIn(row: number): number {
    return Math.min(this.#perRow, this.#shard.meta.chunks - row * this.#perRow);
  }

  /** Where a row has the words of a document that begins in it, and how many documents do so before it. */
  #documentIn({ start }: FoundRow, row: number, document: number): readonly [word: number, before: number] {
    const { owners, meta } = this.#shard;
    const first = row * this.#perRow;
    let before = 0;
    while (before < document && owners[document - before - 1]! >= first) before++;
    const words = start + documentsAt(this.#chunksIn(row), meta.padded);
    return [words + DOCUMENT_WORDS * before, before];
  }

  /** The bytes of a document's id. */
  #idRange(found: FoundRow, word: number, before: number): readonly [start: number, end: number] {
    const { words } = found.space;
    const ids = 4 * (word + DOCUMENT_WORDS * (words[found.start + 1]! - before));
    return [ids + (before === 0 ? 0 : words[word - 1]!), ids + words[word + 2]!];
  }

  #idIn(found: FoundRow, row: number, document: number): PackedIds {
    const [start, end] = this.#idRange(found, ...this.#documentIn(found, row, document));
    return { ids: found.space.bytes, idStarts: Uint32Array.of(start, end) };
  }

  #addFacts(facts: FactsList, found: FoundRow, row: number, document: number): void {
    const [word, before] = this.#documentIn(found, row, document);
    const [start, end] = this.#idRange(found, word, before);
    const { words, bytes } = found.space;
    facts.add(words[word]!, words[word + 1]!, bytes, start, end);
  }

  /** Has these documents' rows shown in their order: all rows with chunks of one, or only that which it begins in. */
  #visit(documents: Uint32Array, all: boolean, show: (found: FoundRow, visit: Visit) => void): void {
    const { owners } = this.#shard;
    const perRow = this.#perRow;
    let visits: Visit[] = [];
    let rows: number[] = [];
    const flush = () => {
      const { found, keep } = this.#open(rows);
      let at = 0;
      for (const visit of visits) {
        while (rows[at] !== visit.row) at++;
        show(found[at]!, visit);
      }
      keep();
      visits = [];
      rows = [];
    };
    for (const document of documents) {
      const last = all ? owners[document + 1]! : owners[document]! + 1;
      for (let first = owners[document]!; first < last; ) {
        const row = Math.floor(first / perRow);
        const end = Math.min(last, (row + 1) * perRow);
        if (rows[rows.length - 1] !== row) {
          if (rows.length === ROWS_AT_ONCE) flush();
          rows.push(row);
        }
        visits.push({ document, row, first, end });
        first = end;
      }
    }
    if (visits.length > 0) flush();
  }

  #one(row: number): FoundRow {
    const { found, keep } = this.#open([row]);
    keep();
    return found[0]!;
  }

  /**
   * These rows, ascending, from memory or from storage. `keep` is to be called when nobody looks at them any more: what
   * was read is kept, for which what was found in memory may have to go.
   */
  #open(rows: readonly number[]): { readonly found: readonly FoundRow[]; keep(): void } {
    const here = rows.map((row) => this.#cache.find(row));
    const missing = rows.filter((_, at) => here[at] === null);
    const read = missing.length === 0 ? [] : this.#read(missing);
    let next = 0;
    return {
      found: here.map((found) => found ?? { space: read[next++]!, start: 0 }),
      keep: () => {
        for (const [at, row] of missing.entries()) this.#cache.put(row, read[at]!);
      },
    };
  }

  /** Rows by number, checked. Many by one statement: each costs some 5 microseconds then, 10 by itself. */
  #read(rows: readonly number[]): readonly RowSpace[] {
    const query =
      "SELECT t.at, t.bytes FROM json_each(?) AS wanted CROSS JOIN rows AS t ON t.at = wanted.value";
    // All of them before the first is looked at: a cursor that is left half way locks its table.
    const read = [...this.#sql.exec(query, JSON.stringify(rows)).raw()];
    return rows.map((row, i) => {
      const [at, bytes] = read[i] ?? [];
      const space = at === row && bytes instanceof ArrayBuffer ? openRow(bytes, this.#shard.meta, row) : null;
      if (space === null) throw damaged(`row ${row}`);
      return space;
    });
  }
}
