import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { QueryWord } from "../../../shared/engine/query-words.ts";
import { makeSnippet } from "../../../shared/engine/snippet.ts";
import { fold, wordsOf } from "../../../shared/engine/words.ts";

const LENGTH = 240;

/** Words of a query with their weights. */
function query(weights: Readonly<Record<string, number>>): readonly QueryWord[] {
  return Object.entries(weights).map(([text, weight]) => ({
    text,
    start: 0,
    end: text.length,
    folded: fold(text),
    tokens: [],
    rows: [],
    weight,
  }));
}

function snippetOf(text: string, weights: Readonly<Record<string, number>>) {
  return makeSnippet(text, 0, text.length, query(weights));
}

/** The marked words of a snippet. */
function marked({ text, marks }: ReturnType<typeof makeSnippet>): readonly string[] {
  return marks.map(([start, end]) => text.slice(start, end));
}

/** Every place at which a stretch occurs. */
function places(text: string, part: string): readonly number[] {
  const found: number[] = [];
  for (let at = text.indexOf(part); at >= 0 && at < text.length; at = text.indexOf(part, at + 1))
    found.push(at);
  return found.length > 0 ? found : [0];
}

const filler = (words: number) =>
  Array.from({ length: words }, (_, at) => `filler${String.fromCharCode(97 + (at % 26))}`).join(" ");

