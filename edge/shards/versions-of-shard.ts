/** Which versions of its index a shard belongs to, and which of its documents are dead in each. */

import type { ShardAddress } from "../../shared/engine/wire.ts";
import { LightedgeError } from "../../shared/errors.ts";
import { checkBinding } from "../../shared/format/binding.ts";
import { loadEnvelope, loadManifest } from "../../shared/format/load.ts";
import { blobsOf, type Manifest, type ShardBlob } from "../../shared/format/manifest.ts";
import type { ShardMeta } from "../../shared/format/shard.ts";
import { deadByShard, readTombstones } from "../../shared/format/tombstones.ts";
import { type Sha256, sha256 } from "../../shared/hash.ts";
import { SHARD_LIMITS } from "../../shared/limits.ts";
import type { ReadStore } from "../../shared/store/store.ts";
import type { SecondTier } from "./second-tier.ts";

/** A shard as a part of one version. */
export interface VersionOfShard {
  readonly entry: ShardBlob;
  /** Numbers of its dead documents, ascending. */
  readonly dead: Uint16Array<ArrayBuffer>;
  /** Throws unless the loaded shard belongs to the version; null where that was seen before. */
  readonly check: ((meta: ShardMeta) => Promise<void>) | null;
}

/** The last few versions that were asked for, in memory and in the second tier. */
export class VersionsOfShard {
  readonly #tier: SecondTier;
  /** The least recently asked for first. */
  readonly #known = new Map<Sha256, VersionOfShard>();

  constructor(tier: SecondTier) {
    this.#tier = tier;
  }

  /**
   * The shard in the version that this address names. Throws `version/not-found` where the manifest does not name the
   * shard there, and as `loadManifest` where there is none. Cost: nothing where the version is known, else two reads.
   */
  async of(address: ShardAddress, store: ReadStore): Promise<VersionOfShard> {
    const { sha256: digest } = address.manifest;
    const known = this.#known.get(digest) ?? (await this.#recall(digest));
    if (known === null) return versionFrom(store, address);
    if (!isAt(known.entry, address)) throw notNamed(address);
    this.#keep(digest, known);
    return known;
  }

  /** Keeps a version whose shard is loaded and was checked. */
  async remember(digest: Sha256, { entry, dead }: VersionOfShard): Promise<void> {
    this.#keep(digest, { entry, dead, check: null });
    const text = JSON.stringify(entry);
    const bytes = new Uint8Array(dead.slice().buffer);
    await this.#tier.putVersion(digest, text, bytes, await digestOf(text, bytes), SHARD_LIMITS.versions);
  }

  async #recall(digest: Sha256): Promise<VersionOfShard | null> {
    const stored = this.#tier.version(digest);
    if (stored === null || (await digestOf(stored.entry, stored.dead)) !== stored.digest) return null;
    // Written by `remember`, and its digest is right.
    const entry = JSON.parse(stored.entry) as ShardBlob;
    return { entry, dead: new Uint16Array(stored.dead.slice().buffer), check: null };
  }

  #keep(digest: Sha256, version: VersionOfShard): void {
    this.#known.delete(digest);
    this.#known.set(digest, version);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= SHARD_LIMITS.versions) return;
      this.#known.delete(oldest);
    }
  }
}

async function versionFrom(store: ReadStore, address: ShardAddress): Promise<VersionOfShard> {
  const manifest = await loadManifest(store, address.manifest);
  const shards = blobsOf(manifest, "shard");
  const entry = shards[address.ordinal];
  if (manifest.index !== address.index || entry === undefined || !isAt(entry, address))
    throw notNamed(address);
  const [tombstones] = blobsOf(manifest, "tombstones");
  const dead =
    tombstones === undefined
      ? new Uint16Array(0)
      : deadByShard(readTombstones(await loadEnvelope(store, tombstones)), shards.length)[
          entry.ordinal
        ]!.slice();
  return { entry, dead, check: (meta) => checkPart(manifest, entry, meta, dead) };
}

async function checkPart(
  manifest: Manifest,
  { ordinal }: ShardBlob,
  meta: ShardMeta,
  dead: Uint16Array,
): Promise<void> {
  await checkBinding(manifest, { shards: [meta] });
  const last = dead[dead.length - 1] ?? -1;
  if (last < meta.documents) return;
  const message = `Document ${last} of shard ${ordinal} is said to be dead; the shard has ${meta.documents}.`;
  throw new LightedgeError("format/invalid", message);
}

function isAt(entry: ShardBlob, { ordinal, sha256: digest }: ShardAddress): boolean {
  return entry.ordinal === ordinal && entry.sha256 === digest;
}

function notNamed({ index, ordinal, sha256: digest, manifest }: ShardAddress): LightedgeError {
  const message = `The version ${manifest.sha256.slice(0, 8)} of ${index} does not name ${digest.slice(0, 8)} as its shard ${ordinal}.`;
  return new LightedgeError("version/not-found", message);
}

async function digestOf(entry: string, dead: Uint8Array<ArrayBuffer>): Promise<Sha256> {
  return sha256(`${entry} ${await sha256(dead)}`);
}
