import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { IsolateTable, isolatesOf } from "../../../indexer/serve/isolates.ts";
import type { ServeOptions } from "../../../indexer/serve.ts";
import { residentBytesOf } from "../../../shared/format/manifest.ts";
import { MemoryStore } from "../../../shared/store/memory.ts";
import { buildTiny, TINY } from "../../helpers/tiny-build.ts";

let store: MemoryStore;
let bytes: number;
beforeAll(async () => {
  const built = await buildTiny();
  store = built.store;
  bytes = residentBytesOf(built.manifest);
});

const options = (more: Partial<ServeOptions>): ServeOptions => ({
  ...{ store, host: "127.0.0.1", port: 0, indexes: [TINY], examples: [], pointerMaxAge: 0 },
  ...more,
});
const regions = (count: number) =>
  Array.from({ length: count }, () => ({ name: "weur", store })) as unknown as NonNullable<
    ServeOptions["regions"]
  >;

describe("isolates of shard objects", () => {
  it("are one where the Worker itself holds every index", async () => {
    expect(await isolatesOf(options({}))).toBe(1);
    expect(await isolatesOf(options({ residentBytes: bytes }))).toBe(1);
  });

  it("are as many as hold what the Worker cannot, with room for a next version, within bounds", async () => {
    expect(await isolatesOf(options({ residentBytes: bytes - 1 }))).toBe(3);
    expect(await isolatesOf(options({ residentBytes: Math.ceil(bytes / 4) }))).toBe(7);
    expect(await isolatesOf(options({ residentBytes: 1000 }))).toBe(16);
    expect(await isolatesOf(options({ residentBytes: 1000, regions: regions(3) }))).toBe(8);
    expect(await isolatesOf(options({ residentBytes: 1000, regions: regions(16) }))).toBe(2);
  });

  it("are as many as the options say", async () => {
    expect(await isolatesOf(options({ shardIsolates: 5 }))).toBe(5);
  });

  it("are one for a store without the index, and asked for again where the store fails now and then", async () => {
    expect(await isolatesOf(options({ store: new MemoryStore(), residentBytes: 1000 }))).toBe(1);
    let failures = 3;
    const flaky = new Proxy(store, {
      get(target, name) {
        if (name === "get" && failures-- > 0) return () => Promise.reject(new Error("down"));
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    expect(await isolatesOf(options({ store: flaky, residentBytes: bytes - 1 }))).toBe(3);
  });
});

describe("the table", () => {
  it("spreads objects evenly, in each region by itself, and keeps them where they are", () => {
    const table = new IsolateTable(3, undefined);
    const names = Array.from({ length: 9 }, (_, at) => `tiny/${at}`);
    const first = names.map((name) => table.of("weur", name));
    expect(first.toSorted()).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2]);
    expect(names.map((name) => table.of("enam", name))).toEqual(first);
    expect(names.map((name) => table.of("weur", name))).toEqual(first);
  });

  it("finds stored objects where they were, but for isolates that are no more", async () => {
    const folder = await mkdtemp(join(tmpdir(), "lightedge-isolates-"));
    try {
      const before = new IsolateTable(3, folder);
      const names = ["a", "b", "c", "d"];
      const places = names.map((name) => before.of("weur", name));
      const after = new IsolateTable(3, folder);
      expect(names.toReversed().map((name) => after.of("weur", name))).toEqual(places.toReversed());
      const fewer = new IsolateTable(1, folder);
      expect(names.map((name) => fewer.of("weur", name))).toEqual([0, 0, 0, 0]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
