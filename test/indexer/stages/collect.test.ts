import { describe, expect, it } from "vitest";
import { SILENT } from "../../../indexer/progress.ts";
import { collect } from "../../../indexer/stages/collect.ts";
import { documentOf, sourceOf, tinyDocuments } from "../../helpers/tiny-corpus.ts";

describe("a collection", () => {
  it("has its documents in the order of code points, each as it was given", async () => {
    const documents = tinyDocuments(40);
    const collection = await collect(sourceOf(documents, 2), SILENT);
    try {
      // The bytes of UTF-8 are in the order of code points.
      const ids = documents
        .map(({ id }) => id)
        .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      expect(collection.ids).toEqual(ids);
      expect(collection.rejected).toBe(2);
      for (const [number, id] of [...collection.ids.entries()].reverse())
        expect(await collection.read(number)).toEqual(documents.find((document) => document.id === id));
    } finally {
      await collection.close();
    }
  });

  it("orders ids past U+FFFF after all others, where JavaScript would not", async () => {
    const ids = ["\u{1F30A}", "\uFFFD", "z"];
    const collection = await collect(sourceOf(ids.map((id) => documentOf(id, {}))), SILENT);
    await collection.close();
    expect(collection.ids).toEqual(["z", "\uFFFD", "\u{1F30A}"]);
  });

  it("knows the kinds of its fields: mixed where documents disagree, none where all are null", async () => {
    const documents = [
      documentOf("a", { text: "x", year: 1999, note: null, ok: true }),
      documentOf("b", { text: "y", year: "1999", tags: ["a"] }),
    ];
    const collection = await collect(sourceOf(documents), SILENT);
    await collection.close();
    expect(collection.fields).toEqual([
      { name: "ok", kind: "boolean" },
      { name: "tags", kind: "list" },
      { name: "text", kind: "text" },
      { name: "year", kind: "mixed" },
    ]);
  });

  it("gives every document of more than fits its buffer", async () => {
    const documents = Array.from({ length: 40 }, (_, at) =>
      documentOf(`${100 + at}`, { text: `${at} ${"é".repeat(40_000)}` }),
    );
    const collection = await collect(sourceOf(documents), SILENT);
    try {
      for (const number of [39, 0, 17]) expect(await collection.read(number)).toEqual(documents[number]);
    } finally {
      await collection.close();
    }
  });

  it("fails as its source does", async () => {
    const failing = {
      description: "failing",
      async *records() {
        yield* sourceOf(tinyDocuments(3)).records();
        throw new Error("The disk is gone.");
      },
    };
    await expect(collect(failing, SILENT)).rejects.toThrow("The disk is gone.");
  });
});
