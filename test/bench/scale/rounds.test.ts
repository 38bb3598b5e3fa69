import { describe, expect, it } from "vitest";
import { timeRounds } from "../../../bench/scale/rounds.ts";

describe("rounds", () => {
  it("let every contender begin in turn, the first round not counted", () => {
    const order: string[] = [];
    const note = (name: string) => () => order.push(name);
    timeRounds({ a: note("a"), b: note("b") }, [0], 3);
    expect(order.join("")).toBe("baabbaab");
  });

  it("give the mean of each item's median, so that one slow round does not count, and the spread of all", () => {
    let clock = 0;
    let round = -1;
    const costs = [
      [1, 3],
      [1, 100],
      [2, 3],
    ];
    const work = (item: number) => {
      if (item === 0) round++;
      clock += round === 0 ? 500 : costs[round - 1]![item]!;
    };
    expect(timeRounds({ a: work }, [0, 1], 3, () => clock)).toEqual({
      a: { median: 2, least: 2, greatest: 50.5 },
    });
  });
});
