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
export type RowBits = 2 | 3 | 4 | 8;

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
   * First pass: estimate[i] = float32(2 * S(i) - querySum) * factor[i], S(i) the sum of query
   * values where bit j of code i is set. Codes are P/8 bytes each, bit j of a code at byte j>>3,
   * bit j&7. `planes` are four bit planes of P/8 bytes of the query's 4-bit two's complement
   * values, plane 3 weighing -8; querySum is the sum of the query values.
   */
  scanCodes(
    codes: Pointer,
    factors: Pointer,
    count: number,
    dimension: number,
    planes: Pointer,
    querySum: number,
    estimates: Pointer,
  ): void;

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
   * The rows of the `wanted` greatest float32 estimates, ties to the lower row (-0 and 0 tie), written as
   * ascending unsigned 32-bit row numbers. Returns how many: min(wanted, count). Linear in
   * `count` whatever the values are.
   */
  topFloats(estimates: Pointer, count: number, wanted: number, out: Pointer): number;
  /** The same over int32 scores, of which only those above 0 take part. */
  topInts(scores: Pointer, count: number, wanted: number, out: Pointer): number;
}
