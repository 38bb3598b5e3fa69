/**
 * Rows of one shard kept in memory that nobody else wants: what is read from SQLite once need not be read again as long as
 * the isolate's budget has room. The answer is the same without it, and takes some milliseconds more.
 */
import type { MemoryBudget } from "../../shared/engine/budget.ts";
import { type RowSpace, spaceOf } from "./rows.ts";

/** Words of a slab, the unit in which memory is taken and given back: 256 KiB, some sixty rows. */
const SLAB_WORDS = 1 << 16;

/** Memory of some rows. */
interface Slab {
  readonly space: RowSpace;
  /** Rows in it, and words that they take. */
  readonly rows: number[];
  filled: number;
  release(): void;
}

/** A row that is here. */
export interface FoundRow {
  readonly space: RowSpace;
  /** The word of the space that it begins at. */
  readonly start: number;
}

/** The rows of one shard that are in memory. */
export class RowCache {
  readonly #budget: MemoryBudget;
  /** By row, 1 + 2^16 x slab + word in it; 0 for rows that are not here. */
  readonly #places: Uint32Array;
  readonly #slabs: (Slab | null)[] = [];
  /** The slab that is being filled. */
  #last = -1;

  constructor(budget: MemoryBudget, rows: number) {
    this.#budget = budget;
    this.#places = new Uint32Array(rows);
  }

  /** Where a row lies, until the next `put` of any cache of the budget; null where it is not here. */
  find(row: number): FoundRow | null {
    const place = this.#places[row]! - 1;
    if (place < 0) return null;
    return { space: this.#slabs[place >>> 16]!.space, start: place & (SLAB_WORDS - 1) };
  }

  /** Copies a row that is not here, where there is room; rows that came long ago may go for it, of this shard or another. */
  put(row: number, { words }: RowSpace): void {
    const slab = this.#slabFor(words.length);
    if (slab === null) return;
    slab.space.words.set(words, slab.filled);
    this.#places[row] = 1 + this.#last * SLAB_WORDS + slab.filled;
    slab.rows.push(row);
    slab.filled += words.length;
  }

  /** Gives all of it back. */
  clear(): void {
    for (const slab of this.#slabs) slab?.release();
    this.#slabs.forEach((_, at) => {
      this.#drop(at);
    });
  }

  #slabFor(words: number): Slab | null {
    const last = this.#slabs[this.#last];
    if (last && last.filled + words <= SLAB_WORDS) return last;
    if (words > SLAB_WORDS) return null;
    const gone = this.#slabs.indexOf(null);
    const at = gone < 0 ? this.#slabs.length : gone;
    const release = this.#budget.spare(4 * SLAB_WORDS, () => this.#drop(at));
    if (release === null) return null;
    const space = spaceOf(new ArrayBuffer(4 * SLAB_WORDS));
    const slab = { space, rows: [], filled: 0, release };
    this.#slabs[at] = slab;
    this.#last = at;
    return slab;
  }

  #drop(at: number): void {
    const slab = this.#slabs[at];
    if (!slab) return;
    for (const row of slab.rows) this.#places[row] = 0;
    this.#slabs[at] = null;
    // Now, and not when memory is collected.
    slab.space.bytes.buffer.transfer(0);
  }
}
