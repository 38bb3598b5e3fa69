import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { chosenIndexes } from "../../../indexer/commands/reindex.ts";
import { leaseKey } from "../../../indexer/store/lease.ts";
import { readPointer } from "../../../indexer/store/publish.ts";
import { S3Store } from "../../../indexer/store/s3.ts";
import { LightedgeError } from "../../../shared/errors.ts";
import { MemoryStore } from "../../../shared/store/memory.ts";
import type { WriteStore } from "../../../shared/store/store.ts";
import { FaultStore } from "../../helpers/fault-store.ts";
import {
  configOf,
  DOCUMENTS,
  folder,
  removeFolder,
  run,
  summary,
  versionOf,
  writeSource,
} from "../../helpers/reindexing.ts";
import { S3Server } from "../../helpers/s3-server.ts";
import { tinyEncoder } from "../../helpers/tiny-encoder.ts";

afterAll(removeFolder);

describe("a config that is run", () => {
  it("publishes its indexes in turn with one model, and the second time nothing, encoding nothing", async () => {
    const store = new MemoryStore();
    const config = await configOf({ one: "a.jsonl", two: "b.jsonl" });
    const first = await run(config, store);
    expect(summary(first.results)).toEqual(["one: published", "two: published"]);
    expect(first.opened).toBe(1);
    const before = [await readPointer(store, "one"), await readPointer(store, "two")];
    const second = await run(config, store);
    expect(summary(second.results)).toEqual(["one: up to date", "two: up to date"]);
    expect(second.encoded).toEqual([]);
    expect([await readPointer(store, "one"), await readPointer(store, "two")]).toEqual(before);
  });

  it("goes on after an index that fails, whatever it fails of, and leaves that one as it was", async () => {
    const store = new MemoryStore();
    writeSource("changing.jsonl", DOCUMENTS);
    const config = await configOf({ bad: "changing.jsonl", good: "b.jsonl" });
    await run(config, store);
    const before = await readPointer(store, "bad");
    for (const [documents, code] of [
      ["{not json\n", "source/invalid"],
      [null, "usage/invalid"],
    ] as const) {
      if (documents === null) rmSync(join(folder, "changing.jsonl"));
      else writeFileSync(join(folder, "changing.jsonl"), documents);
      const { results, warnings } = await run(config, store);
      expect(summary(results)).toEqual([`bad: ${code}`, "good: up to date"]);
      expect(warnings.join()).toContain("bad failed: ");
      expect(await readPointer(store, "bad")).toEqual(before);
    }
  });

  it("marks its versions with its name: another config is refused until it takes over", async () => {
    const store = new MemoryStore();
    await run(await configOf({ shared: "a.jsonl" }, "team-a"), store);
    const other = await configOf({ shared: "b.jsonl", own: "b.jsonl" }, "team-b");
    const refused = await run(other, store);
    expect(summary(refused.results)).toEqual(["shared: index/taken", "own: published"]);
    expect(await versionOf(store, "shared")).toBe(1);
    const taken = await run(other, store, { takeOver: true });
    expect(summary(taken.results)[0]).toBe("shared: published");
    const back = await run(await configOf({ shared: "a.jsonl" }, "team-a"), store);
    expect(summary(back.results)).toEqual(["shared: index/taken"]);
  });

  it("makes the same of the same on a machine whose clock is days off", async () => {
    const blobs = async (days: number) => {
      const store = new MemoryStore();
      await run(await configOf({ one: "a.jsonl" }), store, { days });
      const keys: string[] = [];
      for await (const { key } of store.list("blobs/")) keys.push(key);
      return { store, keys };
    };
    const [early, late] = [await blobs(-400), await blobs(1)];
    expect(early.keys).toEqual(late.keys);
    // A run by a clock that lags the one before.
    const config = await configOf({ one: "b.jsonl" });
    expect(summary((await run(config, late.store, { days: -1 })).results)).toEqual(["one: published"]);
    expect(await versionOf(late.store, "one")).toBe(2);
    expect(summary((await run(config, late.store, { days: 30 })).results)).toEqual(["one: up to date"]);
  });

  it("runs the indexes that are asked for, and refuses a name that it has not", async () => {
    const config = await configOf({ one: "a.jsonl", two: "b.jsonl", three: "b.jsonl" });
    const names = (wanted: readonly string[]) => chosenIndexes(config, wanted).map(({ spec }) => spec.index);
    expect(names([])).toEqual(["one", "two", "three"]);
    expect(names(["three", "one"])).toEqual(["one", "three"]);
    expect(() => names(["one", "tow"])).toThrow(/has no index "tow"; it has one, two, three\./u);
  });
});

