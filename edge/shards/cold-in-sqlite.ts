/** Cold sections in the SQLite storage of a shard's object: read for the few documents that a query scores, synchronously. */
import type { ColdFacts, ColdScores, ColdSections, ColdVector } from "../../shared/engine/cold-sections.ts";
import { BATCH_VECTORS, type HotShard } from "../../shared/engine/resident.ts";
import { findId, idsBelow, type PackedIds } from "../../shared/format/ids.ts";
import { checksum } from "./checksum.ts";
import { DOCUMENTS_A_ROW, type DocumentRow, readDocumentRow, vectorsPerRow } from "./rows.ts";
import { damaged } from "./second-tier.ts";

/** Rows read by one statement, so that a document of a thousand chunks does not fill memory with them. */
const ROWS_AT_ONCE = 256;

/** Documents of one query with the rows they were in. */
interface Fetched {
  readonly documents: Uint32Array;
  readonly rows: ReadonlyMap<number, DocumentRow>;
}

/** The cold sections of a shard. Calls throw `blob/corrupt` where a row is not as it was stored. */
export class ColdInSqlite implements ColdSections {
  readonly bytes = 0;
  readonly #sql: SqlStorage;
  readonly #shard: HotShard;
  /** A query's scores and facts are asked for one after the other, of the same documents. */
  #last: Fetched | null = null;

  constructor(sql: SqlStorage, shard: HotShard) {
    this.#sql = sql;
    this.#shard = shard;
  }

