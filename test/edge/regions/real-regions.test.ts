/** Regions with real stores: what is asked of them, and what comes of it when they, or shards in them, fail. */
import { beforeAll, describe, expect, test } from "vitest";
import { type CheckResult, healthOf } from "../../../edge/health.ts";
import { watch } from "../../../edge/watch.ts";
import { blobsOf, type Manifest } from "../../../shared/format/manifest.ts";
import { runMarkKey, serializeRunMark } from "../../../shared/format/run-mark.ts";
import type { RegionsReport } from "../../../shared/regions/report.ts";
import type { WarmAnswer } from "../../../shared/regions/warm.ts";
import { MemoryStore } from "../../../shared/store/memory.ts";
import type { SearchAnswer } from "../../../shared/types.ts";
import { FaultStore } from "../../helpers/fault-store.ts";
import { realRegions } from "../../helpers/real-regions.ts";
import { buildTiny, copyOf, openTiny, requestFor, TINY } from "../../helpers/tiny-build.ts";
import { sourceOf, tinyDocuments } from "../../helpers/tiny-corpus.ts";
import { ADMIN_KEY } from "../../helpers/writing-app.ts";

const SEARCH = `/v1/indexes/${TINY}/search?q=river+boat&limit=100`;
const CREATED = Date.parse("2026-01-31T12:00:00Z");

let first: MemoryStore;
let second: MemoryStore;
let manifest: Manifest;
beforeAll(async () => {
  ({ store: first, manifest } = await buildTiny({ shardChunks: 30 }));
  second = await copyOf(first);
  await buildTiny({ store: second, source: sourceOf(tinyDocuments(44)), shardChunks: 30 });
});

/** Bytes that hold the table and not the shards. */
const tight = () =>
  manifest.blobs.reduce((sum, { role, bytes }) => sum + (role === "table" ? bytes : 0), 0) + 4096;

/** Which shard each document is in. */
async function ownersOf(store: MemoryStore): Promise<ReadonlyMap<string, number>> {
  const owners = new Map<string, number>();
  for (const shard of [0, 1, 2]) {
    const world = await realRegions({ stores: [["weur", store]], budgetBytes: tight() });
    for (const other of [0, 1, 2])
      if (other !== shard) world.port.failing.set(`weur/${other}`, "shard/unavailable");
    const { hits } = (await world.ask(SEARCH)).body as SearchAnswer;
    for (const { id } of hits) owners.set(id, shard);
  }
  return owners;
}

describe("shards in objects", () => {
  test("that fail anywhere: a whole answer from the nearest region that has one, else the best part", async () => {
    const shards = blobsOf(manifest, "shard").length;
    expect(shards).toBe(3);
    const names = ["weur", "enam"] as const;
    const local = await (await openTiny(first)).search(requestFor("river boat", { limit: 100 }));
    const alone = await ownersOf(first);
    for (let bits = 0; bits < 4 ** shards; bits++) {
      const failing = names.map((_, at) =>
        Array.from({ length: shards }, (__, shard) => shard).filter(
          (shard) => (bits >> (at * shards + shard)) & 1,
        ),
      );
      const world = await realRegions({
        stores: names.map((name) => [name, first]),
        budgetBytes: tight(),
      });
      names.forEach((name, at) => {
        for (const shard of failing[at]!) world.port.failing.set(`${name}/${shard}`, "shard/unavailable");
      });
      const { status, body } = (await world.ask(SEARCH)) as { status: number; body: SearchAnswer };
      const least = Math.min(...failing.map(({ length }) => length));
      const best = failing.findIndex(({ length }) => length === least);
      if (least === shards) {
        expect([bits, status, body]).toMatchObject([bits, 503, { error: { code: "shard/unavailable" } }]);
        continue;
      }
      expect([bits, status]).toEqual([bits, 200]);
      expect(body).toMatchObject({ region: names[best], placement: "objects", partial: least > 0 });
      if (least === 0) {
        expect(body.hits).toEqual(local.hits);
        expect(body.total).toBe(local.total);
        continue;
      }
      const missing = failing[best]!;
      expect(body.missing_shards).toEqual(missing);
      const found = local.hits.map(({ id }) => id).filter((id) => !missing.includes(alone.get(id)!));
      expect(body.hits.map(({ id }) => id).toSorted()).toEqual(found.toSorted());
      const strict = await world.ask(`${SEARCH}&strict=true`);
      expect(strict).toMatchObject({ status: 503, body: { error: { code: "index/partial" } } });
    }
  });

  test("and writes that wait at home are in one answer, from whichever region and isolate", async () => {
    const stores = [
      ["weur", await copyOf(first)],
      ["enam", await copyOf(first)],
    ] as const;
    const writing = await realRegions({ stores, budgetBytes: tight() });
    for (const from of ["enam", "weur"]) await writing.ask(SEARCH, { from });
    const put = { method: "PUT", key: ADMIN_KEY, body: { text: "violin" } };
    const written = await writing.ask(`/v1/indexes/${TINY}/documents/new`, put);
    expect(written).toMatchObject({ status: 202, body: { region: "weur" } });
    const { write } = written.body as { readonly write: string };
    for (const world of [writing, await realRegions({ stores, budgetBytes: tight() })])
      for (const from of ["enam", "weur"]) {
        const rest = `q=violin&mode=sparse&min_write=${write}`;
        const { body } = await world.ask(`/v1/indexes/${TINY}/search?${rest}`, { from });
        expect(body).toMatchObject({ region: from, placement: "objects", partial: false });
        expect((body as SearchAnswer).hits.map(({ id }) => id)).toContain("new");
        expect(body).not.toHaveProperty("warnings");
      }
  });
});

