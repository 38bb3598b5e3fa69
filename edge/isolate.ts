/**
 * What all code of this isolate shares: the Worker, and every object that the platform puts beside it. Memory is one
 * number for all of them, and a shard that several objects hold is there once.
 */

import { type Claim, MemoryBudget } from "../shared/engine/budget.ts";
import { type HotShard, hotShardBytes } from "../shared/engine/resident.ts";
import { LightedgeError } from "../shared/errors.ts";
import type { Sha256 } from "../shared/hash.ts";
import { type Env, residentBudget } from "./settings.ts";

/** Loads of shards at once: each has some pieces of a file on their way beside what it takes in the end. */
const LOADS_AT_ONCE = 2;

/** Milliseconds after which a load is taken for dead: an object that the platform resets in the middle never tells. */
const LOAD_DIES_MS = 60_000;

/** A shard in this isolate's memory. */
interface Held {
  readonly shard: HotShard;
  readonly claim: Claim;
}

/** A load on its way, or in the queue. */
interface Load {
  readonly startedAt: number;
  claim: Claim | null;
}

/** Loaded shards of this isolate by the digests of their files, within the budget. */
export class HotShards {
  readonly budget: MemoryBudget;
  readonly #now: () => number;
  readonly #held = new Map<Sha256, Held>();
  readonly #loads = new Set<Load>();
  readonly #queue: (() => void)[] = [];

  /** `now` in ms from any fixed point. */
  constructor(budget: MemoryBudget, now: () => number) {
    this.budget = budget;
    this.#now = now;
  }

  /** The shard, if it is here; counts as a use. */
  get(sha256: Sha256): HotShard | undefined {
    const held = this.#held.get(sha256);
    held?.claim.use();
    return held?.shard;
  }

  /** Drops the shard, if it is here. */
  drop(sha256: Sha256): void {
    this.#held.get(sha256)?.claim.release();
    this.#held.delete(sha256);
  }

  /**
   * The shard, loaded by `load` within `bytes` unless it is here. Throws `shard/overloaded` where the budget is taken by
   * what cannot be evicted now, `index/too-large` where it could never hold the shard, and what `load` throws.
   */
  async load(sha256: Sha256, bytes: number, load: () => Promise<HotShard>): Promise<HotShard> {
    await this.#turn();
    const own: Load = { startedAt: this.#now(), claim: null };
    this.#loads.add(own);
    try {
      return this.get(sha256) ?? (await this.#loadNow(own, sha256, bytes, load));
    } finally {
      this.#end(own);
      this.#queue.shift()?.();
    }
  }

  async #loadNow(own: Load, sha256: Sha256, bytes: number, load: () => Promise<HotShard>): Promise<HotShard> {
    own.claim = this.#claim(bytes);
    const shard = await load();
    const found = this.get(sha256);
    if (found !== undefined) return found;
    // What only passed through on the way is not there any more.
    const settled = hotShardBytes(shard);
    const claim = own.claim.resize(settled) ? own.claim : this.#claim(settled);
    own.claim = null;
    this.#held.set(sha256, { shard, claim });
    claim.evictBy(() => this.#held.delete(sha256));
    return shard;
  }

  #claim(bytes: number): Claim {
    const { limitBytes } = this.budget;
    if (bytes > limitBytes) {
      const message = `A shard needs ${bytes} bytes of memory and ${limitBytes} are allowed. Make shards smaller or raise RESIDENT_BYTES.`;
      throw new LightedgeError("index/too-large", message, { limit: limitBytes });
    }
    const claim = this.budget.claim(bytes);
    if (claim !== null) return claim;
    const message = "The memory of this isolate is taken by what is in use; ask again shortly.";
    throw new LightedgeError("shard/overloaded", message, { limit: limitBytes });
  }

  async #turn(): Promise<void> {
    for (;;) {
      for (const load of this.#loads) if (this.#now() - load.startedAt > LOAD_DIES_MS) this.#end(load);
      if (this.#loads.size < LOADS_AT_ONCE) return;
      await new Promise<void>((resolve) => this.#queue.push(resolve));
    }
  }

  #end(load: Load): void {
    this.#loads.delete(load);
    load.claim?.release();
  }
}

let shared: HotShards | undefined;

/** The loaded shards and the budget of this isolate. Variables do not change during its life, so any caller's will do. */
export function isolateShards(env: Env): HotShards {
  shared ??= new HotShards(new MemoryBudget(residentBudget(env.RESIDENT_BYTES)), () => Date.now());
  return shared;
}
