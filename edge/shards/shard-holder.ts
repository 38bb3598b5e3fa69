/** One object's shard: from memory, from the object's own storage, or from the store; one load at a time, whoever asks. */
import type { LiveShard } from "../../shared/engine/live-shard.ts";
import { type HotShard, hotBytes, loadHotShard } from "../../shared/engine/resident.ts";
import { takeSnapshot } from "../../shared/engine/snapshot.ts";
import type { ShardState } from "../../shared/engine/wire.ts";
import { LightedgeError } from "../../shared/errors.ts";
import { align } from "../../shared/format/bytes.ts";
import { openStreamed } from "../../shared/format/load.ts";
import type { ShardBlob } from "../../shared/format/manifest.ts";
import { readAllButVectors, readShardMeta } from "../../shared/format/shard.ts";
import type { StreamedFile, StreamLimits } from "../../shared/format/streamed.ts";
import { PAGE_BYTES, SCRATCH_BYTES } from "../../shared/kernels/memory.ts";
import { MIB } from "../../shared/limits.ts";
import type { ReadStore } from "../../shared/store/store.ts";
import { ColdInSqlite } from "./cold-in-sqlite.ts";
import type { HotShards } from "./hot-shards.ts";
import { RowCache } from "./row-cache.ts";
import { rowsOf } from "./rows.ts";
import { isDamaged, type SecondTier, type TierFacts } from "./second-tier.ts";

/** Few large reads, two on their way at once: a shard of 50,000 chunks is some 30 of them. Of 2 MiB they take no less time, and 2 MiB more of memory. */
const READS: StreamLimits = { wholeBytes: MIB, pieceBytes: MIB, atOnce: 2 };

/** A shard that is ready. */
export interface ReadyShard {
  readonly shard: Omit<LiveShard, "dead">;
  readonly from: ShardState["from"];
}

/** What loading needs. */
export interface HolderPorts {
  readonly tier: SecondTier;
  readonly memory: HotShards;
  readonly store: ReadStore;
}

/** Whoever waits for the shard. */
interface Waiting {
  take(ready: ReadyShard): void;
  fail(error: unknown): void;
}

type Space = (name: string, bytes: number) => Uint8Array<ArrayBuffer>;

/** Has the shard of its object. */
export class ShardHolder {
  readonly #ports: HolderPorts;
  readonly #entry: ShardBlob;
  #facts: TierFacts | null = null;
  #ready: { readonly hot: HotShard; readonly shard: ReadyShard["shard"] } | null = null;
  /** Rows of the object's storage, whatever becomes of the rest in memory. */
  #cache: RowCache | null = null;
  #waiting: Waiting[] = [];
  #loading = false;

  constructor(ports: HolderPorts, entry: ShardBlob) {
    this.#ports = ports;
    this.#entry = entry;
  }