describe("what concerns all indexes", () => {
  it("is one error, before a model is loaded or anything written: a store that cannot be reached", async () => {
    const config = await configOf({ one: "a.jsonl", two: "b.jsonl" });
    const memory = new MemoryStore();
    let opened = 0;
    const openEncoder = async () => {
      opened++;
      return tinyEncoder();
    };
    const refusing = new FaultStore(memory, 0, "crash");
    await expect(run(config, refusing, {}, { openEncoder })).rejects.toMatchObject({
      code: "store/unavailable",
    });
    expect(refusing.log).toHaveLength(1);
    expect(opened).toBe(0);
    for await (const { key } of memory.list("")) throw new Error(`written: ${key}`);
  });

  it("is one error that says what is wrong: credentials, a bucket that is not there", async () => {
    const server = await S3Server.start();
    try {
      const config = await configOf({ one: "a.jsonl", two: "b.jsonl" });
      const place = server.place();
      const wrong = { ...place, credentials: { accessKeyId: "AKIATEST", secretAccessKey: "wrong" } };
      for (const [location, message] of [
        [wrong, /Check the keys/u],
        [{ ...place, bucket: "another" }, /There is no bucket another/u],
      ] as const) {
        for (const mode of [{}, { part: { number: 1, of: 2 } }]) {
          let opened = 0;
          const openEncoder = async () => {
            opened++;
            return tinyEncoder();
          };
          const failing = run(config, new S3Store(location), mode, { openEncoder });
          await expect(failing).rejects.toMatchObject({
            code: "store/denied",
            message: expect.stringMatching(message),
          });
          expect(opened).toBe(0);
        }
      }
      expect(server.objects.size).toBe(0);
    } finally {
      await server.close();
    }
  });

  it("is one error: a model that cannot be loaded", async () => {
    const config = await configOf({ one: "a.jsonl", two: "b.jsonl" });
    let tries = 0;
    const openEncoder = () => {
      tries++;
      return Promise.reject(new LightedgeError("model/invalid", "There is no model here."));
    };
    await expect(run(config, new MemoryStore(), {}, { openEncoder })).rejects.toMatchObject({
      code: "model/invalid",
    });
    expect(tries).toBe(1);
  });
});

describe("a store that takes no notice of conditions", () => {
  it("is refused with nothing written to it but a probe and a lease", async () => {
    const memory = new MemoryStore();
    const careless: WriteStore = {
      get: (key) => memory.get(key),
      getRange: (key, offset, length) => memory.getRange(key, offset, length),
      head: (key) => memory.head(key),
      list: (prefix) => memory.list(prefix),
      delete: (key) => memory.delete(key),
      put: (key, body) => memory.put(key, body),
      putIfAbsent: async (key, body) => ({ kind: "written", etag: (await memory.put(key, body)).etag }),
      putIfMatch: async (key, body) => ({ kind: "written", etag: (await memory.put(key, body)).etag }),
    };
    const { results, encoded } = await run(await configOf({ one: "a.jsonl" }), careless, { lock: 60_000 });
    expect(summary(results)).toEqual(["one: store/unsafe"]);
    expect(encoded).toEqual([]);
    const left: string[] = [];
    for await (const { key } of memory.list("")) left.push(key);
    expect(left).toEqual([leaseKey("one")]);
  });
});
