/** The shards that an isolate has in memory, whichever of its objects they belong to. */
import type { Claim, MemoryBudget } from "../../shared/engine/budget.ts";
import { type HotShard, hotShardBytes } from "../../shared/engine/resident.ts";
import { LightedgeError } from "../../shared/errors.ts";
import type { Sha256 } from "../../shared/hash.ts";
import type { Arena } from "../../shared/kernels/arena.ts";
import type { Kernels } from "../../shared/kernels/kernels.ts";

/**
 * Loads of shards at once. One from a store has some 20 MiB of a large shard on their way beside what it takes in the
 * end, which the budget does not count; one from an object's own storage has a piece of a MiB.
 */
const LOADS_AT_ONCE = { store: 1, storage: 2 } as const;

/** Milliseconds after which a load is taken for dead: an object that the platform resets in the middle never tells. */
const LOAD_DIES_MS = 60_000;
/** Milliseconds after which who waits for a turn looks again. */
const LOOK_AGAIN_MS = 5000;

/** A memory, with what it takes of the budget. */
interface Place {
  readonly arena: Arena;
  readonly claim: Claim;
}

/** A shard in this isolate's memory. */
interface Held extends Place {
  readonly shard: HotShard;
}

/** A load on its way. */
interface Load {
  readonly from: keyof typeof LOADS_AT_ONCE;
  readonly startedAt: number;
  place: Place | null;
}

/** What a shard takes of memory: kernels that may grow to so much, and its own arrays, as far as it is known. */
export interface Needs {
  readonly kernelBytes: number;
  readonly otherBytes: number;
}

/** How a shard is loaded. */
export interface Loading {
  load(kernels: Kernels): Promise<HotShard>;
  /** Is given the shard in the turn in which it is there, before another can evict it. */
  have(shard: HotShard): void;
}

/** What loads need. */
export interface HotShardsPorts {
  readonly budget: MemoryBudget;
  arena(capBytes: number): Arena;
  /** Milliseconds from any fixed point. */
  now(): number;
  /** Is kept after this many ms. */
  pause(milliseconds: number): Promise<void>;
}

/**
 * Loaded shards of this isolate by the digests of their files, within the budget. The memory of one that is evicted goes
 * on to the next: to let go of it would free nothing for a long time.
 */
export class HotShards {
  readonly #ports: HotShardsPorts;
  /** The least recently used first. */
  readonly #held = new Map<Sha256, Held>();
  /** Memory of shards that were evicted. */
  readonly #spare = new Set<Place>();
  readonly #loads = new Set<Load>();
  readonly #queue: (() => void)[] = [];

  constructor(ports: HotShardsPorts) {
    this.#ports = ports;
  }

  get budget(): MemoryBudget {
    return this.#ports.budget;
  }

  /** The shard, if it is here; counts as a use. To be used in the same turn: once it is evicted its memory is another's. */
  get(sha256: Sha256): HotShard | undefined {
    const held = this.#held.get(sha256);
    if (held === undefined) return undefined;
    held.claim.use();
    this.#held.delete(sha256);
    this.#held.set(sha256, held);
    return held.shard;
  }

  /** Drops the shard, if it is here: its memory is for others. */
  drop(sha256: Sha256): void {
    const held = this.#held.get(sha256);
    this.#held.delete(sha256);
    if (held !== undefined) this.#keepSpare(held);
  }

