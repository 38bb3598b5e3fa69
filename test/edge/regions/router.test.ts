import { describe, expect, test } from "vitest";
import type { ErrorCode } from "../../../shared/errors.ts";
import type { RegionName } from "../../../shared/regions/region.ts";
import { type FakeRegion, manyRegions } from "../../helpers/many-regions.ts";

/** From Amsterdam, in their order of distance. */
const NAMES = ["weur", "enam", "apac"] as const satisfies readonly RegionName[];
const fakesOf = (regions: readonly FakeRegion[]) =>
  Object.fromEntries(regions.map((region, at) => [NAMES[at]!, region]));
/** All lists of this many of these values. */
function* lists<T>(length: number, values: readonly T[]): Generator<readonly T[]> {
  if (length === 0) yield [];
  else for (const rest of lists(length - 1, values)) for (const value of values) yield [...rest, value];
}

describe("where all is well", () => {
  test("the nearest region answers, and says so", async () => {
    const { search, asked, log } = manyRegions(fakesOf([{ seq: 7 }, { seq: 7 }, { seq: 7 }]));
    for (const name of NAMES) {
      const { status, headers, body } = await search("", name);
      expect(status).toBe(200);
      expect(headers.get("x-lightedge-region")).toBe(name);
      expect(body).toMatchObject({
        region: name,
        version: "7-00000007",
        age_s: 86_400,
        placement: "isolate",
      });
      expect(body).not.toHaveProperty("failover");
      expect(body).not.toHaveProperty("stale_s");
    }
    expect(asked).toEqual(NAMES.flatMap((name) => [`${name} pointer`, `${name} load`, `${name} search`]));
    expect(log).toEqual([]);
  });
});

/** Ways in which a region may fail a request. */
const FAILURES: readonly Omit<FakeRegion, "seq">[] = [
  { pointer: "store/unavailable" },
  { pointer: "format/invalid" },
  { load: "blob/missing" },
  { load: "blob/corrupt" },
  { load: "binding/mismatch" },
  { search: "store/unavailable" },
  { search: "shard/unavailable" },
  { search: "shard/overloaded" },
];

test("a place that is none is refused before any region is asked", async () => {
  const { search, asked } = manyRegions(fakesOf([{ seq: 1 }]));
  const { status, body } = await search("", "atlantis");
  expect([status, body.error]).toMatchObject([400, { code: "request/invalid", field: "x-lightedge-from" }]);
  expect(asked).toEqual([]);
});

