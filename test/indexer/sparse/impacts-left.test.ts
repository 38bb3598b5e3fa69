import { describe, expect, it } from "vitest";
import { impactsLeft } from "../../../indexer/sparse/impacts-left.ts";
import { bagOf, impactsOf } from "../../../shared/segment/impacts.ts";

describe("what is left of a document", () => {
  const statistics = { documents: 10, meanLength: 4, idf: new Float64Array(10).fill(1) };
  const sparse = (entries: readonly (readonly [number, number])[]) => ({
    ids: Uint32Array.from(entries, ([id]) => id),
    values: Float32Array.from(entries, ([, value]) => value),
  });

  it("has lost the tokens of the cut, one for one", () => {
    const bag = bagOf([1, 2, 2, 3, 4]);
    expect(impactsLeft({ bag, learned: null }, [2, 3, 9], null, statistics)).toEqual(
      impactsOf(
        { ids: Uint32Array.of(1, 2, 4), counts: Uint32Array.of(1, 1, 1), length: 2 },
        null,
        statistics,
      ),
    );
  });

  it("keeps learned impacts of tokens that still occur, and has those of the rest for others", () => {
    const whole = {
      bag: bagOf([1, 2, 3]),
      learned: sparse([
        [1, 2],
        [2, 3],
        [7, 1],
      ]),
    };
    const left = impactsLeft(
      whole,
      [2],
      sparse([
        [1, 0.5],
        [2, 0.25],
        [8, 1.5],
      ]),
      statistics,
    );
    const wanted = impactsOf(
      { ...bagOf([1, 3]), length: 2 },
      sparse([
        [1, 2],
        [2, 0.25],
        [8, 1.5],
      ]),
      statistics,
    );
    expect(left).toEqual(wanted);
  });
});
