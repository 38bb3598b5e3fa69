/**
 * Seeded randomness: the same seed gives the same numbers on every machine and in
 * every version. Nothing in the indexer draws from any other source, so that the same
 * collection gives the same bytes.
 */
export class Random {
  #state: number;

  /** Any 32-bit seed. Two seeds give unrelated sequences. */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** The next 32 bits, 0 to 2^32 - 1: the "splitmix32" step of a Weyl sequence (Steele, Lea and Flood 2014). */
  bits(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  }

  /** A whole number from 0 up to but not including `bound`, at most 2^32. */
  below(bound: number): number {
    return Math.floor((this.bits() / 2 ** 32) * bound);
  }

  /** One of these items; there must be at least one. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** The whole numbers below `count` in random order (Fisher and Yates). */
  permutation(count: number): Uint32Array<ArrayBuffer> {
    const order = Uint32Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const kept = order[i]!;
      order[i] = order[j]!;
      order[j] = kept;
    }
    return order;
  }
}
