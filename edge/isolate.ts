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

/** A shard in this isolate's memory. */
interface Held {
  readonly shard: HotShard;
  readonly claim: Claim;
}

/** Loaded shards of this isolate by the digests of their files, within the budget. */
export class HotShards {
  readonly budget: MemoryBudget;
  readonly #held = new Map<Sha256, Held>();
  readonly #queue: (() => void)[] = [];
  #loading = 0;

  constructor(budget: MemoryBudget) {
    this.budget = budget;
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
    try {
      return this.get(sha256) ?? (await this.#loadNow(sha256, bytes, load));
    } finally {
      this.#loading--;
      this.#queue.shift()?.();
    }
  }

  async #loadNow(sha256: Sha256, bytes: number, load: () => Promise<HotShard>): Promise<HotShard> {
    const claim = this.#claim(bytes);
    try {
      const shard = await load();
      const found = this.get(sha256);
      if (found !== undefined) {
        claim.release();
        return found;
      }
      // What only passed through on the way is not there any more.
      claim.resize(hotShardBytes(shard));
      this.#held.set(sha256, { shard, claim });
      claim.evictBy(() => this.#held.delete(sha256));
      return shard;
    } catch (error) {
      claim.release();
      throw error;
    }
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
    while (this.#loading >= LOADS_AT_ONCE) await new Promise<void>((resolve) => this.#queue.push(resolve));
    this.#loading++;
  }
}

let shared: HotShards | undefined;

/** The loaded shards and the budget of this isolate. Variables do not change during its life, so any caller's will do. */
export function isolateShards(env: Env): HotShards {
  shared ??= new HotShards(new MemoryBudget(residentBudget(env.RESIDENT_BYTES)));
  return shared;
}
