import { describe, expect, it } from "vitest";
import { shuffled } from "../../../../indexer/evaluate/robustness/shuffle.ts";
import { WORDINGS } from "../../../../indexer/evaluate/robustness/wording.ts";
import { Random } from "../../../../indexer/random.ts";
import { applied } from "./changes.ts";

const worded = (name: string, text: string, seed?: number) => applied(WORDINGS[name], text, seed);

describe("a query in other words", () => {
  it("loses its stop words, unless that leaves nothing or changes nothing", () => {
    expect(worded("stop words dropped", "who was the king of Spain")).toBe("king Spain");
    expect(worded("stop words dropped", "who was that")).toBeNull();
    expect(worded("stop words dropped", "king Spain")).toBeNull();
  });

  it("has two neighbours swapped that differ, and all its words still", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const changed = String(worded("two neighbours swapped", "a a b c", seed));
      expect(changed).not.toBe("a a b c");
      expect(changed.split(" ").sort()).toEqual(["a", "a", "b", "c"]);
    }
    expect(worded("two neighbours swapped", "a a a")).toBeNull();
  });

  it("is asked politely, and with a question mark where it has none", () => {
    expect(worded("please tell me about", "tides")).toBe("please tell me about tides");
    expect(worded("question mark", "tides")).toBe("tides?");
    expect(worded("question mark", "tides?")).toBeNull();
  });
});

describe("shuffled words", () => {
  it("are the same words in another order, or none", () => {
    const text = "who won the last world cup";
    const changed = shuffled(text, new Random(1))!;
    expect(changed).not.toBe(text);
    expect(changed.split(" ").sort()).toEqual(text.split(" ").sort());
    expect(shuffled("tides", new Random(1))).toBeNull();
  });
});
