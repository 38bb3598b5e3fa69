/** Shards as objects answer for them, in this process: loaded from their region's store when first asked, and failing as told. */
import type { LiveShard } from "../../shared/engine/live-shard.ts";
import { hide, searchable } from "../../shared/engine/live-shards.ts";
import { loadShard } from "../../shared/engine/resident.ts";
import type { ShardAddress, ShardCallName, ShardCalls, ShardPort } from "../../shared/engine/wire.ts";
import { type ErrorCode, LightedgeError } from "../../shared/errors.ts";
import { loadManifest } from "../../shared/format/load.ts";
import { blobsOf } from "../../shared/format/manifest.ts";
import { createReferenceKernels } from "../../shared/kernels/reference.ts";
import type { ReadStore } from "../../shared/store/store.ts";

/** A way to the shards of versions without tombstones, in these stores by region. */
export class PortToShards implements ShardPort {
  readonly #stores: ReadonlyMap<string, ReadStore>;
  readonly #loaded = new Map<string, Promise<LiveShard>>();
  /** What a shard is answered with instead, by `region/ordinal`. */
  readonly failing = new Map<string, ErrorCode>();
  /** Calls, as `region/ordinal name`. */
  readonly asked: string[] = [];

  constructor(stores: ReadonlyMap<string, ReadStore>) {
    this.#stores = stores;
  }

  async ask<Name extends ShardCallName>(
    name: Name,
    address: ShardAddress,
    request: ShardCalls[Name]["request"],
  ): Promise<ShardCalls[Name]["answer"]> {
    const place = `${address.region}/${address.ordinal}`;
    this.asked.push(`${place} ${name}`);
    const code = this.failing.get(place);
    if (code !== undefined) throw new LightedgeError(code, `The shard ${place} fails.`);
    const key = `${address.region}/${address.sha256}`;
    const loading = this.#loaded.get(key) ?? this.#load(address);
    this.#loaded.set(key, loading);
    // Safe: each name is answered by its own kind.
    return answer(await loading, { name, request } as Call) as ShardCalls[Name]["answer"];
  }

  async #load({ region, manifest, ordinal }: ShardAddress): Promise<LiveShard> {
    const store = this.#stores.get(region)!;
    const blob = blobsOf(await loadManifest(store, manifest), "shard")[ordinal]!;
    const shard = await loadShard(store, blob, createReferenceKernels(1 << 26));
    return { ...shard, dead: new Uint16Array(0) };
  }
}

type Call = {
  [N in ShardCallName]: { readonly name: N; readonly request: ShardCalls[N]["request"] };
}[ShardCallName];

function answer(shard: LiveShard, call: Call): ShardCalls[ShardCallName]["answer"] {
  switch (call.name) {
    case "propose": {
      const { query, pool, hidden } = call.request;
      const live = "ids" in hidden ? hide(shard, hidden.ids) : { ...shard, dead: hidden.documents };
      return { proposals: searchable(live).propose(query, pool), hidden: live.dead };
    }
    case "score":
      return searchable(shard).score(call.request.query, call.request.documents);
    case "evidence":
      return searchable(shard).evidence(call.request.chunks, call.request.terms);
    case "locate":
      return searchable(shard).locate(call.request.id);
    case "ready":
      return { from: "store", residentBytes: 1000 + shard.meta.documents };
  }
}
