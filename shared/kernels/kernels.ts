/**
 * The inner loops of search over one linear memory. Two implementations, WASM SIMD
 * (`wasm.ts`) and scalar TypeScript (`reference.ts`, which defines the meaning), give
 * the same bits for every input. An instance owns its memory: a table or a shard gets
 * one each, and evicting it is dropping the reference.
 *
 * Vectors have a padded dimension P, a multiple of 128 up to 4,096; the padding is zero. What a
 * kernel writes must not overlap what it reads. Arguments that lead outside memory, and numbers
 * outside the ranges given here, are refused as `internal`: what comes from a file was checked
 * when it was opened. Not-a-number and infinity must not occur in floats.
 */

/**
 * A byte offset into an instance's memory. `allocate` gives multiples of 64; a kernel takes any
 * multiple of the element's size (table rows, codes, vectors and impacts: any byte), so
 * that parts of an allocation can be named by adding to it.
 */
export type Pointer = number;

/** Bits per stored value of a table row. */
export type RowBits = 1 | 2 | 3 | 4 | 8;

/** One instance of the kernels with the memory they work on. */
export interface Kernels {
  /** Bytes of memory this instance holds at present. */
  readonly residentBytes: number;
  /** Zeroed space, 64-byte aligned. Throws `index/too-large` when memory would pass the cap given at creation. */
  allocate(bytes: number): Pointer;
  /** A view of the memory. Valid until the next `allocate`, which may move it. */
  bytes(pointer: Pointer, length: number): Uint8Array<ArrayBuffer>;
  /** As `bytes`, in units of 4 bytes; so are `ints`. `shorts` are 2 bytes. */
  floats(pointer: Pointer, length: number): Float32Array<ArrayBuffer>;
  ints(pointer: Pointer, length: number): Int32Array<ArrayBuffer>;
  shorts(pointer: Pointer, length: number): Int16Array<ArrayBuffer>;

  /**
   * sum[j] += scale * codebook[code[j]] for j < P, in float32: one product and one sum per
   * value, each rounded. `row` is packed as docs/format.md, section "Row packing", says;
   * `codebook` points to 16 int8 values (2^bits used; ignored for 8 bits, where the code is the value).
   */
  accumulateRow(
    sum: Pointer,
    row: Pointer,
    bits: RowBits,
    dimension: number,
    codebook: Pointer,
    scale: number,
  ): void;

  /**
   * Lays codes of P/8 bytes each, back to back, as `scanCodes` takes them: in blocks of 64, byte b of code
   * 64k + i at 8 k P + 64 b + i. In place; there must be room for whole blocks, and what the last one lacks may
   * be anything.
   */
  blockCodes(codes: Pointer, count: number, dimension: number): void;

  /**
   * What `scanCodes` knows of a query, 4 P + 32 bytes. First P/4 tables of 16 bytes: entry n of table t is the sum of
   * the query values 4t + k for which bit k of n is set, raised by what makes the table's least entry 0. Then 16 bytes
   * of 15, and in 16 bytes the sum of what tables were raised by, i32. `planes` are four bit planes of P/8 bytes of the
   * query's 4-bit two's complement values, plane 3 weighing -8; they are within +-7.
   */
  scanTables(planes: Pointer, dimension: number, tables: Pointer): void;

  /**
   * First pass over the codes from `first` on: estimate[i] = float32(2 * S - querySum) * factor[first + i], S the
   * sum of query values where bit j of code first + i is set, at its byte j>>3, bit j&7. Codes as `blockCodes`
   * lays them, tables as `scanTables` makes them, querySum the sum of the query values. Codes must have
   * room for whole blocks of 64, factors for whole sixteens.
   */
  scanCodes(
    codes: Pointer,
    factors: Pointer,
    first: number,
    count: number,
    dimension: number,
    tables: Pointer,
    querySum: number,
    estimates: Pointer,
  ): void;

  /**
   * best[rows[i]] = the greatest of its float32 values so far, those below `least` passed over: rows unsigned
   * 16-bit, any of them more than once. Returns how many rows got their first value.
   * `seen` has a bit for each of 65,536 rows, bit row&31 of word row>>5; where it is not set, what `best` holds does not count.
   */
  scatterMax(
    values: Pointer,
    rows: Pointer,
    count: number,
    least: number,
    best: Pointer,
    seen: Pointer,
  ): number;
  /**
   * The rows below `count` that were seen, ascending, as unsigned 16-bit numbers; their values packed to the front
   * of `best`; `seen` cleared. Returns how many.
   */
  gatherSeen(best: Pointer, seen: Pointer, count: number, rows: Pointer): number;

  /**
   * out[i] = the integer dot product of int8 vector rows[i] (unsigned 32-bit row numbers) and the
   * int16 query, whose values are within +-2047 so that no sum leaves 32 bits.
   */
  dotRows(
    vectors: Pointer,
    rows: Pointer,
    count: number,
    dimension: number,
    query: Pointer,
    out: Pointer,
  ): void;

  /**
   * scores[rows[i]] += weight * impacts[i]: rows unsigned 16-bit, impacts unsigned 8-bit, scores int32.
   * Sums wrap at 32 bits; rows may repeat. Quickest when 65,536 scores lie before the end of
   * memory, as rows then need no look beforehand.
   */
  addPostings(rows: Pointer, impacts: Pointer, count: number, weight: number, scores: Pointer): void;

  /**
   * The documents with the `wanted` greatest sums of weight x impact over these lists, ties to the lower number, as
   * ascending u32 numbers at `out`; their sums, i32, follow at `out` + 4 x `places`. Returns how many: those that any
   * list holds, with a sum of `least` or more, `wanted` at most. `places` must be `wanted` + 256 at least, with three times 4 x `places` bytes at `out`;
   * quickest with a thousand more. `dead` is a bit for each document, 32 bytes for each 256, of which those that
   * are set take no part; 0 for none.
   *
   * `lists` are records of `LIST_RECORD` bytes: pointer, bytes and weight of a list of `posting-lists.ts` in 4 bytes
   * each, the rest for the kernel to use. Weights are whole numbers above 0, and 255 times their sum is below 2^31. Quickest when
   * those with the least weight x greatest impact come first, and gaps come last. Blocks whose bounds
   * say that they hold nothing better are skipped.
   */
  topPostings(
    lists: Pointer,
    count: number,
    documents: number,
    dead: Pointer,
    least: number,
    wanted: number,
    out: Pointer,
    places: number,
  ): number;
  /** Documents that any of these lists holds, the dead left out: how many, `limit` + 1 at most. Arguments as for `topPostings`. */
  countPostings(lists: Pointer, count: number, documents: number, dead: Pointer, limit: number): number;
  /** out[i] = sum of weight x impact of document rows[i], i32, over these lists. Rows are u32, ascending. Arguments as for `topPostings`. */
  sumPostings(
    lists: Pointer,
    count: number,
    documents: number,
    rows: Pointer,
    rowCount: number,
    out: Pointer,
  ): void;

  /**
   * The rows of the `wanted` greatest float32 estimates, ties to the lower row (-0 and 0 tie), written as
   * ascending unsigned 32-bit row numbers. Returns how many: min(wanted, count). Linear in
   * `count` whatever the values are.
   */
  topFloats(estimates: Pointer, count: number, wanted: number, out: Pointer): number;
  /** The same over int32 scores, of which only those above 0 take part. */
  topInts(scores: Pointer, count: number, wanted: number, out: Pointer): number;
}