test("while home fails, others answer without waiting for its inbox, and say so", async () => {
  let down = true;
  const home = new FaultStore(await copyOf(first), () => (down ? { fault: "fail before" } : null));
  const world = await realRegions({
    stores: [
      ["weur", home],
      ["enam", first],
    ],
  });
  const unseen = { warnings: [expect.stringContaining("home region")] };
  expect((await world.ask(SEARCH)).body).toMatchObject({ region: "enam", ...unseen });
  expect(home.log.filter((line) => !line.startsWith("get"))).toEqual([]);
  down = false;
  world.clock.now += 10_000;
  await world.ask(SEARCH, { from: "enam" });
  await Promise.all(world.background);
  expect((await world.ask(SEARCH, { from: "enam" })).body).not.toHaveProperty("warnings");
  expect(home.log.filter((line) => line.startsWith("list"))).toHaveLength(1);
});

describe("regions at different versions", () => {
  test("each answer for themselves, and the newest is found where it is asked for", async () => {
    const world = await realRegions({
      stores: [
        ["weur", second],
        ["enam", first],
      ],
    });
    const here = (await world.ask(SEARCH, { from: "enam" })).body as SearchAnswer;
    const home = (await world.ask(SEARCH)).body as SearchAnswer;
    expect([here.region, home.region]).toEqual(["enam", "weur"]);
    expect([here.version[0], home.version[0]]).toEqual(["1", "2"]);
    expect([here.total, home.total]).toEqual([40, 44]);
    expect((await world.ask(`${SEARCH}&min_version=${home.version}`, { from: "enam" })).body).toMatchObject({
      ...{ region: "weur", version: home.version, total: 44 },
      failover: { from: [{ region: "enam", code: "index/behind" }] },
    });
  });

  test("are told by the report, from the nearest on, with what is loaded", async () => {
    const world = await realRegions({
      stores: [
        ["weur", second],
        ["enam", first],
        ["apac", new MemoryStore()],
      ],
    });
    await world.ask(SEARCH, { from: "enam" });
    const { status, body } = await world.ask("/v1/regions", { from: "enam" });
    const { regions, ...rest } = body as RegionsReport;
    expect(status).toBe(200);
    expect(rest).toMatchObject({
      nearest: "enam",
      from: { latitude: 39.04 },
      resident_bytes: world.indexes.residentBytes,
    });
    expect(regions.map(({ region, home, distance_km }) => [region, home, distance_km])).toEqual([
      ["enam", false, 0],
      ["weur", true, 6208],
      ["apac", false, 13085],
    ]);
    const indexes = regions.map((each) => each.indexes[0]!);
    expect(indexes.map(({ behind }) => behind)).toEqual([1, 0, null]);
    expect(indexes.map(({ version }) => version?.[0] ?? null)).toEqual(["1", "2", null]);
    expect(indexes.map(({ age_s }) => age_s)).toEqual([86_400, 86_400, null]);
    expect(indexes.map(({ shards }) => shards.map(({ state }) => state))).toEqual([
      ["loaded", "loaded", "loaded"],
      // What was added is in a shard of its own.
      ["cold", "cold", "cold", "cold"],
      [],
    ]);
    // That there is no such index is an answer too.
    expect(regions.map(({ probe_ms }) => probe_ms)).toEqual([0, 0, 0]);
  });
});

