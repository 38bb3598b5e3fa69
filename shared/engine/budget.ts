/** One number of bytes for all that an isolate keeps in memory: who wants more of it has the least recently used make room. */

/** A part of a budget. */
export interface Claim {
  readonly bytes: number;
  /** Counts as a use now: what was used longest ago is evicted first. */
  use(): void;
  /** Changes how many bytes it is, as far as there is room after evicting others. False where there is not: nothing has changed then, and nobody was evicted. */
  resize(bytes: number): boolean;
  /** May be evicted from now on, by this; may not, by null. A claim starts as one that may not. */
  evictBy(evict: (() => void) | null): void;
  /** Gives the bytes back. Does nothing the second time, or after an eviction. */
  release(): void;
}

interface Part extends Claim {
  bytes: number;
  evict: (() => void) | null;
}

/** What is kept while there is room for it. */
interface Spare {
  readonly bytes: number;
  readonly evict: () => void;
}

/** Bytes that are accounted for: the sum of all claims, and of what is kept beside them, is never above the limit. */
export class MemoryBudget {
  readonly limitBytes: number;
  /** The least recently used first. */
  readonly #parts = new Set<Part>();
  #used = 0;
  /** The longest kept first. */
  readonly #spares = new Set<Spare>();
  #spareBytes = 0;
  #besideBytes = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  get usedBytes(): number {
    return this.#used;
  }

  /**
   * A part of these bytes, for which others are evicted where that is needed. Null where it would not be enough:
   * nobody is evicted then.
   */
  claim(bytes: number): Claim | null {
    if (!this.#makeRoom(bytes, null)) return null;
    const part: Part = {
      bytes,
      evict: null,
      use: () => {
        if (this.#parts.delete(part)) this.#parts.add(part);
      },
      resize: (wanted) => {
        if (!this.#parts.has(part) || !this.#makeRoom(wanted - part.bytes, part)) return false;
        this.#used += wanted - part.bytes;
        part.bytes = wanted;
        return true;
      },
      evictBy: (evict) => {
        part.evict = evict;
      },
      release: () => {
        if (this.#parts.delete(part)) this.#used -= part.bytes;
      },
    };
    this.#parts.add(part);
    this.#used += bytes;
    return part;
  }

  /**
   * Keeps bytes for which there is room beside all claims: they count as free, and `evict` is called when a claim takes them,
   * or what is kept so later and finds no other room. Null where claims leave too little. What it gives releases them.
   */
  spare(bytes: number, evict: () => void): (() => void) | null {
    if (this.#used + this.#besideBytes + bytes > this.limitBytes) return null;
    this.#dropSpares(bytes);
    const spare = { bytes, evict };
    this.#spares.add(spare);
    this.#spareBytes += bytes;
    return () => {
      if (this.#spares.delete(spare)) this.#spareBytes -= bytes;
    };
  }

  /** Says how many bytes others take beside all claims: what is spare makes room for them, claims do not. */
  setBeside(bytes: number): void {
    this.#besideBytes = bytes;
    this.#dropSpares(0);
  }

  /** Drops what is spare until there is room for so many bytes. */
  #dropSpares(bytes: number): void {
    for (const spare of this.#spares) {
      if (this.#used + this.#besideBytes + this.#spareBytes + bytes <= this.limitBytes) break;
      this.#spares.delete(spare);
      this.#spareBytes -= spare.bytes;
      spare.evict();
    }
  }

  /** Bytes that are free, or would be once all were evicted that may be. */
  get obtainableBytes(): number {
    return this.limitBytes - this.#used + this.#evictable(null);
  }

  #evictable(but: Part | null): number {
    let bytes = 0;
    for (const part of this.#parts) if (part.evict !== null && part !== but) bytes += part.bytes;
    return bytes;
  }

  #makeRoom(bytes: number, but: Part | null): boolean {
    if (this.#used + bytes - this.#evictable(but) > this.limitBytes) return false;
    for (const part of this.#parts) {
      if (this.#used + bytes <= this.limitBytes) break;
      if (part.evict === null || part === but) continue;
      part.release();
      part.evict();
    }
    this.#dropSpares(bytes);
    return true;
  }
}
