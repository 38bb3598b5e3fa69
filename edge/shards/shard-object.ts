/**
 * The Durable Object that holds one shard of an index in one region: `REGION/INDEX/DIGEST OF THE SHARD'S FILE`. It answers
 * for any version that names the shard, wakes from its own SQLite storage, and wipes that when no version needs it.
 */
import { DurableObject } from "cloudflare:workers";
import type { EncodedQuery } from "../../shared/engine/encoded-query.ts";
import { numbersOf, searchable, without } from "../../shared/engine/live-shards.ts";
import { hotShardBytes } from "../../shared/engine/resident.ts";
import { FAR_POOL, type Pool } from "../../shared/engine/shard-contract.ts";
import {
  type ShardCallName,
  type ShardCalls,
  type ShardMessage,
  type ShardReply,
  type ShardState,
  WIRE_VERSION,
} from "../../shared/engine/wire.ts";
import { asLightedgeError, LightedgeError, printable } from "../../shared/errors.ts";
import type { ShardBlob } from "../../shared/format/manifest.ts";
import type { ShardMeta } from "../../shared/format/shard.ts";
import { SHARD_LIMITS } from "../../shared/limits.ts";
import type { ReadStore } from "../../shared/store/store.ts";
import { GRACE_MS } from "../../shared/versions/times.ts";
import { isolateShards } from "../isolate.ts";
import { pause } from "../pause.ts";
import { regionStores } from "../regions/stores.ts";
import { TimedStore } from "../regions/timed-store.ts";
import { type Env, gcGrace } from "../settings.ts";
import { Lifetime } from "./lifetime.ts";
import { isDamaged, SecondTier } from "./second-tier.ts";
import { type ReadyShard, ShardHolder } from "./shard-holder.ts";
import { VersionsOfShard } from "./versions-of-shard.ts";

/** Milliseconds for a read of the store, more for many bytes: shards of an isolate are loaded one at a time, and one whose store hangs holds up the others. */
const READ_MS = 2000;

/** Answers calls for one shard. */
export class ShardObject extends DurableObject<Env> {
  readonly #tier: SecondTier;
  readonly #versions: VersionsOfShard;
  readonly #lifetime: Lifetime;
  #holder: ShardHolder | null = null;
  #store: { readonly region: string; readonly store: ReadStore } | null = null;
  #calls = 0;

  constructor(context: DurableObjectState, env: Env) {
    super(context, env);
    this.#tier = new SecondTier(context.storage);
    this.#versions = new VersionsOfShard(this.#tier);
    this.#lifetime = new Lifetime({
      ...{ storage: context.storage, tier: this.#tier },
      graceMs: gcGrace(env.GC_GRACE) ?? GRACE_MS.standard,
      storeOf: (region) => this.#storeOf(region),
      forget: (sha256) => {
        isolateShards(env).drop(sha256);
        this.#holder?.forget();
      },
      now: () => Date.now(),
    });
  }

  /** Answers a call. What goes wrong is a refusal with its code, not an error. */
  async ask(message: ShardMessage): Promise<ShardReply> {
    if (this.#calls >= SHARD_LIMITS.callsAtOnce) {
      const busy = `${this.#calls} calls wait at this shard; ask again shortly.`;
      return refusalOf(new LightedgeError("shard/overloaded", busy, { limit: SHARD_LIMITS.callsAtOnce }));
    }
    this.#calls++;
    try {
      return { answer: await this.#answer(message) };
    } catch (error) {
      return refusalOf(error);
    } finally {
      this.#calls--;
    }
  }

  /** Looks whether a version still needs the shard: `lifetime.ts`. */
  override async alarm(): Promise<void> {
    await this.#lifetime.check();
  }

  async #answer(message: ShardMessage): Promise<ShardCalls[ShardCallName]["answer"]> {
    checkWire(message.wire);
    const startedAt = Date.now();
    const { address } = message;
    const store = this.#storeOf(address.region);
    const version = await this.#versions.of(address, store);
    const holder = this.#holderOf(version.entry, store);
    const answer = async () => {
      let from: ShardState["from"] = "memory";
      if (version.check !== null) {
        const first = await holder.use(({ shard, from: loaded }) => ({ meta: shard.meta, from: loaded }));
        from = first.from;
        await version.check(first.meta);
        await this.#versions.remember(address.manifest.sha256, version);
      }
      await this.#lifetime.note(address);
      return holder.use((ready) => {
        if (Date.now() - startedAt > message.patienceMs) throw tooLate(message.patienceMs);
        return answerOf(message, from === "memory" ? ready : { ...ready, from }, version.dead);
      });
    };
    try {
      return await answer();
    } catch (error) {
      // Rows are checked as they are read: what is damaged is made anew, once, and then asked again.
      if (!isDamaged(error)) throw error;
      console.error(JSON.stringify({ level: "warning", index: address.index, message: error.message }));
      holder.distrust();
      return answer();
    }
  }

  #holderOf(entry: ShardBlob, store: ReadStore): ShardHolder {
    const memory = isolateShards(this.env);
    this.#holder ??= new ShardHolder({ tier: this.#tier, memory, store }, entry);
    return this.#holder;
  }

  #storeOf(region: string): ReadStore {
    if (this.#store?.region === region) return this.#store.store;
    const found = regionStores(this.env).find(({ name }) => name === region);
    if (found !== undefined) {
      const store = new TimedStore(found.store, { limitMs: READ_MS, pause });
      this.#store = { region, store };
      return store;
    }
    throw new LightedgeError("shard/unavailable", `This deployment has no region ${printable(region)}.`);
  }
}

