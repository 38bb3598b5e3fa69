/** What the router makes of shards and regions that do not answer, before the deadline and at it. */
import { describe, expect, test } from "vitest";
import { SHARD_LIMITS } from "../../../shared/limits.ts";
import { manyRegions } from "../../helpers/many-regions.ts";
import { fakesOf, lists, NAMES } from "./fakes.ts";

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

  test("leaves time to say what a region's other shards found where one of them is silent", async () => {
    const silent = { seq: 1, missing: [1], silent: true };
    const alone = manyRegions(fakesOf([silent]));
    expect((await alone.search()).body).toMatchObject({ partial: true, missing_shards: [1] });
    expect(alone.time.now).toBe(3000);
    // Of two regions the first has half of the time, and the second what is left.
    const two = manyRegions(fakesOf([silent, silent]));
    expect((await two.search()).body).toMatchObject({ region: "weur", missing_shards: [1] });
    expect(two.time.now).toBe(1500 + 2500 * (3 / 4));
    const long = manyRegions(fakesOf([silent]), { deadlineMs: 60_000 });
    expect((await long.search()).body).toMatchObject({ partial: true });
    expect(long.time.now).toBe(SHARD_LIMITS.patienceMs);
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
