import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Section, SourceDocument } from "../../../indexer/sources/source.ts";
import { type Chunk, chunkDocument } from "../../../shared/segment/chunk.ts";

/** A stand-in for a tokenizer that is additive at white space: one token for every four units of a word. */
function countTokens(text: string): number {
  let tokens = 0;
  for (const word of text.split(/\s+/)) tokens += Math.ceil(word.length / 4);
  return tokens;
}

function documentOf(title: string, text: string, sections: readonly Section[] = []): SourceDocument {
  return { id: "d", fields: { title, text }, sections };
}

/** A document of sections `[heading, body]`, built as the page readers do. */
function pageOf(title: string, parts: readonly (readonly [string, string])[]): SourceDocument {
  let text = "";
  const sections: Section[] = [];
  for (const [heading, body] of parts) {
    const start = text === "" ? 0 : text.length + 2;
    text += `${text === "" ? "" : "\n\n"}${heading}\n\n${body}`;
    sections.push({ start, end: text.length, level: 2, heading, anchor: heading.toLowerCase() });
  }
  return documentOf(title, text, sections);
}

const words = (count: number) => Array.from({ length: count }, () => "word").join(" ");
const budgetOf = (maxTokens: number, overlapTokens = 0) => ({ countTokens, maxTokens, overlapTokens });
const slices = (chunks: readonly Chunk[], { fields }: SourceDocument) =>
  chunks.map(({ start, end }) => String(fields.text).slice(start, end));