describe("any snippet", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "genome",
      "Genomes",
      "the",
      "a.",
      " ",
      "\n",
      "。",
      "北京大学",
      "🧬",
      "👩‍🔬",
      "é",
      "e\u0301",
    ),
    fc.constantFrom("x".repeat(300), "🧬".repeat(130), "-".repeat(250), " ".repeat(260), "ﬁ", "İ", "ß"),
    fc.string({ unit: "grapheme", maxLength: 30 }),
    fc.string({ unit: "binary", maxLength: 30 }).map((text) => text.toWellFormed()),
  );
  const text = fc.array(piece, { maxLength: 25 }).map((pieces) => pieces.join(""));
  const terms = fc.dictionary(
    fc.constantFrom("genome", "the", "北京大学", "é", "x", "İ", "filler", "xxxx"),
    fc.constantFrom(0, 0.1, 1, 5),
  );

  it("is a slice of its passage of at most 240 units with marks in order inside it", () => {
    fc.assert(
      fc.property(text, terms, fc.nat(), fc.nat(), (whole, weights, a, b) => {
        // Passages end between code points, as the chunker cuts them.
        const points = [...whole];
        const cuts = [a, b].map((at) => points.slice(0, at % (points.length + 1)).join("").length);
        const [start, end] = [Math.min(...cuts), Math.max(...cuts)];
        const snippet = makeSnippet(whole, start, end, query(weights));
        expect(whole.slice(start, end)).toContain(snippet.text);
        expect(snippet.text.length).toBeLessThanOrEqual(LENGTH);
        expect(snippet.text.isWellFormed()).toBe(true);
        let before = 0;
        for (const [first, last] of snippet.marks) {
          expect(first).toBeGreaterThanOrEqual(before);
          expect(last).toBeGreaterThan(first);
          expect(last).toBeLessThanOrEqual(snippet.text.length);
          expect(snippet.text.slice(first, last).isWellFormed()).toBe(true);
          before = last;
        }
      }),
      { numRuns: 400 },
    );
  });

  it("marks words that show a word of the query and nothing else", () => {
    fc.assert(
      fc.property(text, (whole) => {
        for (const word of marked(snippetOf(whole, { genome: 3 }))) expect(fold(word)).toMatch(/^genom/u);
      }),
    );
  });

  it("cuts no word in two that is shorter than a snippet", () => {
    fc.assert(
      fc.property(text, terms, (whole, weights) => {
        const { text: shown } = snippetOf(whole, weights);
        const words = wordsOf(whole).filter(({ start, end }) => end - start <= LENGTH);
        const sound = places(whole, shown).some((begin) =>
          words.every(({ start, end }) =>
            [begin, begin + shown.length].every((edge) => edge <= start || edge >= end),
          ),
        );
        expect(sound).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe("the window", () => {
  it("is the one with the rare word, not the one with many common words", () => {
    const text = `the of the of the ${filler(60)} a genome here ${filler(60)}`;
    expect(marked(snippetOf(text, { the: 0.2, of: 0.2, genome: 7 }))).toEqual(["genome"]);
  });

  it("holds most words of the query together, each counted once", () => {
    const text = `river river river river ${filler(60)} river of gold ${filler(60)}`;
    expect(marked(snippetOf(text, { river: 3, gold: 3 }))).toEqual(["river", "gold"]);
  });

  it("is the earlier of two equal ones", () => {
    const text = `first genome ${filler(60)} second genome`;
    expect(snippetOf(text, { genome: 5 }).text).toMatch(/^first genome/u);
  });

  it("begins with the sentence of the word found, and goes on after it", () => {
    const text = `${filler(60)}. Here is the genome at last, ${filler(60)}`;
    const { text: shown } = snippetOf(text, { genome: 5 });
    expect(shown).toMatch(/^Here is the genome at last, filler/u);
    expect(shown.length).toBeGreaterThan(LENGTH - 10);
  });

  it("shows more before the word found where the passage ends soon after it", () => {
    const text = `${filler(60)} the genome.`;
    const { text: shown } = snippetOf(text, { genome: 5 });
    expect(shown).toMatch(/the genome\.$/u);
    expect(shown.length).toBeGreaterThan(LENGTH - 10);
  });

  it("shows what follows the word found where its sentence began long before", () => {
    const text = `${filler(60)} genome ${filler(60)}`;
    const { text: shown } = snippetOf(text, { genome: 5 });
    expect(shown.indexOf("genome")).toBeLessThan(LENGTH / 2);
  });

  it("holds the word found behind a long run of signs that are no words", () => {
    for (const before of [`${"-".repeat(300)} `, `${"-".repeat(200)} in the year of the `])
      expect(marked(snippetOf(`${before}genome`, { genome: 5 }))).toEqual(["genome"]);
  });

  it("is the beginning of the passage where no word is found", () => {
    const snippet = snippetOf(`  ${filler(60)}`, { genome: 5 });
    expect(snippet.marks).toEqual([]);
    expect(snippet.text).toMatch(/^fillera /u);
  });

  it("is the whole of a short passage without the white space around it", () => {
    expect(snippetOf("  A genome.  ", { genome: 5 })).toEqual({ text: "A genome.", marks: [[2, 8]] });
  });

  it("is empty for an empty passage", () => {
    expect(makeSnippet("text", 2, 2, query({ genome: 5 }))).toEqual({ text: "", marks: [] });
  });

  it("stays inside its passage", () => {
    const text = "genome before. The passage itself. genome after.";
    expect(makeSnippet(text, 15, 34, query({ genome: 5 }))).toEqual({
      text: "The passage itself.",
      marks: [],
    });
  });
});

describe("marks", () => {
  it("leave out a common word beside a rare one", () => {
    expect(marked(snippetOf("The genome of the mouse", { the: 0.1, genome: 6 }))).toEqual(["genome"]);
  });

  it("are on common words where the query has no others", () => {
    expect(marked(snippetOf("To be or not to be", { to: 0.2, be: 0.2 }))).toEqual(["To", "be", "to", "be"]);
  });

  it("leave out a word of no weight", () => {
    expect(marked(snippetOf("every genome", { every: 0 }))).toEqual([]);
  });

  it("are on words that differ in case, accents or a short ending", () => {
    const found = marked(snippetOf("CAFÉ cafés Indexes", { cafe: 3, index: 3 }));
    expect(found).toEqual(["CAFÉ", "cafés", "Indexes"]);
  });
});
