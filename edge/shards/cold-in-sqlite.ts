/** Cold sections in the SQLite storage of a shard's object: read for the few documents that a query scores, synchronously. */
import type { ColdFacts, ColdScores, ColdSections, ColdVector } from "../../shared/engine/cold-sections.ts";
import { BATCH_VECTORS, type HotShard } from "../../shared/engine/resident.ts";
import { compareIdsAt, type PackedIds, packIds } from "../../shared/format/ids.ts";
import { FactsList } from "./facts-list.ts";
import type { FoundRow, RowCache } from "./row-cache.ts";
import { CHUNK_WORDS, chunkAt, chunksPerRow, openRow, type RowSpace } from "./rows.ts";
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
      for (let chunk = first; chunk < end; chunk++) {
        const at = this.#chunkAt(found, row, chunk);
        const vector = 4 * (at + CHUNK_WORDS);
        space.set(bytes.subarray(vector, vector + padded), held * padded);
        scales[done + held] = floats[at]!;
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
    const found = this.#one(row);
    const { space } = found;
    const at = this.#chunkAt(found, row, chunk);
    const vector = 4 * (at + CHUNK_WORDS);
    return {
      values: new Int8Array(space.bytes.slice(vector, vector + padded).buffer),
      scale: space.floats[at]!,
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

  /** Where a chunk begins in the space of its row, in words. */
  #chunkAt({ start }: FoundRow, row: number, chunk: number): number {
    return start + chunkAt(chunk - row * this.#perRow, this.#shard.meta.padded);
  }

  /** Where the id of a document lies in the bytes of the row that it begins in. `at` is where its chunk does. */
  #idRange(found: FoundRow, row: number, at: number): readonly [start: number, end: number] {
    const { chunks } = this.#shard.meta;
    const ids = 4 * this.#chunkAt(found, row, Math.min(chunks, (row + 1) * this.#perRow));
    const range = found.space.words[at + 3]!;
    return [ids + (range & 0xffff), ids + (range >>> 16)];
  }

  #idIn(found: FoundRow, row: number, document: number): PackedIds {
    const at = this.#chunkAt(found, row, this.#shard.owners[document]!);
    return { ids: found.space.bytes, idStarts: Uint32Array.from(this.#idRange(found, row, at)) };
  }

  #addFacts(facts: FactsList, found: FoundRow, row: number, document: number): void {
    const { words, bytes } = found.space;
    const at = this.#chunkAt(found, row, this.#shard.owners[document]!);
    const [start, end] = this.#idRange(found, row, at);
    facts.add(words[at + 1]!, words[at + 2]!, bytes, start, end);
  }

  /** Has these documents' rows shown in their order: all rows with chunks of one, or only that which it begins in. */
  #visit(documents: Uint32Array, all: boolean, show: (found: FoundRow, visit: Visit) => void): void {
    const { owners } = this.#shard;
    const perRow = this.#perRow;
    let visits: Visit[] = [];
    let rows: number[] = [];
    const flush = () => {
      const { found, keep, letGo } = this.#open(rows);
      let at = 0;
      for (const visit of visits) {
        while (rows[at] !== visit.row) at++;
        show(found[at]!, visit);
      }
      keep();
      letGo();
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
   * was read is kept, for which what was found in memory may have to go. `letGo` then gives back what was read: a deep page reads
   * 4 MiB, and buffers hardly bring a collection about.
   */
  #open(rows: readonly number[]): { readonly found: readonly FoundRow[]; keep(): void; letGo(): void } {
    const here = rows.map((row) => this.#cache.find(row));
    const missing = rows.filter((_, at) => here[at] === null);
    const read = missing.length === 0 ? [] : this.#read(missing);
    let next = 0;
    return {
      found: here.map((found) => found ?? { space: read[next++]!, start: 0 }),
      keep: () => {
        for (const [at, row] of missing.entries()) this.#cache.put(row, read[at]!);
      },
      letGo: () => {
        for (const { bytes } of read) bytes.buffer.transfer(0);
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
