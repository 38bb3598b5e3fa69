/** The numbers of a soak: counted over a stretch of time, and added up over all of them. */
import { describe, expect, it } from "vitest";
import { Tally, total } from "../../../bench/soak/tally.ts";

function stretchOf(wrong: readonly string[], staleS: number) {
  const tally = new Tally();
  tally.add("requests", 3);
  tally.answered("right", "weur", "1-a", 0);
  tally.answered("partial", "enam", "1-a", staleS);
  for (const what of wrong) tally.wrong(what);
  tally.error("store/unavailable");
  tally.took(5);
  tally.took(9);
  return { tally, stretch: tally.end(10, 10) };
}

describe("a stretch", () => {
  it("has what was counted since the one before, and nothing of that", () => {
    const { tally, stretch } = stretchOf(["a"], 2);
    expect(stretch).toMatchObject({
      ...{ requests: 3, right: 1, partial: 1, wrong: 1, stale: 1, stalest_s: 2, versions: 1, p99_ms: 9 },
      ...{ regions: { weur: 1, enam: 1 }, errors: { "store/unavailable": 1 }, examples: ["a"] },
    });
    expect(tally.end(20, 10)).toMatchObject({ requests: 0, right: 0, wrong: 0, errors: {}, examples: [] });
  });
});

describe("all stretches", () => {
  it("add up, with the worst of what does not add", () => {
    const all = total([stretchOf(["a"], 2).stretch, stretchOf(["b", "c"], 7).stretch]);
    expect(all).toMatchObject({
      ...{ seconds: 20, requests: 6, right: 2, partial: 2, wrong: 3, stale: 2, stalest_s: 7 },
      ...{ regions: { weur: 2, enam: 2 }, errors: { "store/unavailable": 2 }, examples: ["a", "b", "c"] },
    });
  });
});
