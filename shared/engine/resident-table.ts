/** Query tables as they lie in memory: whole, or without the rows that are used least. */
import { openRanged, openStreamed } from "../format/load.ts";
import type { BlobEntry } from "../format/manifest.ts";
import type { ByteRange } from "../format/plan.ts";
import type { SectionSource } from "../format/ranged.ts";
import { offsetIn, tierOf } from "../format/row-layout.ts";
import { AS_ONE, IN_PIECES, type StreamLimits } from "../format/streamed.ts";
import {
  NO_ROW,
  readColumns,
  readTable,
  readTableMeta,
  type TableColumns,
  type TableMeta,
  tokenRows,
} from "../format/table.ts";
import { inTurns } from "../in-turns.ts";
import type { Kernels, Pointer } from "../kernels/kernels.ts";
import { PAGE_BYTES, SCRATCH_BYTES } from "../kernels/memory.ts";
import { MEMORY_LIMITS } from "../limits.ts";
import type { ReadStore } from "../store/store.ts";
import { claim, spaceIn } from "./claim.ts";
import { type Phrases, phrasesOf } from "./phrases.ts";
import { planRows, type RowPlan, type RowRun } from "./table-runs.ts";
import { TAIL_READS, TAIL_SLOTS, TableTail } from "./table-tail.ts";

/** A query table in its own kernel memory. */
export interface ResidentTable {
  readonly meta: TableMeta;
  readonly kernels: Kernels;
  /** Row of each token id, `NO_ROW` where it has none. */
  readonly rank: Uint32Array<ArrayBuffer>;
  /** Pairs of neighbouring tokens with a row: pair k has row `firstPhrase + k`. */
  readonly phrases: Phrases;
  readonly firstPhrase: number;
  readonly scales: Float32Array<ArrayBuffer>;
  /** Sparse weight of each token id times `meta.weight_scale`. */
  readonly weights: Uint16Array<ArrayBuffer>;
  /** Where rows are, in their order. */
  readonly runs: readonly RowRun[];
  /** Packed rows, a codebook of 16 bytes for each tier, and float32 space for the sum of a query's rows. */
  readonly rows: Pointer;
  readonly codebooks: Pointer;
  readonly sum: Pointer;
  /** Rows that are not kept: those of the run that starts nowhere. Null where all are. */
  readonly tail: TableTail | null;
}

const CODEBOOK_BYTES = 16;

/**
 * Reads a table to where it stays; of one above `mostBytes` as much as that, the rest of its rows by range when they are
 * wanted. Throws what reading the store and `readTable` throw.
 */
export async function loadTable(
  store: ReadStore,
  entry: BlobEntry,
  kernels: Kernels,
  limits: StreamLimits = AS_ONE,
  mostBytes: number = MEMORY_LIMITS.tableBytes,
): Promise<ResidentTable> {
  if (entry.bytes > mostBytes) return loadHead(store, entry, kernels, mostBytes);
  const file = await openStreamed(store, entry, limits);
  const plan = planRows(readTableMeta(file.meta), Number.POSITIVE_INFINITY);
  const at = claim(kernels, lengthsOf(readTableMeta(file.meta), plan));
  const table = readTable(await file.readInto(spaceIn(kernels, { rows: at.rows })));
  return lay(kernels, table, plan, at, null);
}

/** The columns of a table, the rows of its pairs, and of the others those most used. */
async function loadHead(
  store: ReadStore,
  entry: BlobEntry,
  kernels: Kernels,
  mostBytes: number,
): Promise<ResidentTable> {
  const source = await openRanged(store, entry, TAIL_READS);
  const columns = await readAllColumns(source);
  const { rank, phrases, scales, weights, meta } = columns;
  const columnBytes = rank.byteLength + phrases.byteLength + scales.byteLength + weights.byteLength;
  // Kernel memory grows by whole pages and has space of its own.
  const room = mostBytes - columnBytes - SCRATCH_BYTES - PAGE_BYTES - 4 * meta.padded;
  const slots = TAIL_SLOTS * planRows(meta, room).tail.rowBytes;
  const plan = planRows(meta, room - slots);
  const at = claim(kernels, { ...lengthsOf(meta, plan), slots: TAIL_SLOTS * plan.tail.rowBytes });
  await readParts(source, plan, kernels.bytes(at.rows, plan.bytes));
  const tail = new TableTail({
    ...{ source, kernels, layout: plan.layout, slots: at.slots },
    ...{ rowBytes: plan.tail.rowBytes, first: plan.tail.first },
  });
  return lay(kernels, columns, plan, at, plan.tail.end > plan.tail.first ? tail : null);
}

