import { beforeAll, describe, expect, it } from "vitest";
import { render } from "../../../indexer/commands/regions.ts";
import { SILENT } from "../../../indexer/progress.ts";
import { NamedStore } from "../../../indexer/regions/named-store.ts";
import { type RegionResult, replicateAll } from "../../../indexer/regions/replicate-all.ts";
import { regionStates } from "../../../indexer/regions/state.ts";
import type { RegionStore, RegionStores } from "../../../indexer/regions/stores.ts";
import { type RegionName, regionOf } from "../../../shared/regions/region.ts";
import { MemoryStore } from "../../../shared/store/memory.ts";
import type { WriteStore } from "../../../shared/store/store.ts";
import { readPointer } from "../../../shared/versions/current.ts";
import { FaultStore } from "../../helpers/fault-store.ts";
import { HookStore } from "../../helpers/hook-store.ts";
import { HOUR, keyOf, MINUTE, VersionsWorld } from "../../helpers/versions.ts";
import { digestInPlace } from "../../sim/sync-digest.ts";

beforeAll(() => digestInPlace());

function named(name: RegionName, store: WriteStore): RegionStore {
  return { region: regionOf(name), store: new NamedStore(store, name) };
}

/** A home with two indexes, and two empty regions. */
async function prepared() {
  const world = new VersionsWorld();
  await world.publish(["one"]);
  await world.publish(["news one"], "news");
  const [enam, apac] = [new MemoryStore(() => world.now), new MemoryStore(() => world.now)];
  return { world, home: named("weur", world.store), enam, apac };
}

function shortly(results: readonly RegionResult[]): string[] {
  return results.map((result) =>
    result.kind === "done"
      ? `${result.region} ${result.report.index}: ${result.report.moved ? "moved" : "kept"}`
      : `${result.region} ${result.index}: ${result.error.code}`,
  );
}

describe("regions one after the other", () => {
  it("get every index; a second run finds them so, and tries no store out that it does not write to", async () => {
    const { world, home, enam, apac } = await prepared();
    const bring = (store: WriteStore) =>
      replicateAll(
        home,
        [named("enam", store), named("apac", apac)],
        ["docs", "news"],
        { verify: "new" },
        world.ports,
        SILENT,
      );
    const first = new HookStore(enam);
    expect(shortly(await bring(first))).toEqual([
      "enam docs: moved",
      "enam news: moved",
      "apac docs: moved",
      "apac news: moved",
    ]);
    // Once for the store, and not for each index.
    expect(first.log.filter((line) => /^putIfAbsent probe/u.test(line))).toHaveLength(2);
    const second = new HookStore(enam);
    expect(shortly(await bring(second))).toEqual([
      "enam docs: kept",
      "enam news: kept",
      "apac docs: kept",
      "apac news: kept",
    ]);
    expect(second.log.filter((line) => /^put/u.test(line))).toEqual([]);
  });

  it("go on where one is down, whose other indexes are not tried, and say which it is", async () => {
    const { world, home, enam, apac } = await prepared();
    const down = new FaultStore(enam, 0, "crash");
    const warned: string[] = [];
    const results = await replicateAll(
      home,
      [named("enam", down), named("apac", apac)],
      ["docs", "news"],
      { verify: "new" },
      world.ports,
      { ...SILENT, warn: (message) => warned.push(message) },
    );
    expect(shortly(results)).toEqual([
      "enam docs: store/unavailable",
      "enam news: store/unavailable",
      "apac docs: moved",
      "apac news: moved",
    ]);
    expect(down.log).toHaveLength(1);
    expect(warned).toEqual(["docs in enam failed: The store of enam: The process has died."]);
  });

  it("say that it is home where home is down", async () => {
    const { world, enam } = await prepared();
    const home = named("weur", new FaultStore(world.store, 0, "crash"));
    const results = await replicateAll(
      home,
      [named("enam", enam)],
      ["docs"],
      { verify: "new" },
      world.ports,
      SILENT,
    );
    expect(results[0]).toMatchObject({ error: { message: "The store of weur: The process has died." } });
  });

  it("go on with an index where another is not at home, or ahead", async () => {
    const { world, home, enam } = await prepared();
    await world.publish(["ahead"], "news", enam);
    await world.publish(["further ahead"], "news", enam);
    const results = await replicateAll(
      home,
      [named("enam", enam)],
      ["nowhere", "news", "docs"],
      { verify: "new" },
      world.ports,
      SILENT,
    );
    expect(shortly(results)).toEqual([
      "enam nowhere: index/not-found",
      "enam news: store/conflict",
      "enam docs: moved",
    ]);
    expect((await readPointer(enam, "news"))?.pointer.seq).toBe(2);
  });

  it("are not written to where their store lets two writers win", async () => {
    const { world, home } = await prepared();
    class Careless extends MemoryStore {
      override async putIfMatch(key: string, body: Uint8Array<ArrayBuffer>) {
        return { kind: "written", etag: (await this.put(key, body)).etag } as const;
      }
    }
    const careless = new Careless(() => world.now);
    const results = await replicateAll(
      home,
      [named("enam", careless)],
      ["docs"],
      { verify: "new" },
      world.ports,
      SILENT,
    );
    expect(shortly(results)).toEqual(["enam docs: store/unsafe"]);
    for await (const { key } of careless.list("")) throw new Error(`written: ${key}`);
  });
});