  /**
   * Has a shard loaded unless it is here. Throws `shard/overloaded` where the budget is taken by what cannot be evicted
   * now, `index/too-large` where it could never hold the shard, and what the loading throws.
   */
  async load(sha256: Sha256, from: Load["from"], needs: Needs, way: Loading): Promise<void> {
    const own = await this.#begin(from);
    try {
      const here = this.get(sha256);
      if (here === undefined) await this.#loadNow(own, sha256, needs, way);
      else way.have(here);
    } finally {
      this.#giveUp(own);
      // All of them look whether it is their turn.
      for (const look of this.#queue.splice(0)) look();
    }
  }

  async #loadNow(own: Load, sha256: Sha256, needs: Needs, { load, have }: Loading): Promise<void> {
    const place = this.#placeFor(needs);
    own.place = place;
    const shard = await load(place.arena.fresh());
    const found = this.get(sha256);
    if (found !== undefined) {
      own.place = null;
      this.#keepSpare(place);
      return have(found);
    }
    // To the byte only now; false too where the load took so long that it was given up.
    if (!place.claim.resize(hotShardBytes(shard))) throw this.#inUse();
    own.place = null;
    this.#held.set(sha256, { ...place, shard });
    place.claim.evictBy(() => this.#held.delete(sha256));
    have(shard);
  }

  /** Memory for a shard: spare, new, or that of the least recently used. */
  #placeFor({ kernelBytes, otherBytes }: Needs): Place {
    const { budget, arena } = this.#ports;
    const { limitBytes } = budget;
    const bytes = kernelBytes + otherBytes;
    if (bytes > limitBytes) {
      const message = `A shard needs ${bytes} bytes of memory and ${limitBytes} are allowed. Make shards smaller or raise RESIDENT_BYTES.`;
      throw new LightedgeError("index/too-large", message, { limit: limitBytes });
    }
    for (;;) {
      const spare = this.#takeSpare({ kernelBytes, otherBytes });
      if (spare !== null) return spare;
      if (limitBytes - budget.usedBytes >= bytes) break;
      const [oldest] = this.#held.keys();
      if (oldest === undefined) break;
      this.drop(oldest);
    }
    // Where others than shards have to make room, they are asked by the budget.
    const claim = budget.claim(bytes);
    if (claim === null) throw this.#inUse();
    return { arena: arena(limitBytes), claim };
  }

  /** The least spare memory that is enough, or the largest, which then grows; null where there is none, or it cannot. */
  #takeSpare({ kernelBytes, otherBytes }: Needs): Place | null {
    const sorted = [...this.#spare].sort((a, b) => a.arena.bytes - b.arena.bytes);
    const place = sorted.find(({ arena }) => arena.bytes >= kernelBytes) ?? sorted[sorted.length - 1];
    if (place === undefined) return null;
    const { arena, claim } = place;
    const bytes = Math.max(arena.bytes, kernelBytes) + otherBytes;
    const { budget } = this.#ports;
    // Shards make room here and not by the budget, which would let their memory go.
    while (budget.limitBytes - budget.usedBytes < bytes - claim.bytes) {
      const [oldest] = this.#held.keys();
      if (oldest === undefined) break;
      this.drop(oldest);
    }
    this.#spare.delete(place);
    claim.evictBy(null);
    if (claim.resize(bytes)) return place;
    claim.release();
    return null;
  }

  #keepSpare({ arena, claim }: Place): void {
    const place = { arena, claim };
    // Without the shard's own arrays, which are gone.
    if (!claim.resize(arena.bytes)) return;
    this.#spare.add(place);
    claim.evictBy(() => this.#spare.delete(place));
  }

  #inUse(): LightedgeError {
    const message = "The memory of this isolate is taken by what is in use; ask again shortly.";
    return new LightedgeError("shard/overloaded", message, { limit: this.budget.limitBytes });
  }

  /** Waits for its turn. */
  async #begin(from: Load["from"]): Promise<Load> {
    for (;;) {
      for (const load of this.#loads)
        if (this.#ports.now() - load.startedAt > LOAD_DIES_MS) this.#giveUp(load);
      const others = [...this.#loads].filter((load) => load.from === from);
      if (others.length < LOADS_AT_ONCE[from]) {
        const own: Load = { from, startedAt: this.#ports.now(), place: null };
        this.#loads.add(own);
        return own;
      }
      // Or a while: one that is dead ends nothing.
      const turn = new Promise<void>((resolve) => this.#queue.push(resolve));
      await Promise.race([turn, this.#ports.pause(LOOK_AGAIN_MS)]);
    }
  }

  /** What a load has that did not end well may still be written to by it, so it goes on to nobody. */
  #giveUp(load: Load): void {
    this.#loads.delete(load);
    load.place?.claim.release();
    load.place = null;
  }
}