describe("the report", () => {
  test("says of shards in objects what they answered last, and of a region that is down that it is", async () => {
    const down = new FaultStore(await copyOf(first), () => ({ fault: "fail before" }));
    const world = await realRegions({
      stores: [
        ["weur", first],
        ["enam", down],
      ],
      budgetBytes: tight(),
    });
    world.port.failing.set("weur/1", "shard/unavailable");
    world.port.failing.set("weur/2", "shard/overloaded");
    await world.ask(SEARCH);
    const [weur, enam] = ((await world.ask("/v1/regions")).body as RegionsReport).regions;
    expect(weur!.indexes[0]).toMatchObject({ placement: "objects", behind: 0 });
    expect(weur!.indexes[0]!.shards.map(({ state }) => state)).toEqual(["loaded", "unreachable", "cold"]);
    expect(enam).toMatchObject({
      probe_ms: null,
      failing: { code: "store/unavailable", try_in_ms: 1000 },
      indexes: [{ version: null, behind: null, placement: null, shards: [] }],
    });
  });

  test("looks at a pointer once a second, however often it is asked for", async () => {
    const watched = new FaultStore(first);
    const world = await realRegions({ stores: [["weur", watched]] });
    for (let times = 0; times < 20; times++) await world.ask("/v1/regions");
    expect(watched.log).toHaveLength(2);
    world.clock.now += 1000;
    await world.ask("/v1/regions");
    // The manifest is known by its digest.
    expect(watched.log).toHaveLength(3);
  });

  test("is of one index where that is asked, and refuses one that is not the deployment's", async () => {
    const watched = new FaultStore(first);
    const world = await realRegions({ stores: [["weur", watched]], indexes: ["blog", TINY] });
    const { body } = await world.ask(`/v1/regions?index=${TINY}`);
    expect((body as RegionsReport).regions[0]!.indexes.map(({ index }) => index)).toEqual([TINY]);
    const reads = watched.log.length;
    expect(await world.ask("/v1/regions?index=none")).toMatchObject({ status: 404 });
    expect(await world.ask("/v1/regions?indx=tiny")).toMatchObject({
      status: 400,
      body: { error: { field: "indx" } },
    });
    expect(watched.log.length).toBe(reads);
  });
});

describe("warming", () => {
  const warm = (world: Awaited<ReturnType<typeof realRegions>>, body: unknown, from = "weur") =>
    world.ask("/v1/warm", { key: ADMIN_KEY, body, from });

  test("has the nearest region's index in memory, and says what went wrong elsewhere", async () => {
    const down = new FaultStore(await copyOf(first), () => ({ fault: "fail before" }));
    const world = await realRegions({
      stores: [
        ["weur", second],
        ["enam", first],
        ["apac", down],
      ],
    });
    const { status, body } = await warm(world, {}, "enam");
    expect(status).toBe(200);
    const { warmed, failed } = body as WarmAnswer;
    expect(warmed.map(({ index, region, version, shards }) => [index, region, version[0], shards])).toEqual([
      [TINY, "enam", "1", 0],
      [TINY, "weur", "2", 0],
    ]);
    expect(failed).toMatchObject([{ index: TINY, region: "apac", code: "store/unavailable" }]);
    expect(JSON.stringify(failed)).not.toContain("Operation");
    expect([...world.indexes.entries().keys()]).toEqual([`enam/${TINY}`]);
  });

  test("asks every shard object of every region to be ready", async () => {
    const world = await realRegions({
      stores: [
        ["weur", first],
        ["enam", first],
      ],
      budgetBytes: tight(),
    });
    const { warmed } = (await warm(world, { indexes: [TINY] })).body as WarmAnswer;
    expect(warmed.map(({ region, shards }) => [region, shards])).toEqual([
      ["weur", 3],
      ["enam", 3],
    ]);
    const asked = ["enam", "weur"].flatMap((region) => [0, 1, 2].map((shard) => `${region}/${shard} ready`));
    expect(world.port.asked).toEqual(asked);
    world.port.failing.set("enam/1", "shard/unavailable");
    expect((await warm(world, { regions: ["enam"] })).body).toMatchObject({
      warmed: [],
      failed: [{ region: "enam", code: "shard/unavailable" }],
    });
    const report = (await world.ask("/v1/regions", { from: "weur" })).body as RegionsReport;
    // What a shard said that it takes.
    expect(report.regions[0]!.indexes[0]!.shards[0]).toMatchObject({
      state: "loaded",
      bytes: expect.any(Number),
    });
    expect(report.regions[0]!.indexes[0]!.shards[0]!.bytes).toBeLessThan(2000);
  });

  test.each([
    [{ regions: ["oc"] }, "regions"],
    [{ regions: [] }, "regions"],
    [{ regions: "weur" }, "regions"],
    [{ regions: [7] }, "regions"],
    [{ indexes: ["NOT A NAME"] }, "index"],
    [{ indexes: Array.from({ length: 17 }, (_, at) => `a${at}`) }, "indexes"],
    [{ region: ["weur"] }, "body"],
    [[], "body"],
    ["all", "body"],
    [null, "body"],
  ])("refuses %j, and reads nothing", async (body, field) => {
    const watched = new FaultStore(first);
    const world = await realRegions({ stores: [["weur", watched]] });
    expect(await warm(world, body)).toMatchObject({
      status: 400,
      body: { error: { code: "request/invalid", field } },
    });
    expect(watched.log).toEqual([]);
  });

  test("needs the key", async () => {
    const watched = new FaultStore(first);
    const world = await realRegions({ stores: [["weur", watched]] });
    expect((await world.ask("/v1/warm", { body: {} })).status).toBe(401);
    expect((await world.ask("/v1/warm", { body: {}, key: "x".repeat(20) })).status).toBe(401);
    expect(watched.log).toEqual([]);
  });
});

