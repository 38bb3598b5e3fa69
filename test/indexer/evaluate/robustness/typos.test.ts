import { describe, expect, it } from "vitest";
import { withTypos } from "../../../../indexer/evaluate/robustness/typos.ts";
import { TYPO_KINDS } from "../../../../indexer/evaluate/typos.ts";
import { Random } from "../../../../indexer/random.ts";

describe("so many typos", () => {
  it.each(TYPO_KINDS)(
    "of the kind %s never give the text back, not even where the second undoes the first",
    (kind) => {
      for (let seed = 1; seed <= 200; seed++) {
        // One word of four letters: two swaps often meet.
        expect(withTypos("tide", kind, 2, new Random(seed))).not.toBe("tide");
      }
    },
  );

  it("change the length by as many letters", () => {
    expect(withTypos("harbour bridge", "drop", 2, new Random(3))!.length).toBe("harbour bridge".length - 2);
    expect(withTypos("harbour bridge", "insert", 1, new Random(3))!.length).toBe("harbour bridge".length + 1);
  });

  it("are none where no word can have one", () => {
    expect(withTypos("who is it", "swap", 1, new Random(1))).toBeNull();
  });
});
