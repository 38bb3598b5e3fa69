import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SPAN_PLAN, type SpanPlan, spansOf, usableSentences } from "../../../indexer/fit/spans.ts";

/** `count` sentences of `words` different words each. */
function textOf(count: number, words: number): string {
  const sentence = (n: number) =>
    `S${n} ${Array.from({ length: words - 1 }, (_, w) => `w${n}x${w}`).join(" ")}.`;
  return Array.from({ length: count }, (_, n) => sentence(n)).join(" ");
}

const wordsOf = (text: string) => text.split(/\s+/u).length;
const SHORT_ONLY: SpanPlan = { ...SPAN_PLAN, long: 0 };

describe("spans", () => {
  it("are the same for the same seed and others for another one", () => {
    const text = textOf(10, 20);
    const counts = { documents: 1, sentences: 10 };
    const first = spansOf("A title", text, 5, counts, SPAN_PLAN);
    expect(spansOf("A title", text, 5, counts, SPAN_PLAN)).toEqual(first);
    expect(spansOf("A title", text, 6, counts, SPAN_PLAN)).not.toEqual(first);
  });

  it("are exact pieces of the text that begin and end with whole words, or the title", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("a", "É", "北", " ", "\n", ".", "!", "\t"), maxLength: 400 }),
        fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        (text, seed) => {
          const counts = { documents: 1, sentences: Math.max(1, usableSentences(text).length) };
          for (const span of spansOf("the title", text, seed, counts, SPAN_PLAN)) {
            if (span === "the title") continue;
            expect(` ${text} `.replaceAll(/\s/gu, " ")).toContain(` ${span.replaceAll(/\s/gu, " ")} `);
            expect(text).toContain(span);
            expect(span).toBe(span.trim());
          }
        },
      ),
    );
  });

  it("inside a sentence have 2 to 24 words, and those across sentences 25 to 60", () => {
    const text = textOf(40, 30);
    const spans = spansOf("", text, 1, { documents: 1, sentences: 40 }, SPAN_PLAN);
    const lengths = spans.map(wordsOf);
    expect(lengths.slice(0, 160).every((length) => length >= 2 && length <= 24)).toBe(true);
    expect(lengths.slice(160).every((length) => length >= 25 && length <= 60)).toBe(true);
    expect(spans.length).toBe(160 + 3);
    for (const span of spans.slice(0, 160)) expect(span).not.toMatch(/\.\s/u);
  });

  it("number four a sentence and three a document in a small collection, and a title once", () => {
    const spans = spansOf("Two words", textOf(5, 10), 3, { documents: 1, sentences: 5 }, SPAN_PLAN);
    expect(spans.length).toBe(5 * 4 + 3 + 1);
    expect(spans.at(-1)).toBe("Two words");
  });

  it("may begin with the first word of a sentence and end with its last", () => {
    const text = textOf(1, 6);
    const spans = Array.from({ length: 200 }, (_, seed) =>
      spansOf("", text, seed, { documents: 1, sentences: 1 }, SHORT_ONLY),
    )
      .flat()
      .filter((span) => span !== text);
    expect(spans.some((span) => text.startsWith(span))).toBe(true);
    expect(spans.some((span) => text.endsWith(span))).toBe(true);
  });

  it("are thinned out in a large collection, on average to the number wanted", () => {
    const plan = { ...SHORT_ONLY, short: 50_000 };
    const text = textOf(4, 10);
    let total = 0;
    for (let seed = 0; seed < 2000; seed++)
      total += spansOf("", text, seed, { documents: 25_000, sentences: 100_000 }, plan).length;
    // Half a span a sentence: 4000 of 8000, with a standard deviation of 45.
    expect(Math.abs(total - 4000)).toBeLessThan(250);
  });

  it("leave out titles of one word, sentences of two words and documents too short for a long one", () => {
    expect(spansOf("Title", "Two words. And two.", 1, { documents: 1, sentences: 1 }, SPAN_PLAN)).toEqual([]);
    expect(usableSentences("Two words. Now three words.").length).toBe(1);
    expect(spansOf("", "", 1, { documents: 0, sentences: 0 }, SPAN_PLAN)).toEqual([]);
  });
});
