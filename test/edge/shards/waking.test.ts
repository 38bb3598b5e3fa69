/** Objects that sleep, die and wake, in real workerd: what they answer then, and what they read for it. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { OpenIndex } from "../../../shared/engine/api.ts";
import { blobsOf, type Manifest, residentBytesOf } from "../../../shared/format/manifest.ts";
import { SHARD_LIMITS } from "../../../shared/limits.ts";
import type { MemoryStore } from "../../../shared/store/memory.ts";
import type { SearchAnswer } from "../../../shared/types.ts";
import { type ShardRuntime, startShardRuntime } from "../../helpers/shard-runtime.ts";
import { buildTiny, copyOf, openTiny, requestFor, TINY } from "../../helpers/tiny-build.ts";
import { sourceOf, tinyDocuments } from "../../helpers/tiny-corpus.ts";

const SHARDS = 3;
const QUERIES = ["the river and the song", "king queen", "comet orbit telescope", "☃", "nurse"].map((q) =>
  requestFor(q, { explain: true, limit: 20 }),
);

let store: MemoryStore;
let manifest: Manifest;
let local: OpenIndex;
let folder: string;
let server: ShardRuntime | undefined;

beforeAll(async () => {
  ({ store, manifest } = await buildTiny({ source: sourceOf(tinyDocuments(240)), shardChunks: 180 }));
  expect(blobsOf(manifest, "shard").length).toBe(SHARDS);
  local = await openTiny(store, "wasm");
}, 60_000);
afterEach(async () => {
  await server?.close();
  server = undefined;
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

/** Bytes that the whole index does not fit, and its table does. */
const tooFew = () => residentBytesOf(manifest) - 1;

async function start(from = store): Promise<ShardRuntime> {
  server = await startShardRuntime({ store: from, routerBytes: tooFew(), persist: folder });
  return server;
}

/** Ends the runtime with nothing written any more, as when a machine dies. */
async function kill(): Promise<void> {
  for (const pid of childrenOf(process.pid, "workerd")) process.kill(pid, "SIGKILL");
  await server!.close().catch(() => undefined);
  server = undefined;
}

function childrenOf(parent: number, name: string): number[] {
  const lines = execFileSync("ps", ["-eo", "pid=,ppid=,comm="], { encoding: "utf8" }).trim().split("\n");
  const all = lines.map((line) => line.trim().split(/\s+/));
  const direct = all.filter(([, ppid]) => Number(ppid) === parent);
  return direct.flatMap(([pid, , command]) =>
    command!.startsWith(name) ? [Number(pid)] : childrenOf(Number(pid), name),
  );
}

const numbers = ({ hits, total, partial }: SearchAnswer) =>
  JSON.parse(JSON.stringify({ hits, total, partial }));

async function expectRight(): Promise<void> {
  for (const request of QUERIES) {
    const answer = await server!.search(TINY, request);
    expect(answer.placement).toBe("objects");
    expect(numbers(answer)).toEqual(numbers(await local.search(request)));
  }
}

const shardKeys = () => blobsOf(manifest, "shard").map(({ key }) => key);
/** Reads of the bytes of shards. */
const shardReads = () => server!.reads.filter((read) => shardKeys().some((key) => read.includes(key)));

/** The storage of every object, while no runtime has it open. */
function databases(): DatabaseSync[] {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const own = files.filter((file) => file.endsWith(".sqlite") && !file.includes("metadata"));
  return own
    .map((file) => new DatabaseSync(join(folder, file)))
    .filter((database) => {
      const tables = database.prepare("SELECT name FROM sqlite_master WHERE name = 'facts'").all();
      if (tables.length === 1) return true;
      database.close();
      return false;
    });
}

/** Turns one bit of a stored row of each object over; false where an object has none such. */
function damage(table: "pieces" | "rows", at: number): number {
  let rows = 0;
  for (const database of databases()) {
    const [row] = database
      .prepare(`SELECT rowid AS id, bytes FROM ${table} ORDER BY rowid LIMIT 1 OFFSET ${at}`)
      .all();
    if (row !== undefined) {
      const bytes = Uint8Array.from(row.bytes as Uint8Array);
      bytes[bytes.length >> 1]! ^= 4;
      database.prepare(`UPDATE ${table} SET bytes = ? WHERE rowid = ?`).run(bytes, row.id as number);
      rows++;
    }
    database.close();
  }
  return rows;
}

function freshFolder(): void {
  folder = mkdtempSync(join(tmpdir(), "lightedge-shards-"));
}