function answerOf(
  { name, request }: ShardMessage,
  { shard, from }: ReadyShard,
  dead: Uint16Array<ArrayBuffer>,
): ShardCalls[ShardCallName]["answer"] {
  // Safe: `name` tells the kind of request, and both sides speak this version of the messages.
  const of = <Name extends ShardCallName>() => request as ShardCalls[Name]["request"];
  const live = { ...shard, dead };
  switch (name) {
    case "propose": {
      const { query, pool, hidden } = of<"propose">();
      checkQuery(query, shard.meta);
      checkPool(pool);
      const documents = "documents" in hidden ? hidden.documents : numbersOf(shard, hidden.ids);
      return { proposals: searchable(without(live, documents)).propose(query, pool), hidden: documents };
    }
    case "score": {
      const { query, documents } = of<"score">();
      checkQuery(query, shard.meta);
      checkDocuments(documents, shard.meta);
      return searchable(live).score(query, documents);
    }
    case "evidence": {
      const { chunks, terms } = of<"evidence">();
      checkDocuments(
        chunks.map(({ document }) => document),
        shard.meta,
      );
      return searchable(live).evidence(chunks, terms);
    }
    case "locate":
      return searchable(live).locate(of<"locate">().id);
    case "ready":
      return { from, residentBytes: hotShardBytes(shard) };
  }
}

function checkWire(wire: number): void {
  if (wire === WIRE_VERSION) return;
  const message = `A shard object speaks version ${WIRE_VERSION} of its messages, not ${printable(wire)}; a deployment is under way, so ask again shortly.`;
  throw new LightedgeError("shard/unavailable", message, { limit: WIRE_VERSION });
}

/** A query that was encoded by another table would be answered by nonsense, or read what is none of the query's. */
function checkQuery({ dense }: EncodedQuery, { padded, clusters }: ShardMeta): void {
  if (dense === null) return;
  if (dense.values.length !== padded || dense.planes.length !== padded / 2) {
    const message = `A query of ${dense.values.length} numbers does not fit a shard of ${padded}.`;
    throw new LightedgeError("binding/mismatch", message, { field: "padded" });
  }
  if (clusters === undefined || dense.clusters === null) return;
  if (dense.clusters.every((cluster) => cluster < clusters.count)) return;
  const message = `A query looks into clusters that a shard with ${clusters.count} of them does not have.`;
  throw new LightedgeError("binding/mismatch", message, { field: "clusters" });
}

/** The shard's work space has room for the largest pool. */
function checkPool({ dense, sparse }: Pool): void {
  if (dense <= FAR_POOL.dense && sparse <= FAR_POOL.sparse) return;
  throw new LightedgeError("internal", `A pool of ${dense} and ${sparse} documents is asked for.`);
}

function checkDocuments(documents: ArrayLike<number>, meta: ShardMeta): void {
  for (let at = 0; at < documents.length; at++) {
    if (documents[at]! < meta.documents) continue;
    throw new LightedgeError("internal", `There is no document ${documents[at]} in this shard.`);
  }
}

function tooLate(patienceMs: number): LightedgeError {
  return new LightedgeError(
    "shard/unavailable",
    `The shard was not ready in the ${Math.max(0, Math.round(patienceMs))} ms that were left.`,
  );
}

function refusalOf(error: unknown): ShardReply {
  const { code, message, details, cause } = asLightedgeError(error);
  if (code === "internal")
    console.error(
      JSON.stringify({
        level: "error",
        message,
        cause: cause instanceof Error ? (cause.stack ?? cause.message) : undefined,
      }),
    );
  return { refusal: { code, message, ...(details.blob === undefined ? {} : { blob: details.blob }) } };
}