  score(documents: Uint32Array, query: Int16Array): ColdScores {
    const { kernels, meta, owners, work, batch } = this.#shard;
    const { padded } = meta;
    const chunks = chunksOf(documents, owners);
    const dots = new Int32Array(chunks.length);
    kernels.shorts(work.query, padded).set(query);
    const rows = kernels.ints(work.rows, Math.min(BATCH_VECTORS, chunks.length));
    rows.forEach((_, at) => {
      rows[at] = at;
    });
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
    this.#eachVector(chunks, (bytes) => {
      space.set(bytes, held * padded);
      held++;
      if (held === BATCH_VECTORS) flush();
    });
    if (held > 0) flush();
    return { dots, scales: this.#scalesOf(documents, chunks.length) };
  }

  facts(documents: Uint32Array): ColdFacts {
    const { rows } = this.#fetch(documents);
    const places = new Uint32Array(2 * documents.length);
    const idStarts = new Uint32Array(documents.length + 1);
    documents.forEach((document, at) => {
      const [row, i] = this.#placeOf(rows, document);
      places[2 * at] = row.places[2 * i]!;
      places[2 * at + 1] = row.places[2 * i + 1]!;
      idStarts[at + 1] = idStarts[at]! + row.idStarts[i + 1]! - row.idStarts[i]!;
    });
    const ids = new Uint8Array(idStarts[documents.length]!);
    documents.forEach((document, at) => {
      const [row, i] = this.#placeOf(rows, document);
      ids.set(row.ids.subarray(row.idStarts[i], row.idStarts[i + 1]), idStarts[at]!);
    });
    return { places, ids, idStarts };
  }

  vector(chunk: number): ColdVector {
    let values = new Int8Array(0);
    this.#eachVector(Uint32Array.of(chunk), (bytes) => {
      values = new Int8Array(bytes.slice().buffer);
    });
    const document = documentOf(chunk, this.#shard.owners);
    const [row] = this.#placeOf(this.#fetch(Uint32Array.of(document)).rows, document);
    const first = this.#shard.owners[document - (document % DOCUMENTS_A_ROW)]!;
    return { values, scale: row.scales[chunk - first]! };
  }

  find(id: string): number {
    let low = 0;
    let high = Math.ceil(this.#shard.meta.documents / DOCUMENTS_A_ROW);
    // The last row whose first id is not above the one wanted.
    while (low + 1 < high) {
      const middle = (low + high) >>> 1;
      if (startsAbove(this.#row(middle), id)) high = middle;
      else low = middle;
    }
    const at = findId(this.#row(low), id);
    return at < 0 ? -1 : low * DOCUMENTS_A_ROW + at;
  }

  #scalesOf(documents: Uint32Array, count: number): Float32Array {
    const { owners } = this.#shard;
    const { rows } = this.#fetch(documents);
    const scales = new Float32Array(count);
    let at = 0;
    for (const document of documents) {
      const [row, i] = this.#placeOf(rows, document);
      const start = owners[document]! - owners[document - i]!;
      const length = owners[document + 1]! - owners[document]!;
      scales.set(row.scales.subarray(start, start + length), at);
      at += length;
    }
    return scales;
  }

  /** The row of a document and its place there. */
  #placeOf(rows: ReadonlyMap<number, DocumentRow>, document: number): readonly [DocumentRow, number] {
    const row = rows.get(Math.floor(document / DOCUMENTS_A_ROW));
    if (row === undefined) throw damaged(`the row of document ${document} is missing`);
    return [row, document % DOCUMENTS_A_ROW];
  }

  #fetch(documents: Uint32Array): Fetched {
    if (this.#last?.documents === documents) return this.#last;
    const wanted = distinct(documents, DOCUMENTS_A_ROW);
    const rows = new Map<number, DocumentRow>();
    for (const [at, buffer] of this.#read("documents", wanted)) rows.set(at, this.#checkedRow(at, buffer));
    this.#last = { documents, rows };
    return this.#last;
  }

  #row(at: number): PackedIds {
    for (const [found, buffer] of this.#read("documents", [at])) return this.#checkedRow(found, buffer);
    throw damaged(`row ${at} of documents is missing`);
  }

  #checkedRow(at: number, buffer: ArrayBuffer): DocumentRow {
    const { meta, owners } = this.#shard;
    const first = at * DOCUMENTS_A_ROW;
    const end = Math.min(first + DOCUMENTS_A_ROW, meta.documents);
    const row = readDocumentRow(buffer, at, end - first, owners[end]! - owners[first]!);
    if (row === null) throw damaged(`row ${at} of documents`);
    return row;
  }

  /** The vectors of these chunks, ascending, in their order. */
  #eachVector(chunks: Uint32Array, take: (bytes: Uint8Array) => void): void {
    const { padded, chunks: all } = this.#shard.meta;
    const perRow = vectorsPerRow(padded);
    let next = 0;
    for (const [row, buffer] of this.#read("vectors", distinct(chunks, perRow))) {
      const first = row * perRow;
      const count = Math.min(perRow, all - first);
      if (buffer.byteLength !== count * (padded + 4)) throw damaged(`row ${row} of vectors`);
      const words = new Uint32Array(buffer);
      const each = padded / 4;
      for (; next < chunks.length && chunks[next]! < first + count; next++) {
        const i = chunks[next]! - first;
        const sum = checksum(words, i * each, (i + 1) * each, row * 256 + i);
        if (i < 0 || words[count * each + i] !== sum) throw damaged(`row ${row} of vectors`);
        take(new Uint8Array(buffer, i * padded, padded));
      }
    }
    if (next < chunks.length) throw damaged(`the row of chunk ${chunks[next]} is missing`);
  }

  /** Rows by number, in the order asked for. Many by one statement: each costs some 5 microseconds then, 10 by itself. */
  *#read(table: "vectors" | "documents", rows: readonly number[]): Generator<[number, ArrayBuffer]> {
    const query = `SELECT t.at, t.bytes FROM json_each(?) AS wanted CROSS JOIN ${table} AS t ON t.at = wanted.value`;
    for (let first = 0; first < rows.length; first += ROWS_AT_ONCE) {
      const wanted = JSON.stringify(rows.slice(first, first + ROWS_AT_ONCE));
      // All of them before the first is looked at: a cursor that is left half way locks its table.
      for (const [at, bytes] of [...this.#sql.exec(query, wanted).raw()]) {
        if (typeof at !== "number" || !(bytes instanceof ArrayBuffer)) throw damaged(`a row of ${table}`);
        yield [at, bytes];
      }
    }
  }
}

function startsAbove(row: PackedIds, id: string): boolean {
  return idsBelow({ ids: row.ids, idStarts: row.idStarts.subarray(0, 2) }, id) === 0 && findId(row, id) !== 0;
}

/** The chunks of these documents, ascending. */
function chunksOf(documents: Uint32Array, owners: Uint32Array): Uint32Array {
  let count = 0;
  for (const document of documents) count += owners[document + 1]! - owners[document]!;
  const chunks = new Uint32Array(count);
  let at = 0;
  for (const document of documents)
    for (let chunk = owners[document]!; chunk < owners[document + 1]!; chunk++) chunks[at++] = chunk;
  return chunks;
}

/** The document that a chunk belongs to. */
function documentOf(chunk: number, owners: Uint32Array): number {
  let low = 0;
  let high = owners.length - 1;
  while (low + 1 < high) {
    const middle = (low + high) >>> 1;
    if (owners[middle]! <= chunk) low = middle;
    else high = middle;
  }
  return low;
}

/** Rows of this many that ascending numbers are in, each once. */
function distinct(ascending: Uint32Array, perRow: number): number[] {
  const rows: number[] = [];
  for (const number of ascending) {
    const row = Math.floor(number / perRow);
    if (rows[rows.length - 1] !== row) rows.push(row);
  }
  return rows;
}