describe("the state of regions", () => {
  it("says of each which version it has, how far it is behind, and what it lacks", async () => {
    const { world, home, enam, apac } = await prepared();
    const others = [named("enam", enam), named("apac", apac), named("oc", new FaultStore(apac, 0, "crash"))];
    await replicateAll(home, [others[0]!], ["docs"], { verify: "new" }, world.ports, SILENT);
    await world.pass(HOUR).publish(["two"]);
    await world.pass(HOUR).publish(["three"]);
    await world.store.delete(await keyOf("three"));
    const regions: RegionStores = { home, others };
    const states = await regionStates(regions, ["docs"], world.pass(2 * MINUTE).now);
    expect(states).toMatchObject([
      { region: "weur", standing: "same", seq: 3, missing: 1, missing_bytes: 64, age_ms: 2 * MINUTE },
      { region: "enam", standing: "behind", seq: 1, missing: 2, behind: { versions: 2, ms: 2 * HOUR } },
      {
        region: "apac",
        standing: "absent",
        version: null,
        age_ms: null,
        missing: 4,
        behind: { versions: 3, ms: 0 },
      },
      { region: "oc", kind: "unknown", error: { code: "store/unavailable" } },
    ]);
    expect(
      render(states)
        .split("\n")
        .map((line) => line.replaceAll(/-[0-9a-f]{8}/gu, "")),
    ).toEqual([
      "index  region  version     age  state",
      "docs   weur    3  2m   current, lacks 1 blob of 64 bytes",
      "docs   enam    1  2h   2 versions and 2h behind, lacks 2 blobs of 128 bytes",
      "docs   apac    none             has none, lacks 4 blobs of 256 bytes",
      "docs   oc      ?                store/unavailable",
    ]);
  });

  it("says of one that it is ahead, or has what home never had", async () => {
    const { world, home, enam, apac } = await prepared();
    await world.publish(["by hand"], "docs", enam);
    await world.publish(["by"], "docs", apac);
    await world.publish(["hand"], "docs", apac);
    const regions = { home, others: [named("enam", enam), named("apac", apac)] };
    const states = await regionStates(regions, ["docs"], world.now);
    expect(states.slice(1)).toMatchObject([
      { standing: "forked", behind: null },
      { standing: "ahead", behind: null },
    ]);
    expect(render(states)).toContain("has a version that home never had");
    expect(render(states)).toContain("ahead of home");
  });
});