describe("where regions fail", () => {
  for (const length of [1, 2, 3])
    for (const down of lists(length, [false, true]))
      test(`the nearest that does not answers: ${down.map((is) => (is ? "down" : "up")).join(", ")}`, async () => {
        for (const failure of FAILURES) {
          const { search, asked } = manyRegions(
            fakesOf(down.map((is, at) => ({ seq: 5 + at, ...(is ? failure : {}) }))),
          );
          const code = Object.values(failure)[0] as ErrorCode;
          const first = down.indexOf(false);
          const { status, body } = await search();
          if (first < 0) {
            expect(status).toBe(503);
            expect(body.error?.code).toBe(code);
            expect(new Set(asked.map((each) => each.split(" ")[0])).size).toBe(length);
            continue;
          }
          expect(status).toBe(200);
          expect(body).toMatchObject({
            region: NAMES[first],
            version: expect.stringMatching(`^${5 + first}-`),
          });
          expect(body.hits?.map(({ id }) => id)).toEqual([`${NAMES[first]}/${5 + first}`]);
          const from = NAMES.slice(0, first).map((region) => ({ region, code }));
          expect(body.failover).toEqual(first === 0 ? undefined : { from });
        }
      });

  test("the nearest is asked once more before, where the failure may be gone by then", async () => {
    const fakes = fakesOf([{ seq: 1, pointer: "store/unavailable" }, { seq: 1 }]);
    const { search, asked } = manyRegions(fakes);
    await search();
    expect(asked.filter((each) => each === "weur pointer")).toHaveLength(2);
  });

  test("what failed is a line of the log, though the caller is answered", async () => {
    const { search, log } = manyRegions(fakesOf([{ seq: 1, load: "blob/missing" }, { seq: 1 }]));
    expect((await search()).status).toBe(200);
    expect(log.map((line): unknown => JSON.parse(line))).toEqual([
      expect.objectContaining({ level: "warn", region: "weur", index: "docs", code: "blob/missing" }),
    ]);
  });

  test.each(["request/invalid", "index/too-large", "internal"] as const)(
    "no other is asked for %s",
    async (code) => {
      const { search, asked } = manyRegions(fakesOf([{ seq: 1, search: code }, { seq: 1 }]));
      expect((await search()).body.error?.code).toBe(code);
      expect(asked.filter((each) => each.startsWith("enam"))).toEqual([]);
    },
  );

  test("a document and a description come from the next as well", async () => {
    const { fetch } = manyRegions(fakesOf([{ seq: 1, pointer: "store/unavailable" }, { seq: 1 }]));
    const failover = { from: [{ region: "weur", code: "store/unavailable" }] };
    const from = { "x-lightedge-from": "weur" };
    const document = await fetch("/v1/indexes/docs/documents/enam%2F1", from);
    expect(await document.json()).toMatchObject({ id: "enam/1", region: "enam", failover });
    const description = await fetch("/v1/indexes/docs", from);
    expect(await description.json()).toMatchObject({ index: "docs", region: "enam", failover, shards: 0 });
  });
});

describe("a region that has failed", () => {
  test("is left alone for a while, then tried by one request, and taken again when it answers", async () => {
    const fakes = fakesOf([{ seq: 1, pointer: "store/unavailable" }, { seq: 1 }]);
    const { search, asked, time } = manyRegions(fakes);
    const toHome = () => asked.filter((each) => each.startsWith("weur")).length;
    await search();
    const before = toHome();
    for (let at = 0; at < 5; at++)
      expect((await search()).body.failover).toEqual({
        from: [{ region: "weur", code: "store/unavailable" }],
      });
    expect(toHome()).toBe(before);
    await time.pass(1000);
    expect((await search()).body.region).toBe("enam");
    expect(toHome()).toBeGreaterThan(before);
    const after = toHome();
    await time.pass(1999);
    expect((await search()).body.region).toBe("enam");
    expect(toHome()).toBe(after);
    delete fakes.weur!.pointer;
    await time.pass(1);
    expect((await search()).body.region).toBe("weur");
    expect((await search()).body).not.toHaveProperty("failover");
  });

  test("is asked all the same where no other answers", async () => {
    const fakes = fakesOf([
      { seq: 1, pointer: "store/unavailable" },
      { seq: 1, pointer: "store/unavailable" },
    ]);
    const { search } = manyRegions(fakes);
    expect((await search()).status).toBe(503);
    delete fakes.weur!.pointer;
    const { status, body } = await search();
    expect([status, body.region]).toEqual([200, "weur"]);
  });

  test("because it has more to do than it takes is asked by the next request all the same", async () => {
    const fakes = fakesOf([{ seq: 1, search: "shard/overloaded" }, { seq: 1 }]);
    const { search, circuits } = manyRegions(fakes);
    expect((await search()).body).toMatchObject({
      region: "enam",
      failover: { from: [{ region: "weur", code: "shard/overloaded" }] },
    });
    expect([circuits.state("weur"), circuits.state("weur/docs")]).toEqual([null, null]);
    delete fakes.weur!.search;
    expect((await search()).body.region).toBe("weur");
  });

  test("in one index is taken again when that answers", async () => {
    const fakes = fakesOf([{ seq: 1, load: "blob/corrupt" }, { seq: 1 }]);
    const { search, time, circuits } = manyRegions(fakes);
    await search();
    delete fakes.weur!.load;
    await time.pass(1000);
    expect((await search()).body.region).toBe("weur");
    expect(circuits.state("weur/docs")).toBeNull();
  });

  test("in one index goes on answering for others", async () => {
    const { search, circuits } = manyRegions(fakesOf([{ seq: 1, load: "blob/corrupt" }, { seq: 1 }]));
    await search();
    expect(circuits.state("weur")).toBeNull();
    expect(circuits.state("weur/docs")).toMatchObject({ code: "blob/corrupt" });
  });
});

