/** The rows of a table that are used least: in the store until a query has them, then in a few slots of kernel memory. */
import { LightedgeError } from "../errors.ts";
import type { PlanLimits } from "../format/plan.ts";
import type { SectionSource } from "../format/ranged.ts";
import { type PlacedTier, rangeOf } from "../format/row-layout.ts";
import type { Kernels, Pointer } from "../kernels/kernels.ts";
import { FORMAT_LIMITS, REQUEST_LIMITS } from "../limits.ts";

/** A read of the tail is one block, and never more: rows of tiers do not lie over two. */
export const TAIL_READS: PlanLimits = { gapBytes: 0, readBytes: FORMAT_LIMITS.blockBytes };

/**
 * Rows of the tail that are kept: those of four of the longest queries. What is read for one query is there when it
 * goes on, unless so many others have been answered in between; then it is read again.
 */
export const TAIL_SLOTS = 4 * REQUEST_LIMITS.queryTokens;

/** Reads of one query on their way at once. A Worker has six connections; each read is a block in memory. */
const AT_ONCE = 6;

/** Where the tail is. */
export interface TailParts {
  readonly source: SectionSource;
  readonly kernels: Kernels;
  readonly layout: readonly PlacedTier[];
  /** Space for `TAIL_SLOTS` rows of this many bytes. */
  readonly slots: Pointer;
  readonly rowBytes: number;
  /** The first row of the tail. */
  readonly first: number;
}

/** The tail of a table. */
export class TableTail {
  readonly #parts: TailParts;
  /** Slot of each row that is here, the one used longest ago first. */
  readonly #here = new Map<number, number>();

  constructor(parts: TailParts) {
    this.#parts = parts;
  }

  get first(): number {
    return this.#parts.first;
  }

  has(row: number): boolean {
    return this.#here.has(row);
  }

  /** Where a row is that is here: until `read` next resolves. Throws `internal` for another. */
  pointer(row: number): Pointer {
    const slot = this.#here.get(row);
    if (slot === undefined) throw new LightedgeError("internal", `Row ${row} of the table is not in memory.`);
    // Now the one used last.
    this.#here.delete(row);
    this.#here.set(row, slot);
    return this.#parts.slots + slot * this.#parts.rowBytes;
  }

  /**
   * Brings rows of the tail here, at most `TAIL_SLOTS`. Throws what reading the store does, and `blob/corrupt`; then
   * none of them is here. Cost: a read of a block for each block that they lie in. What is on its way for another request is read again: a Worker that waits for what another request
   * began hangs when that one ends.
   */
  async read(rows: readonly number[]): Promise<void> {
    const found: (readonly [number, Uint8Array])[] = [];
    const groups = [...this.#byBlock(rows).values()];
    for (let at = 0; at < groups.length; at += AT_ONCE) {
      const some = await Promise.all(groups.slice(at, at + AT_ONCE).map((group) => this.#readBlock(group)));
      // Copies: a view would keep its whole block.
      for (const [row, bytes] of some.flat()) found.push([row, bytes.slice()]);
    }
    // All at once: what was placed in between could be gone by the time the last is there.
    for (const [row, bytes] of found) this.#place(row, bytes);
  }

  #byBlock(rows: readonly number[]): ReadonlyMap<number, number[]> {
    const groups = new Map<number, number[]>();
    for (const row of new Set(rows)) {
      const block = Math.floor(rangeOf(this.#parts.layout, row).start / FORMAT_LIMITS.blockBytes);
      groups.set(block, [...(groups.get(block) ?? []), row]);
    }
    return groups;
  }

  /** The rows of one block, by one read. */
  async #readBlock(rows: readonly number[]): Promise<readonly (readonly [number, Uint8Array])[]> {
    const { source, layout } = this.#parts;
    const parts = await source.read(
      "rows",
      rows.map((row) => rangeOf(layout, row)),
    );
    return rows.map((row, at) => [row, parts[at]!] as const);
  }

  #place(row: number, bytes: Uint8Array): void {
    const { kernels, slots, rowBytes } = this.#parts;
    let slot = this.#here.get(row);
    if (slot === undefined) {
      slot = this.#here.size;
      if (slot === TAIL_SLOTS) {
        const [oldest] = this.#here as Iterable<readonly [number, number]>;
        this.#here.delete(oldest![0]);
        slot = oldest![1];
      }
    }
    this.#here.delete(row);
    this.#here.set(row, slot);
    kernels.bytes(slots + slot * rowBytes, bytes.length).set(bytes);
  }
}