  /**
   * What `work` makes of the shard: at once where it is in memory, else as soon as it is, and before anything else runs. It
   * must not keep the shard, whose memory is another's once that is evicted. Throws as loading and `work` do.
   */
  use<T>(work: (ready: ReadyShard) => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const take = (ready: ReadyShard) => {
      try {
        resolve(work(ready));
      } catch (error) {
        reject(error);
      }
    };
    const hot = this.#facts === null ? undefined : this.#ports.memory.get(this.#entry.sha256);
    if (hot !== undefined) take(this.#of(hot, "memory"));
    else {
      this.#waiting.push({ take, fail: reject });
      this.#start();
    }
    return promise;
  }

  /** Has the object's storage made anew from the store before it is used again. */
  distrust(): void {
    // One that is under way may be the repair, for another call that found the damage too.
    if (this.#loading) return;
    this.#facts = null;
    this.#cache?.clear();
    this.#ports.tier.begin();
  }

  /** Forgets what it knows of memory and storage, which are gone. */
  forget(): void {
    this.#facts = null;
    this.#ready = null;
    this.#cache?.clear();
  }

  #start(): void {
    if (this.#loading) return;
    this.#loading = true;
    this.#load()
      .catch((error: unknown) => {
        for (const each of this.#waiting.splice(0)) each.fail(error);
      })
      .finally(() => {
        this.#loading = false;
        // Who came after the shard was there and found it evicted again.
        if (this.#waiting.length > 0) this.#start();
      });
  }

  /** Lets everybody have the shard who waits for it. */
  #hand(hot: HotShard, from: ShardState["from"]): void {
    const ready = this.#of(hot, from);
    for (const each of this.#waiting.splice(0)) each.take(ready);
  }

  async #load(): Promise<void> {
    this.#facts ??= await this.#ports.tier.facts(this.#entry.sha256);
    if (this.#facts === null) return this.#fill();
    try {
      await this.#wake(this.#facts, "storage");
    } catch (error) {
      if (!isDamaged(error)) throw error;
      await this.#fill();
    }
  }

  /** From the object's own storage. */
  async #wake(facts: TierFacts, from: ShardState["from"]): Promise<void> {
    const { tier, memory } = this.#ports;
    const needs = {
      kernelBytes: align(facts.memory + SCRATCH_BYTES, PAGE_BYTES),
      otherBytes: facts.arrays.reduce((sum, bytes) => sum + bytes, 0),
    };
    await memory.load(facts.sha256, "storage", needs, {
      load: (kernels) => tier.restore(facts, kernels),
      have: (hot) => this.#hand(hot, from),
    });
  }

  /** From the store, filling the object's storage on the way. */
  async #fill(): Promise<void> {
    const { store, memory, tier } = this.#ports;
    const { sha256 } = this.#entry;
    this.#facts = null;
    const file = await openStreamed(store, this.#entry, READS);
    const meta = readShardMeta(file.meta);
    if (memory.get(sha256) !== undefined) return this.#fillBeside(file);
    let filled = false;
    // Its own arrays are the owners of chunks, terms and where their postings start, and where clusters do.
    const numbers = meta.documents + 2 * meta.terms + (meta.clusters?.count ?? 0) + 3;
    const needs = { kernelBytes: hotBytes(meta), otherBytes: 4 * numbers };
    await memory.load(sha256, "store", needs, {
      load: async (kernels) => {
        filled = true;
        const { shard } = await loadHotShard(meta, kernels, (space) => this.#fillCold(file, space));
        this.#facts = await tier.complete(sha256, takeSnapshot(shard));
        return shard;
      },
      have: (hot) => {
        if (filled) this.#hand(hot, "store");
      },
    });
    if (!filled) await this.#fillBeside(file);
  }

  /** Fills the object's storage where another object of this isolate has the shard in memory. */
  async #fillBeside(file: StreamedFile): Promise<void> {
    const { tier, memory } = this.#ports;
    const { sha256 } = this.#entry;
    await this.#fillCold(file, (_, bytes) => new Uint8Array(bytes));
    const hot = memory.get(sha256);
    if (hot === undefined)
      throw new LightedgeError("shard/overloaded", "The shard was evicted; ask again shortly.");
    const { text, arrays, memory: bytes } = takeSnapshot(hot);
    // Copied, as it may be evicted while it is written.
    const facts = await tier.complete(sha256, { text, arrays, memory: bytes.slice() });
    this.#facts = facts;
    await this.#wake(facts, "store");
  }

  /** Reads the file to its end: hot sections to their space, cold ones into the object's storage. */
  async #fillCold(file: StreamedFile, space: Space) {
    const { tier } = this.#ports;
    tier.begin();
    let shard: ReturnType<typeof readAllButVectors> | undefined;
    const envelope = await file.readInto(space, {
      name: "vectors",
      begin(others) {
        shard = readAllButVectors(others);
        return tier.rowSink(shard);
      },
    });
    return shard ?? readAllButVectors(envelope);
  }

  #coldOf(hot: HotShard): ColdInSqlite {
    const { tier, memory } = this.#ports;
    this.#cache ??= new RowCache(memory.budget, rowsOf(hot.meta));
    return new ColdInSqlite(tier.sql, hot, this.#cache);
  }

  #of(hot: HotShard, from: ShardState["from"]): ReadyShard {
    if (this.#ready?.hot !== hot) this.#ready = { hot, shard: { ...hot, cold: this.#coldOf(hot) } };
    return { shard: this.#ready.shard, from };
  }
}
