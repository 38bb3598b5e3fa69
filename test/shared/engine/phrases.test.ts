import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NO_PHRASES, phrasesOf } from "../../../shared/engine/phrases.ts";

/** Token ids, those next to the greatest 32-bit number among them. */
const ids = fc.oneof(fc.nat(5), fc.constantFrom(0, 30_521, 0xfffffffe, 0xffffffff));

describe("the pairs of a table", () => {
  it("are found where a plain list of them has them, and nowhere else", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(ids, ids), { maxLength: 40 }), ids, ids, (drawn, first, second) => {
        const pairs = [...new Map(drawn.map((pair) => [`${pair}`, pair])).values()];
        pairs.sort(([a, b], [c, d]) => a - c || b - d);
        const phrases = phrasesOf(Uint32Array.from(pairs.flat()));
        expect(phrases.count).toBe(pairs.length);
        for (const [a, b] of [...pairs, [first, second] as const])
          expect(phrases.find(a, b)).toBe(pairs.findIndex(([x, y]) => x === a && y === b));
      }),
    );
  });

  it("may be none", () => {
    expect(NO_PHRASES.count).toBe(0);
    expect(NO_PHRASES.find(0, 0)).toBe(-1);
  });
});
