/**
 * When an object's storage goes: once a day an alarm looks at the index's pointer. While the version that it names has
 * the shard, all stays; when none has had it for the grace, the storage is deleted, and with it the alarm.
 */
import { readCurrent } from "../../shared/engine/open.ts";
import type { ShardAddress } from "../../shared/engine/wire.ts";
import { LightedgeError } from "../../shared/errors.ts";
import { loadManifest } from "../../shared/format/load.ts";
import { blobsOf } from "../../shared/format/manifest.ts";
import type { Sha256 } from "../../shared/hash.ts";
import type { ReadStore } from "../../shared/store/store.ts";
import type { SecondTier } from "./second-tier.ts";

/** Milliseconds between two looks: some reads a day are nothing, and a day of a shard's storage is a thousandth of a cent. */
export const LOOK_EVERY_MS = 24 * 3600 * 1000;

/** What is kept of an address to look after it. */
type Kept = Pick<ShardAddress, "region" | "index" | "sha256">;

/** What looking needs. */
export interface LifetimePorts {
  readonly storage: Pick<DurableObjectStorage, "getAlarm" | "setAlarm" | "deleteAlarm" | "deleteAll">;
  readonly tier: Pick<SecondTier, "fact" | "setFact">;
  /** How long a shard stands after the last version that had it was replaced, in ms. */
  readonly graceMs: number;
  storeOf(region: string): ReadStore;
  /** Forgets the shard in memory. */
  forget(sha256: Sha256): void;
  /** Milliseconds since 1970. */
  now(): number;
}

/** Looks after one object's storage. */
export class Lifetime {
  readonly #ports: LifetimePorts;
  #noted = false;

  constructor(ports: LifetimePorts) {
    this.#ports = ports;
  }

  /** Sees to it that the storage of this shard will be looked after. Cost: nothing after the first time. */
  async note({ region, index, sha256 }: ShardAddress): Promise<void> {
    if (this.#noted) return;
    const { tier, storage, now } = this.#ports;
    this.#noted = true;
    tier.setFact("address", JSON.stringify({ region, index, sha256 } satisfies Kept));
    if ((await storage.getAlarm()) === null) await storage.setAlarm(now() + LOOK_EVERY_MS);
  }

  /** What the alarm does. A store that does not answer is asked again by the next alarm. */
  async check(): Promise<void> {
    const { storage, tier, graceMs, forget, now } = this.#ports;
    const text = tier.fact("address");
    if (text === null) return this.#wipe();
    // Written by `note`.
    const kept = JSON.parse(text) as Kept;
    if (await this.#isNeeded(kept)) {
      tier.setFact("unneeded", "");
      await storage.setAlarm(now() + LOOK_EVERY_MS);
      return;
    }
    const since = Number(tier.fact("unneeded") || now());
    if (now() - since >= graceMs) {
      forget(kept.sha256);
      return this.#wipe();
    }
    tier.setFact("unneeded", String(since));
    await storage.setAlarm(since + graceMs);
  }

  async #isNeeded({ region, index, sha256 }: Kept): Promise<boolean> {
    try {
      const store = this.#ports.storeOf(region);
      const { manifest } = await readCurrent(store, index);
      const shards = blobsOf(await loadManifest(store, manifest), "shard");
      return shards.some((shard) => shard.sha256 === sha256);
    } catch (error) {
      // Gone is an answer; anything else says nothing.
      return !(error instanceof LightedgeError && error.code === "index/not-found");
    }
  }

  async #wipe(): Promise<void> {
    this.#noted = false;
    await this.#ports.storage.deleteAlarm();
    await this.#ports.storage.deleteAll();
  }
}