describe("where shards do not answer", () => {
  test("a region with all answers, else the one that lacks least; strict refuses that", async () => {
    for (const missing of lists(3, [[], [0], [1], [0, 1]])) {
      const fakes = () => fakesOf(missing.map((own) => ({ seq: 3, missing: own })));
      const least = Math.min(...missing.map((own) => own.length));
      const best = missing.findIndex((own) => own.length === least);
      const { status, body } = await manyRegions(fakes()).search();
      expect(status).toBe(200);
      expect(body).toMatchObject({ region: NAMES[best], partial: least > 0 });
      expect(body.missing_shards).toEqual(least > 0 ? missing[best] : undefined);
      // In words too, for people.
      expect(body.warnings?.length ?? 0).toBe(least > 0 ? 1 : 0);
      const strict = await manyRegions(fakes()).search("&strict=true");
      expect(strict.status).toBe(least > 0 ? 503 : 200);
      if (least === 0) expect(strict.body).toMatchObject({ region: NAMES[best], partial: false });
      else {
        expect(strict.body.error).toMatchObject({ code: "index/partial" });
        expect(strict.headers.get("retry-after")).toBe("1");
      }
    }
  });

  test("a part from one region is preferred to nothing from the others", async () => {
    const { search } = manyRegions(
      fakesOf([
        { seq: 1, pointer: "store/unavailable" },
        { seq: 1, missing: [2] },
      ]),
    );
    expect((await search()).body).toMatchObject({
      ...{ region: "enam", partial: true, missing_shards: [2] },
      failover: { from: [{ region: "weur", code: "store/unavailable" }] },
    });
  });
});

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

describe("the deadline", () => {
  test("leaves time for the next region where one says nothing", async () => {
    const { search, time } = manyRegions(fakesOf([{ seq: 1, search: "never" }, { seq: 1 }]));
    const { body } = await search();
    expect(body).toMatchObject({
      region: "enam",
      failover: { from: [{ region: "weur", code: "shard/unavailable" }] },
    });
    expect(time.now).toBe(2000);
    expect((await search()).body.region).toBe("enam");
    expect(time.now).toBe(2000);
  });

  test("ends a request that nobody answers, with a time to come again", async () => {
    const { search, time } = manyRegions(
      fakesOf([
        { seq: 1, search: "never" },
        { seq: 1, search: "never" },
        { seq: 1, search: "never" },
      ]),
    );
    const { status, headers } = await search();
    expect([status, headers.get("retry-after")]).toEqual([503, "1"]);
    expect(time.now).toBe(4000);
  });

  test("ends a request while a load goes on, which says nothing against the region", async () => {
    const { search, time, circuits } = manyRegions(fakesOf([{ seq: 1, loadMs: 5000 }, { seq: 1 }]));
    expect((await search()).status).toBe(503);
    expect(circuits.state("weur")).toBeNull();
    await time.pass(1000);
    expect((await search()).body).toMatchObject({ region: "weur" });
    expect(time.now).toBe(5000);
  });

  test("with a part in hand gives that", async () => {
    const { search } = manyRegions(
      fakesOf([
        { seq: 1, missing: [0] },
        { seq: 1, search: "never" },
      ]),
    );
    expect((await search()).body).toMatchObject({ region: "weur", partial: true });
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