describe("a scheduled check of several regions", () => {
  const HOUR = 3_600_000;

  /** Checks at this time, what was promised in seconds. */
  async function look(stores: readonly (readonly [string, MemoryStore])[], now: number, maxAge?: number) {
    const regions = stores.map(([name, store], at) => ({ name, home: at === 0, store }));
    const checks = new Map<string, CheckResult>();
    const lines: Record<string, unknown>[] = [];
    const ports = { regions, checks, webhook: null, now: () => now };
    const promised = new Map(maxAge === undefined ? [] : [[TINY, maxAge]]);
    await watch({ ...ports, maxAge: promised, log: (line) => lines.push(JSON.parse(line)) }, [TINY]);
    return { lines, health: healthOf(checks.values(), new Map(), now) };
  }

  test("says of each whether it is whole, and how far behind", async () => {
    const { lines, health } = await look(
      [
        ["weur", second],
        ["enam", first],
        ["apac", new MemoryStore()],
      ],
      CREATED + HOUR,
    );
    expect(lines).toMatchObject([
      { level: "info", region: "weur", behind: 0, problem: null },
      { level: "info", region: "enam", behind: 1, problem: null },
      { level: "alarm", region: "apac", behind: null, problem: expect.stringMatching(/^index\/not-found/) },
    ]);
    expect(health).toMatchObject({
      status: "failing",
      checks: [{ behind: 0 }, { behind: 1 }, { behind: null }],
    });
  });

  test("counts a version's age alike in all that have it, though only home knows of the runs that found nothing new", async () => {
    const home = await copyOf(first);
    const mark = { format: 1, version: "1-00000000", origin: "nightly", max_age: HOUR } as const;
    await home.put(runMarkKey(TINY), await serializeRunMark(mark));
    const { modified } = (await home.head(runMarkKey(TINY)))!;
    const { health } = await look(
      [
        ["weur", home],
        ["enam", first],
      ],
      modified + 60_000,
    );
    expect(health).toMatchObject({
      status: "ok",
      checks: [
        { region: "weur", age_s: 60 },
        { region: "enam", age_s: 60 },
      ],
    });
  });

  test("raises an alarm for one that has been behind for longer than is promised", async () => {
    const stores = [
      ["weur", second],
      ["enam", first],
    ] as const;
    // A pointer's time is the store's, which is that of this machine.
    const { modified } = (await second.head(`indexes/${TINY}/current.json`))!;
    const soon = await look(stores, modified + HOUR, 1e9);
    expect(soon.lines.map(({ level }) => level)).toEqual(["info", "info"]);
    const late = await look(stores, modified + 1e12 + 1000, 1e9);
    expect(late.lines).toMatchObject([
      { level: "alarm", region: "weur", message: expect.stringContaining("was last as its source") },
      { level: "alarm", region: "enam", message: expect.stringContaining("is one version of tiny behind") },
    ]);
  });
});
