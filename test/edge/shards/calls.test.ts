/** What one shard object answers, called by itself in real workerd: the right bits, or a refusal that says why. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readPointer } from "../../../indexer/store/publish.ts";
import { encodeQuery } from "../../../shared/engine/encode-query.ts";
import { NEAR_POOL } from "../../../shared/engine/shard-contract.ts";
import type { ShardAddress, ShardMessage, ShardReply } from "../../../shared/engine/wire.ts";
import { WIRE_VERSION } from "../../../shared/engine/wire.ts";
import { blobsOf } from "../../../shared/format/manifest.ts";
import { manifestKey } from "../../../shared/format/names.ts";
import type { Sha256 } from "../../../shared/hash.ts";
import { SHARD_LIMITS } from "../../../shared/limits.ts";
import type { MemoryStore } from "../../../shared/store/memory.ts";
import { OBJECTS, type ShardRuntime, startShardRuntime } from "../../helpers/shard-runtime.ts";
import { buildTiny, TINY } from "../../helpers/tiny-build.ts";
import { sourceOf, tinyDocuments } from "../../helpers/tiny-corpus.ts";
import { tinyParts } from "../../shared/engine/resident.ts";

const documents = tinyDocuments(90);
const NOBODY = "0".repeat(64) as Sha256;

let store: MemoryStore;
let server: ShardRuntime;
let address: ShardAddress;
let query: ReturnType<typeof encodeQuery>;

beforeAll(async () => {
  ({ store } = await buildTiny({ source: sourceOf(documents) }));
  address = await current();
  const { table, tokenizer } = await tinyParts(90);
  query = encodeQuery(table, tokenizer.ids("the comet and the queen"));
  server = await startShardRuntime({ store });
});
afterAll(() => server?.close());

/** The first shard of the version that the pointer names. */
async function current(): Promise<ShardAddress> {
  const { pointer } = (await readPointer(store, TINY))!;
  const { manifest } = pointer;
  const body = JSON.parse(new TextDecoder().decode((await store.get(manifest.key))!.body));
  const { sha256, ordinal } = blobsOf(body, "shard")[0]!;
  return { region: "local", index: TINY, manifest, ordinal, sha256 };
}

/** Calls the object of the shard; `to` changes whom the call says it is for. */
async function call(
  name: ShardMessage["name"],
  request: ShardMessage["request"],
  to: Partial<ShardAddress> = {},
  more: Partial<ShardMessage> = {},
): Promise<ShardReply> {
  const namespace = await server.runtime.getDurableObjectNamespace("SHARDS", OBJECTS);
  const stub = namespace.get(namespace.idFromName(`local/${TINY}/${address.sha256}`));
  const message = {
    wire: WIRE_VERSION,
    name,
    request,
    patienceMs: 5000,
    address: { ...address, ...to },
    ...more,
  };
  // A stub of the runtime's proxy has whatever methods the object has.
  return (stub as unknown as { ask(message: ShardMessage): Promise<ShardReply> }).ask(
    message as ShardMessage,
  );
}

const codeOf = (reply: ShardReply) => ("refusal" in reply ? reply.refusal.code : "answered");
const propose = (hidden: readonly string[] = []) => ({ query, pool: NEAR_POOL, hidden: { ids: hidden } });

describe("a shard object refuses", () => {
  it("messages of another version than it speaks, and touches nothing for them", async () => {
    server.reads.length = 0;
    expect(codeOf(await call("ready", {}, {}, { wire: WIRE_VERSION + 1 }))).toBe("shard/unavailable");
    expect(server.reads).toEqual([]);
  });

  it("a version that does not name its shard there, or that nobody made", async () => {
    expect(codeOf(await call("ready", {}, { ordinal: 1 }))).toBe("version/not-found");
    expect(codeOf(await call("ready", {}, { sha256: NOBODY }))).toBe("version/not-found");
    expect(codeOf(await call("ready", {}, { index: "other" }))).toBe("version/not-found");
    const manifest = { key: manifestKey(TINY, NOBODY), sha256: NOBODY, bytes: 10 };
    expect(codeOf(await call("ready", {}, { manifest }))).toBe("blob/missing");
  });

  it("a region that the deployment has not", async () => {
    expect(codeOf(await call("ready", {}, { region: "weur" }))).toBe("shard/unavailable");
  });

  it("a query of another table, documents that it has not, and a pool beyond its space", async () => {
    const dense = { ...query.dense!, values: new Int16Array(64), planes: new Uint8Array(32) };
    expect(codeOf(await call("propose", { ...propose(), query: { ...query, dense } }))).toBe(
      "binding/mismatch",
    );
    expect(codeOf(await call("score", { query, documents: Uint32Array.of(90) }))).toBe("internal");
    expect(codeOf(await call("propose", { ...propose(), pool: { dense: 1e6, sparse: 1 } }))).toBe("internal");
  });
});

describe("a shard object", () => {
  it("tells from where it had to load", async () => {
    await call("ready", {});
    expect(await call("ready", {})).toMatchObject({ answer: { from: "memory" } });
  });

  it("hides documents by id once, and by number from then on", async () => {
    const reply = await call("propose", propose(["d20", "d21", "nobody"]));
    if (!("answer" in reply)) throw new Error("Refused.");
    const { proposals, hidden } = reply.answer as { proposals: { living: number }; hidden: Uint16Array };
    expect([proposals.living, hidden.length]).toEqual([88, 2]);
    const again = await call("propose", {
      query,
      pool: NEAR_POOL,
      hidden: { documents: Uint16Array.from(hidden) },
    });
    expect(again).toEqual(reply);
  });

  it("serves the next version too where that keeps its shard, for two small reads", async () => {
    await call("ready", {});
    const fewer = documents.filter((_, at) => at % 8 !== 3);
    await buildTiny({ store, source: sourceOf(fewer) });
    const next = await current();
    expect([next.sha256, next.manifest.sha256 === address.manifest.sha256]).toEqual([address.sha256, false]);
    server.reads.length = 0;
    const reply = await call("propose", propose(), next);
    expect(reply).toMatchObject({ answer: { proposals: { living: fewer.length } } });
    expect(server.reads.length).toBe(2);
    // The version before is answered beside it.
    expect(await call("propose", propose())).toMatchObject({ answer: { proposals: { living: 90 } } });
    expect(server.reads.length).toBe(2);
    expect(SHARD_LIMITS.versions).toBeGreaterThanOrEqual(2);
  });
});
