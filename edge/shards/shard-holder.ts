/** One object's shard: from memory, from the object's own storage, or from the store; one load at a time, whoever asks. */
import type { LiveShard } from "../../shared/engine/live-shards.ts";
import { type HotShard, hotBytes, loadHotShard } from "../../shared/engine/resident.ts";
import { takeSnapshot } from "../../shared/engine/snapshot.ts";
import type { ShardState } from "../../shared/engine/wire.ts";
import { LightedgeError } from "../../shared/errors.ts";
import { openStreamed } from "../../shared/format/load.ts";
import type { ShardBlob } from "../../shared/format/manifest.ts";
import { readAllButVectors, readShardMeta } from "../../shared/format/shard.ts";
import type { StreamedFile, StreamLimits } from "../../shared/format/streamed.ts";
import type { Kernels } from "../../shared/kernels/kernels.ts";
import { SCRATCH_BYTES } from "../../shared/kernels/memory.ts";
import { MIB } from "../../shared/limits.ts";
import type { ReadStore } from "../../shared/store/store.ts";
import type { HotShards } from "../isolate.ts";
import { ColdInSqlite } from "./cold-in-sqlite.ts";
import type { SecondTier, TierFacts } from "./second-tier.ts";

/** Few large reads: a shard of 50,000 chunks is some 8 of them, two on their way at once. */
const READS: StreamLimits = { wholeBytes: MIB, pieceBytes: 4 * MIB, atOnce: 2 };

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
  kernels(capBytes: number): Kernels;
}

/** Has the shard of its object. */
export class ShardHolder {
  readonly #ports: HolderPorts;
  #facts: TierFacts | null = null;
  #ready: { readonly hot: HotShard; readonly shard: ReadyShard["shard"] } | null = null;
  #flight: Promise<ReadyShard> | null = null;

  constructor(ports: HolderPorts) {
    this.#ports = ports;
  }

  /** The shard of this entry. Throws as loading it does. Cost: nothing where it is in memory. */
  async get(entry: ShardBlob): Promise<ReadyShard> {
    const hot = this.#facts === null ? undefined : this.#ports.memory.get(entry.sha256);
    if (hot !== undefined) return { shard: this.#with(hot), from: "memory" };
    this.#flight ??= this.#load(entry).finally(() => {
      this.#flight = null;
    });
    return this.#flight;
  }

  /** As `get`, with the object's storage made anew from the store. */
  async renew(entry: ShardBlob): Promise<ReadyShard> {
    // Whoever is loading already may have begun before the damage was found, so that is waited for and not believed.
    await this.#flight?.catch(() => undefined);
    this.#facts = null;
    this.#flight ??= this.#fill(entry).finally(() => {
      this.#flight = null;
    });
    return this.#flight;
  }

  /** Forgets what it knows of memory and storage, which are gone. */
  forget(): void {
    this.#facts = null;
    this.#ready = null;
  }

  async #load(entry: ShardBlob): Promise<ReadyShard> {
    const { tier } = this.#ports;
    this.#facts ??= await tier.facts(entry.sha256);
    if (this.#facts === null) return this.#fill(entry);
    try {
      return { shard: this.#with(await this.#wake(this.#facts)), from: "storage" };
    } catch (error) {
      if (!(error instanceof LightedgeError) || error.code !== "blob/corrupt") throw error;
      return this.#fill(entry);
    }
  }

  /** From the object's own storage. */
  #wake(facts: TierFacts): Promise<HotShard> {
    const { tier, memory } = this.#ports;
    const kernelBytes = facts.memory + SCRATCH_BYTES;
    const bytes = facts.arrays.reduce((sum, length) => sum + length, kernelBytes);
    return memory.load(facts.sha256, bytes, () => tier.restore(facts, this.#ports.kernels(kernelBytes)));
  }

  /** From the store, filling the object's storage on the way. */
  async #fill(entry: ShardBlob): Promise<ReadyShard> {
    const { store, memory, tier } = this.#ports;
    this.#facts = null;
    const file = await openStreamed(store, entry, READS);
    const meta = readShardMeta(file.meta);
    const cap = hotBytes(meta);
    const passing = entry.bytes - file.bytes("vectors");
    let filled = false;
    const hot =
      memory.get(entry.sha256) ??
      (await memory.load(entry.sha256, cap + passing, async () => {
        filled = true;
        const fill = (space: Space) => this.#fillCold(file, space);
        return (await loadHotShard(meta, this.#ports.kernels(cap), fill)).shard;
      }));
    // Another object of this isolate has it in memory; this one's storage is to be filled all the same.
    if (!filled) await this.#fillCold(file, (_, bytes) => new Uint8Array(bytes));
    this.#facts = await tier.complete(entry.sha256, takeSnapshot(hot));
    return { shard: this.#with(hot), from: "store" };
  }

  /** Reads the file to its end: hot sections to their space, cold ones into the object's storage. */
  async #fillCold(file: StreamedFile, space: Space) {
    const { tier } = this.#ports;
    tier.begin();
    const sink = tier.vectorSink(readShardMeta(file.meta));
    const envelope = await file.readInto((name, bytes) => (name === "vectors" ? sink : space(name, bytes)));
    const shard = readAllButVectors(envelope);
    tier.putDocuments(shard);
    return shard;
  }

  #with(hot: HotShard): ReadyShard["shard"] {
    if (this.#ready?.hot !== hot)
      this.#ready = { hot, shard: { ...hot, cold: new ColdInSqlite(this.#ports.tier.sql, hot) } };
    return this.#ready.shard;
  }
}

type Space = (name: string, bytes: number) => Uint8Array<ArrayBuffer>;
