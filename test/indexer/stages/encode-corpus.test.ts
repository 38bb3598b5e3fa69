import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRotation, ROTATION } from "../../../indexer/compress/rotate.ts";
import { SILENT } from "../../../indexer/progress.ts";
import { type Collection, collect } from "../../../indexer/stages/collect.ts";
import { type Corpus, encodeCorpus, textOf } from "../../../indexer/stages/encode-corpus.ts";
import { loadTokenizer } from "../../../shared/tokenizer/load.ts";
import { sourceOf, tinyDocuments } from "../../helpers/tiny-corpus.ts";
import { TINY_TOKENIZER, tinyEncoder } from "../../helpers/tiny-encoder.ts";

const encoder = tinyEncoder();
const tokenizer = loadTokenizer(TINY_TOKENIZER);
const rotation = createRotation(ROTATION, encoder.model.description.dimension);
const maxTokens = encoder.model.maxTextTokens("search", "document");
let collection: Collection;
let corpus: Corpus;

beforeAll(async () => {
  collection = await collect(sourceOf(tinyDocuments(60)), SILENT);
  const options = { encoder, tokenizer, rotation, task: "search", maxTokens, overlapTokens: 0 };
  corpus = await encodeCorpus(collection, options, SILENT);
});
afterAll(() => collection.close());

const documentOfId = (id: string) => corpus.documents[collection.ids.indexOf(id)]!;
const wordsIn = (text: string) => text.split(/\s+/u).filter((word) => word !== "");

describe("an encoded collection", () => {
  it("has at least one chunk for every document, numbered without a gap", () => {
    let next = 0;
    for (const { firstChunk, passages } of corpus.documents) {
      expect(firstChunk).toBe(next);
      expect(passages.length).toBeGreaterThan(0);
      next += passages.length;
    }
    expect(corpus.chunks).toBe(next);
    expect(corpus.documents.length).toBe(collection.ids.length);
  });

  it("covers every word of every text by passages in their order", async () => {
    for (const [number, { passages }] of corpus.documents.entries()) {
      const text = textOf((await collection.read(number)).fields.text);
      const covered = passages.map(({ start, end }) => text.slice(start, end)).join(" ");
      expect(wordsIn(covered)).toEqual(wordsIn(text));
    }
  });

  it("keeps every chunk within what the model takes", () => {
    for (let chunk = 0; chunk < corpus.chunks; chunk++)
      expect(corpus.tokens(chunk).length).toBeLessThanOrEqual(maxTokens);
    expect(documentOfId("repeated").passages.length).toBeGreaterThan(4);
  });

  it("has for each chunk the encoder's vector of its text, rotated", async () => {
    const { firstChunk } = documentOfId("constructor");
    const wanted = { role: "document", task: "search", dense: true, sparse: false } as const;
    const [encoding] = await encoder.encode(["A king and a queen signed the treaty."], wanted);
    const vector = Float32Array.from(encoding!.dense!);
    rotation.apply(vector, 0);
    expect(corpus.vector(firstChunk)).toEqual(vector);
  });

  it("counts the tokens of title and text once, however many chunks there are", () => {
    const { bag, passages } = documentOfId("repeated");
    expect(passages.length).toBeGreaterThan(1);
    expect(bag.length).toBe(122);
    expect(bag.counts[bag.ids.indexOf(tokenizer.idOf("song")!)]).toBe(122);
  });

  it("has learned impacts of tokens that the text does not have", () => {
    const { bag, learned } = documentOfId("one-word");
    expect(Array.from(bag.ids)).toEqual([tokenizer.idOf("harbour")]);
    expect(Array.from(learned!.ids)).toContain(tokenizer.idOf("island"));
  });

  it("has one chunk without tokens for a document without words", () => {
    for (const id of ["empty", "nothing"]) {
      const { firstChunk, passages, bag } = documentOfId(id);
      expect(passages).toEqual([{ start: 0, end: 0 }]);
      expect(corpus.tokens(firstChunk)).toEqual([]);
      expect(bag.length).toBe(0);
      expect(corpus.vector(firstChunk).every((value) => value === 0)).toBe(true);
    }
  });
});