describe("a shard object", () => {
  it("reads the head and the body of its shard once, however many ask at once", async () => {
    freshFolder();
    await start();
    await Promise.all(Array.from({ length: 12 }, () => server!.search(TINY, QUERIES[0]!)));
    // Small shards are one read; the three of them were asked by twelve searches.
    expect(shardReads().length).toBe(SHARDS);
    await expectRight();
    expect(shardReads().length).toBe(SHARDS);
  });

  it("wakes without the store, evicted or killed", async () => {
    freshFolder();
    await start();
    await expectRight();
    await server!.evict();
    server!.reads.length = 0;
    await expectRight();
    expect(server!.reads.filter((read) => !read.includes("bytes="))).toEqual([]);
    await kill();
    await start();
    await expectRight();
    expect(shardReads()).toEqual([]);
  });

  it("answers rightly while it is evicted again and again", async () => {
    freshFolder();
    await start();
    // What is cut off by an eviction is asked once more; an answer is whole and right, or it says what it lacks.
    const ask = async () => {
      for (const request of QUERIES) {
        const answer = await server!.search(TINY, request);
        if (answer.partial) expect(answer.missing_shards!.length).toBeGreaterThan(0);
        else expect(numbers(answer)).toEqual(numbers(await local.search(request)));
      }
    };
    for (let round = 0; round < 5; round++) {
      // An object that is at work is not evicted; then this says so.
      const evicting = server!.evict().catch(() => undefined);
      await Promise.all([ask(), evicting]);
    }
    await server!.evict();
    await expectRight();
  });

  it("fills its storage anew when it was killed half way", async () => {
    freshFolder();
    const copy = await copyOf(store);
    await start(copy);
    const [first] = shardKeys();
    let reached: () => void;
    const half = new Promise<void>((resolve) => {
      reached = resolve;
    });
    server!.before = async (read) => {
      if (!read.includes(first!)) return;
      reached();
      await new Promise(() => undefined);
    };
    const asked = server!.search(TINY, QUERIES[0]!).catch(() => undefined);
    await half;
    await kill();
    await asked;
    await start(copy);
    await expectRight();
    // Now cut off behind the mark: what has no mark is not believed.
    await server!.close();
    for (const database of databases()) {
      database.exec("DELETE FROM facts WHERE name = 'complete'; DELETE FROM rows WHERE at > 2");
      database.close();
    }
    await start(copy);
    await expectRight();
    expect(shardReads().length).toBe(SHARDS);
  });

  it.each([
    ["pieces", 0],
    ["rows", 1],
  ] as const)("notices a bit that was turned over in %s, row %i, and loads anew", async (table, at) => {
    freshFolder();
    await start();
    await expectRight();
    await server!.close();
    expect(damage(table, at)).toBe(SHARDS);
    await start();
    await expectRight();
    const { length } = shardReads();
    expect(length).toBeGreaterThan(0);
    await server!.close();
    await start();
    await expectRight();
    expect(shardReads()).toEqual([]);
  });

  it("leaves a damaged shard out rather than answer wrongly", async () => {
    freshFolder();
    const copy = await copyOf(store);
    const [, second] = blobsOf(manifest, "shard");
    const body = (await copy.get(second!.key))!.body;
    body[body.length >> 1]! ^= 1;
    await copy.put(second!.key, body);
    await start(copy);
    const answer = await server!.search(TINY, requestFor("river boat", { limit: 100 }));
    expect(answer).toMatchObject({ partial: true, missing_shards: [1] });
    const { status, body: refused } = await server!.ask(`/v1/indexes/${TINY}/search?q=river&strict=true`);
    expect([status, (refused as { error: { code: string } }).error.code]).toEqual([503, "index/partial"]);
    const { status: found } = await server!.ask(`/v1/indexes/${TINY}/documents/nowhere`);
    expect(found).toBe(503);
    // Repaired in the store, it is back without anybody's help.
    await copy.put(second!.key, (await store.get(second!.key))!.body);
    await expectRight();
  });
});

describe("memory for fewer shards than there are", () => {
  it("holds them in turn, and every answer is right", async () => {
    freshFolder();
    server = await startShardRuntime({
      store,
      routerBytes: tooFew(),
      objectBytes: 320 * 1024,
      persist: folder,
    });
    await expectRight();
    await expectRight();
    expect(shardReads().length).toBe(SHARDS);
  });

  it("is refused where not even one fits", async () => {
    freshFolder();
    server = await startShardRuntime({
      store,
      routerBytes: tooFew(),
      objectBytes: 64 * 1024,
      persist: folder,
    });
    const { status } = await server.ask(`/v1/indexes/${TINY}/search?q=river`);
    expect(status).toBe(503);
  });
});

describe("a shard object with more calls than it takes", () => {
  it("says so to those beyond, and answers the others", async () => {
    const alone = await buildTiny({ source: sourceOf(tinyDocuments(400)) });
    const wanted = await openTiny(alone.store, "wasm");
    freshFolder();
    server = await startShardRuntime({
      ...{ store: alone.store, persist: folder },
      routerBytes: residentBytesOf(alone.manifest) - 1,
    });
    const { key } = blobsOf(alone.manifest, "shard")[0]!;
    let go: () => void;
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    server.before = (read) => (read.includes(key) ? gate : undefined);
    const asked = Array.from({ length: SHARD_LIMITS.callsAtOnce + 10 }, () =>
      server!.ask(`/v1/indexes/${TINY}/search?q=river`),
    );
    const first = await Promise.race(asked);
    expect([first.status, first.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(first.body).toMatchObject({ error: { code: "shard/overloaded" } });
    go!();
    const all = await Promise.all(asked);
    const right = all.filter(({ status }) => status === 200);
    expect(right.length).toBe(SHARD_LIMITS.callsAtOnce);
    for (const { body } of right)
      expect(numbers(body as SearchAnswer)).toEqual(numbers(await wanted.search(requestFor("river"))));
  });
});