async function readAllColumns(source: SectionSource): Promise<TableColumns> {
  const { phrases } = readTableMeta(source.meta);
  const sections = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const name of ["rank", "scales", "weights", ...(phrases === undefined ? [] : ["phrases"])]) {
    const [bytes] = await source.read(name, [{ start: 0, end: source.bytes(name) }]);
    // A copy of its own: the read came with what lies around it in its blocks.
    sections.set(name, bytes!.slice());
  }
  return readColumns(source.meta, (name) => sections.get(name)!);
}

/** Reads rows to their place, a piece at a time, two on their way. */
async function readParts(
  source: SectionSource,
  { parts }: RowPlan,
  rows: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const pieces = parts.flatMap(({ start, end, to }) => {
    const count = Math.ceil((end - start) / IN_PIECES.pieceBytes);
    return Array.from({ length: count }, (_, at): { readonly range: ByteRange; readonly to: number } => {
      const from = start + at * IN_PIECES.pieceBytes;
      const range = { start: from, end: Math.min(end, from + IN_PIECES.pieceBytes) };
      return { range, to: to + from - start };
    });
  });
  await inTurns(pieces, IN_PIECES.atOnce, async ({ range, to }) => {
    const [bytes] = await source.read("rows", [range]);
    rows.set(bytes!, to);
  });
}

function lengthsOf(meta: TableMeta, plan: RowPlan) {
  return {
    rows: plan.bytes,
    codebooks: CODEBOOK_BYTES * plan.layout.length,
    sum: meta.padded * 4,
  };
}

function lay(
  kernels: Kernels,
  { meta, rank, scales, weights, phrases }: TableColumns,
  { runs, layout }: RowPlan,
  at: Readonly<Record<"rows" | "codebooks" | "sum", Pointer>>,
  tail: TableTail | null,
): ResidentTable {
  const { rows, codebooks, sum } = at;
  layout.forEach(({ codebook }, tier) => {
    const values = Uint8Array.from(codebook, (value) => value & 0xff);
    kernels.bytes(codebooks + CODEBOOK_BYTES * tier, CODEBOOK_BYTES).set(values);
  });
  const pairs = { phrases: phrasesOf(phrases), firstPhrase: tokenRows(meta) };
  return { meta, kernels, rank, ...pairs, scales, weights, runs, ...{ rows, codebooks, sum }, tail };
}

/** Adds a row's values times `scale` to the table's sum. Throws `internal` for a row of the tail that is not here. */
export function addRow(table: ResidentTable, row: number, scale: number): void {
  const run = tierOf(table.runs, row);
  const pointer = run.start < 0 ? table.tail!.pointer(row) : table.rows + run.start + offsetIn(run, row);
  const codebook = table.codebooks + CODEBOOK_BYTES * run.tier;
  table.kernels.accumulateRow(table.sum, pointer, run.bits, table.meta.padded, codebook, scale);
}

/** Where rows are. */
type Rows = Pick<ResidentTable, "tail" | "rank" | "firstPhrase">;

/** Rows of these tokens that have to be read before they can be added; none of a table that is here as a whole. */
export function missingRows({ tail, rank, firstPhrase }: Rows, ids: readonly number[]): readonly number[] {
  if (tail === null) return NONE;
  return ids.flatMap((id) => {
    const row = rank[id];
    const isTail = row !== undefined && row !== NO_ROW && row >= tail.first && row < firstPhrase;
    return isTail && !tail.has(row) ? [row] : [];
  });
}

const NONE: readonly number[] = [];

/**
 * Reads the rows of these tokens that are missing; null where none is. As others may take the place of what was read
 * until a caller goes on, one asks again until the answer is null:
 * `for (let wait = readRows(...); wait !== null; wait = readRows(...)) await wait`. Throws what reading the store does.
 */
export function readRows(table: Rows, ids: readonly number[]): Promise<void> | null {
  const missing = missingRows(table, ids);
  return table.tail === null || missing.length === 0 ? null : table.tail.read(missing);
}

/** Bytes that this table holds. */
export function residentTableBytes(table: ResidentTable): number {
  return (
    table.kernels.residentBytes +
    table.rank.byteLength +
    8 * table.phrases.count +
    table.scales.byteLength +
    table.weights.byteLength
  );
}
