import { describe, expect, it } from "vitest";
import { PASSAGE_WORDS, passagesOf } from "../../../bench/scale/corpus.ts";

const SENTENCES = Array.from(
  { length: 40 },
  (_, at) => `Sentence number ${at} says that lighthouse ${at * 7} stands on rock ${at * 3} in the sea.`,
);
const DOCUMENT = { id: "a", title: "Lighthouses", text: SENTENCES.join(" ") };

describe("the passages of a document", () => {
  it("are the same each time", () => {
    expect(passagesOf(DOCUMENT, new Set())).toEqual(passagesOf(DOCUMENT, new Set()));
  });

  it("hold every sentence once, in order, within the limit of words", () => {
    const passages = passagesOf(DOCUMENT, new Set());
    expect(passages.map(({ text }) => text).join(" ")).toBe(DOCUMENT.text);
    for (const { text } of passages) expect(text.split(" ").length).toBeLessThanOrEqual(PASSAGE_WORDS);
    expect(passages.length).toBeGreaterThan(10);
  });

  it("have the document's title and ids of their own", () => {
    const passages = passagesOf(DOCUMENT, new Set());
    expect(new Set(passages.map(({ id }) => id)).size).toBe(passages.length);
    expect(passages[0]).toMatchObject({ id: "a-0", title: "Lighthouses" });
  });

  it("leave out sentences that an earlier document had, and what is too short alone", () => {
    const seen = new Set<string>();
    passagesOf(DOCUMENT, seen);
    const again = passagesOf({ ...DOCUMENT, id: "b" }, seen);
    expect(again).toEqual([]);
    const fresh = "But this last one here is new, and long enough to stand for itself.";
    expect(passagesOf({ id: "c", title: "", text: `${DOCUMENT.text} ${fresh}` }, seen)).toEqual([
      { id: "c-0", title: "", text: fresh },
    ]);
    expect(passagesOf({ id: "d", title: "", text: "Too short." }, seen)).toEqual([]);
  });

  it("have line ends within a sentence as spaces, so that a wrapped sentence is known again", () => {
    const seen = new Set<string>();
    const wrapped = DOCUMENT.text.replaceAll(" says", "\nsays");
    expect(passagesOf({ ...DOCUMENT, text: wrapped }, seen)).toEqual(passagesOf(DOCUMENT, new Set()));
  });
});
