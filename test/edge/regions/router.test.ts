import { describe, expect, test } from "vitest";
import type { ErrorCode } from "../../../shared/errors.ts";
import { manyRegions } from "../../helpers/many-regions.ts";
import { FAILURES, fakesOf, lists, NAMES } from "./fakes.ts";

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