describe("chunkDocument", () => {
  it("keeps a short document whole, with its title in front", () => {
    const chunks = chunkDocument(documentOf("Wings", "They lift. They drag."), budgetOf(64));
    expect(chunks).toEqual([{ start: 0, end: 21, text: "Wings They lift. They drag." }]);
  });

  it("gives a document without text one chunk of its title", () => {
    expect(chunkDocument(documentOf("Wings", " \n"), budgetOf(64))).toEqual([
      { start: 0, end: 0, text: "Wings" },
    ]);
  });

  it("gives a document without title and text one empty chunk, found by its id alone", () => {
    const empty = { id: "d", fields: Object.create(null), sections: [] };
    expect(chunkDocument(empty, budgetOf(64))).toEqual([{ start: 0, end: 0, text: "" }]);
  });

  it("makes chunks of about equal length instead of full ones and a crumb", () => {
    const document = documentOf("", `${words(9)}. `.repeat(11).trim());
    const sizes = slices(chunkDocument(document, budgetOf(100)), document).map(countTokens);
    expect(sizes).toHaveLength(2);
    expect(Math.min(...sizes)).toBeGreaterThan(40);
  });

  it("cuts sections apart and names them by heading and anchor", () => {
    const document = pageOf("Guide", [
      ["Install", `${words(40)}.`],
      ["Run", `${words(40)}.`],
    ]);
    const chunks = chunkDocument(document, budgetOf(128));
    expect(chunks.map(({ heading, anchor }) => [heading, anchor])).toEqual([
      ["Install", "install"],
      ["Run", "run"],
    ]);
    expect(chunks[1]?.text.startsWith("Guide Run\n\nword")).toBe(true);
  });

  it("repeats the heading in front of later chunks of a section only", () => {
    const document = pageOf("Guide", [["Install", `${words(20)}. `.repeat(8)]]);
    const texts = chunkDocument(document, budgetOf(100)).map((chunk) => chunk.text);
    expect(texts[0]?.startsWith("Guide Install\n\nword")).toBe(true);
    for (const text of texts.slice(1)) expect(text.startsWith("Guide Install word")).toBe(true);
    expect(texts.length).toBeGreaterThan(1);
  });

  it("does not say a heading that is the title twice", () => {
    const section = { start: 0, end: 10, level: 1, heading: "Guide", anchor: "guide" };
    const [chunk] = chunkDocument(documentOf("Guide", "Some text.", [section]), budgetOf(64));
    expect(chunk).toMatchObject({ text: "Guide Some text.", heading: "Guide" });
  });

  it("lets small sections share a chunk under the first one's heading", () => {
    const document = pageOf("", [
      ["Install", `${words(40)}.`],
      ["Licence", "Free."],
      ["Thanks", "To all."],
    ]);
    const chunks = chunkDocument(document, budgetOf(128));
    expect(chunks).toHaveLength(1);
    expect(chunks[0]).toMatchObject({
      heading: "Install",
      start: 0,
      end: String(document.fields.text).length,
    });
  });

  it("does not join a small section to a chunk that would overflow", () => {
    const document = pageOf("", [
      ["Install", `${words(120)}.`],
      ["Licence", `${words(20)}.`],
    ]);
    expect(chunkDocument(document, budgetOf(128))).toHaveLength(2);
  });

  it("cuts a long sentence between words and a long word between code points", () => {
    const sentence = documentOf("", words(50));
    for (const slice of slices(chunkDocument(sentence, budgetOf(16)), sentence))
      expect(slice).toMatch(/^word( word)*$/);
    const word = documentOf("", "\u{1f600}".repeat(99));
    const parts = slices(chunkDocument(word, budgetOf(16)), word);
    expect(parts.join("")).toBe(word.fields.text);
    for (const part of parts) expect(part.isWellFormed()).toBe(true);
  });

  it("prefers line ends when it must cut inside a sentence", () => {
    const lines = Array.from({ length: 16 }, (_, i) => `call number ${i} here`).join("\n");
    const document = documentOf("", lines);
    for (const slice of slices(chunkDocument(document, budgetOf(32)), document))
      expect(slice).toMatch(/^call.*here$/s);
  });

  it("repeats whole sentences up to the overlap", () => {
    const document = documentOf("", Array.from({ length: 30 }, (_, i) => `Fact ${i} is here.`).join(" "));
    const chunks = chunkDocument(document, budgetOf(40, 10));
    for (const [i, chunk] of chunks.slice(1).entries()) {
      const before = chunks[i]!;
      expect(chunk.start).toBeGreaterThan(before.start);
      const shared = String(document.fields.text).slice(chunk.start, before.end);
      expect(countTokens(shared)).toBeLessThanOrEqual(10);
      expect(shared).toMatch(/^Fact/);
    }
  });

  it("cuts a title that would take more than half of the budget", () => {
    const [chunk] = chunkDocument(documentOf(words(100), "Text."), budgetOf(20));
    expect(countTokens(chunk!.text)).toBeLessThanOrEqual(12);
    expect(chunk!.text.endsWith("word Text.")).toBe(true);
  });

  it("refuses a budget or an overlap out of range", () => {
    for (const options of [budgetOf(1), budgetOf(Number.NaN), budgetOf(10, 6), budgetOf(10, -1)]) {
      expect(() => chunkDocument(documentOf("", "x"), options)).toThrow(/must be/);
    }
  });

  const page = fc.record({
    title: fc.string({ unit: "grapheme", maxLength: 30 }),
    parts: fc.array(
      fc.tuple(
        fc.constantFrom("Set up", "Notes", words(9)),
        fc
          .array(
            fc.constantFrom(
              "word",
              "a",
              ".",
              "\n",
              "\n\n",
              " ",
              "\u{1f600}",
              "x".repeat(60),
              "\u3002",
              words(30),
            ),
          )
          .map((b) => b.join(" ")),
      ),
      { maxLength: 6 },
    ),
    maxTokens: fc.integer({ min: 2, max: 64 }),
    overlap: fc.double({ min: 0, max: 0.5, noNaN: true }),
  });

  it("covers the text in order within the budget and never splits a surrogate pair, for any page", () => {
    fc.assert(
      fc.property(page, ({ title, parts, maxTokens, overlap }) => {
        const document = pageOf(title, parts);
        const text = String(document.fields.text);
        const chunks = chunkDocument(document, budgetOf(maxTokens, Math.floor(maxTokens * overlap)));
        expect(chunks.length).toBeGreaterThan(0);
        let from = 0;
        let previous = -1;
        for (const { start, end, text: encoded } of chunks) {
          expect(text.slice(from, Math.max(from, start)).trim()).toBe("");
          expect(start).toBeGreaterThan(previous);
          expect(text.slice(start, end).trim()).toBe(text.slice(start, end));
          expect(encoded.isWellFormed()).toBe(true);
          expect(encoded.endsWith(text.slice(start, end))).toBe(true);
          expect(countTokens(encoded)).toBeLessThanOrEqual(maxTokens);
          from = Math.max(from, end);
          previous = start;
        }
        expect(text.slice(from).trim()).toBe("");
      }),
      { numRuns: 500 },
    );
  });

  it("counts each sentence once, and a sentence above the budget in n log n", () => {
    const cost = (text: string) => {
      let calls = 0;
      let units = 0;
      const counting = (piece: string) => {
        calls++;
        units += piece.length;
        return countTokens(piece);
      };
      chunkDocument(documentOf("Title", text), { countTokens: counting, maxTokens: 64, overlapTokens: 16 });
      return { calls, units };
    };
    expect(cost("A few words here. ".repeat(1000))).toMatchObject({ calls: 1001 });
    for (const hostile of ["x", "word ", `${"x".repeat(300)} `]) {
      const small = cost(hostile.repeat(20_000 / hostile.length));
      const large = cost(hostile.repeat(320_000 / hostile.length));
      expect(large.calls / small.calls).toBeLessThan(20);
      expect(large.units / small.units).toBeLessThan(16 * 1.6);
    }
  });
});
