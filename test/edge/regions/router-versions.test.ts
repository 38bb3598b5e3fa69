/** Which versions the router gives, where regions differ in them, cannot prove theirs or do not see writes. */
import { describe, expect, test } from "vitest";
import { type FakeRegion, manyRegions } from "../../helpers/many-regions.ts";
import { FAILURES, fakesOf, NAMES } from "./fakes.ts";

describe("versions", () => {
  test("that one region has and the nearest has not yet are found there", async () => {
    const { search } = manyRegions(fakesOf([{ seq: 4 }, { seq: 6 }, { seq: 5 }]));
    expect((await search("&min_version=5")).body).toMatchObject({
      ...{ region: "enam", version: "6-00000006" },
      failover: { from: [{ region: "weur", code: "index/behind" }] },
    });
    expect((await search("&min_version=6", "apac")).body).toMatchObject({ region: "enam" });
    const { status, headers, body } = await search("&min_version=7");
    expect([status, body.error?.code, headers.get("retry-after")]).toEqual([503, "index/behind", "1"]);
    // A region that is behind is not a region that fails.
    expect((await search()).body).toMatchObject({ region: "weur", version: "4-00000004" });
  });

  test("that were replaced and collected while they were loaded give way to the newest, unseen by who asks", async () => {
    const fakes = fakesOf([{ seq: 1 }, { seq: 1 }]);
    const { search } = manyRegions(fakes);
    await search();
    Object.assign(fakes.weur!, { seq: 2, gone: 1 });
    const { body } = await search();
    expect(body).toMatchObject({ region: "weur", version: "2-00000002" });
    expect(body).not.toHaveProperty("failover");
  });

  test("that are too old say more than that another region is down", async () => {
    const { search } = manyRegions(fakesOf([{ seq: 1, pointer: "store/unavailable" }, { seq: 1 }]));
    expect((await search("&min_version=2")).body.error?.code).toBe("index/behind");
  });

  test("are never mixed, whatever fails while they change", async () => {
    let seed = 11;
    const draw = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return Math.floor((seed / 2 ** 31) * below);
    };
    const fakes = fakesOf([{ seq: 1 }, { seq: 1 }, { seq: 1 }]) as Record<string, FakeRegion>;
    const { search, time } = manyRegions(fakes, { pointerMaxAgeMs: 500, deadlineMs: 4000 });
    let answered = 0;
    for (let step = 0; step < 400; step++) {
      const fake = fakes[NAMES[draw(3)]!]!;
      for (const field of ["pointer", "load", "search"] as const) delete fake[field];
      if (draw(3) === 0) fake.seq = fake.seq! + 1;
      else Object.assign(fake, draw(2) === 0 ? FAILURES[draw(FAILURES.length)] : {});
      await time.pass(draw(900));
      const { status, body } = await search("", NAMES[draw(3)]!);
      if (status !== 200) continue;
      answered++;
      const [region, seq] = body.hits![0]!.id.split("/");
      expect(body).toMatchObject({ region, version: expect.stringMatching(`^${seq}-`) });
      // What stands in the list of those passed by is never the region that answered.
      expect(body.failover?.from.map((each) => each.region) ?? []).not.toContain(region);
    }
    expect(answered).toBeGreaterThan(300);
  });
});

describe("an index that", () => {
  test("a replica does not have yet comes from home", async () => {
    const { search, asked } = manyRegions(fakesOf([{ seq: 2 }, { seq: null }, { seq: null }]));
    expect((await search("", "apac")).body).toMatchObject({
      region: "weur",
      failover: { from: [{ region: "apac", code: "index/not-found" }] },
    });
    expect(asked.filter((each) => each.startsWith("enam"))).toEqual([]);
  });

  test("a replica does not have yet comes from home first, though others are nearer", async () => {
    const world = manyRegions({ enam: { seq: 2 }, weur: { seq: 2 }, apac: { seq: null } });
    expect((await world.search("", "apac")).body.region).toBe("enam");
    expect(world.asked.filter((each) => each.startsWith("weur"))).toEqual([]);
  });

  test("nobody has is 404 after two looks at most", async () => {
    const { search, asked } = manyRegions(fakesOf([{ seq: null }, { seq: null }, { seq: null }]));
    const { status, body } = await search("", "apac");
    expect([status, body.error?.code]).toEqual([404, "index/not-found"]);
    expect(asked).toEqual(["apac pointer", "weur pointer"]);
  });

  test("home cannot tell of, and replicas do not have, is a failure of ours", async () => {
    const { search } = manyRegions(fakesOf([{ seq: 1, pointer: "store/unavailable" }, { seq: null }]));
    expect((await search("", "enam")).body.error?.code).toBe("store/unavailable");
  });
});

describe("a version that cannot be proven", () => {
  test("is served with its staleness for as long as is allowed, then the next region answers", async () => {
    const fakes = fakesOf([{ seq: 1 }, { seq: 2 }]);
    const { search, time } = manyRegions(fakes, { maxStaleMs: 600_000 });
    await search();
    fakes.weur!.pointer = "store/unavailable";
    await time.pass(120_000);
    const stale = await search();
    expect(stale.body).toMatchObject({ region: "weur", version: "1-00000001", stale_s: 120 });
    expect(stale.body.warnings).toEqual([expect.stringContaining("for 120 s")]);
    expect(stale.body).not.toHaveProperty("failover");
    await time.pass(479_999);
    expect((await search()).body).toMatchObject({ region: "weur", stale_s: 599 });
    await time.pass(1);
    expect((await search()).body).toMatchObject({ region: "enam", version: "2-00000002" });
  });

  test("is 503 where there is no other region, until the pointer is read again", async () => {
    const fakes = fakesOf([{ seq: 1 }]);
    const { search, time } = manyRegions(fakes, { maxStaleMs: 600_000 });
    await search();
    fakes.weur!.pointer = "store/unavailable";
    await time.pass(600_000);
    const { status, headers, body } = await search();
    expect([status, body.error?.code, headers.get("retry-after")]).toEqual([503, "store/unavailable", "1"]);
    delete fakes.weur!.pointer;
    expect((await search()).body).toMatchObject({ region: "weur", version: "1-00000001" });
    expect((await search()).body).not.toHaveProperty("stale_s");
  });
});

describe("writes that wait at home", () => {
  test("are never known where nobody looks for them, however long ago they were", async () => {
    const write = "1000000000000-0000000000000001";
    for (const [readsInbox, status] of [
      [true, 200],
      [false, 503],
    ] as const) {
      const { search } = manyRegions(fakesOf([{ seq: 1 }]), { readsInbox });
      expect((await search(`&min_write=${write}`)).status).toBe(status);
    }
  });

  test("are said to be unseen where home cannot be asked, and what must know of one is refused", async () => {
    const fakes = fakesOf([
      { seq: 1, pointer: "store/unavailable" },
      { seq: 1, blind: true },
    ]);
    const { search } = manyRegions(fakes, { readsInbox: true });
    const { body } = await search("", "enam");
    expect(body).toMatchObject({ region: "enam", warnings: [expect.stringContaining("home region")] });
    const write = "1769947200000-0000000000000001";
    expect((await search(`&min_write=${write}`, "enam")).body.error?.code).toBe("index/behind");
  });
});
