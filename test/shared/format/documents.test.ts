import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  deflateBlock,
  encodeBlock,
  encodeRecord,
  inflateBlock,
  MAX_BLOCK_BYTES,
  type StoredDocument,
} from "../../../shared/format/document-block.ts";
import {
  BLOCKS_AT_ONCE,
  blockRange,
  DocumentsWriter,
  openDocuments,
  type Place,
} from "../../../shared/format/documents.ts";
import { parseEnvelope } from "../../../shared/format/envelope.ts";
import { openRanged } from "../../../shared/format/load.ts";
import { packValue } from "../../../shared/format/msgpack.ts";
import { wholeSource } from "../../../shared/format/ranged.ts";
import { entryOf, refusal, refusalNow, storeOf } from "./helpers.ts";
import { DOCUMENTS, noise } from "./samples.ts";

const text = fc.oneof(
  fc.string({ unit: "binary" }).filter((value) => value.isWellFormed()),
  fc.constantFrom("", "\u0000", "\ufeff", "\u{1f4a1}", "x".repeat(65_536)),
);
const scalar = fc.oneof(
  text,
  fc.boolean(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
);
const name = text.filter((key) => key !== "__proto__");
const documents = fc.record({
  id: text.filter((value) => value.length > 0 && value.length <= 512),
  fields: fc.dictionary(name, fc.oneof(scalar, fc.constant(null), fc.array(scalar)), {
    noNullPrototype: true,
    maxKeys: 8,
  }),
  passages: fc.array(
    fc.record(
      { start: fc.constantFrom(0, 5), end: fc.constantFrom(5, 0xffffffff), heading: text, anchor: text },
      { requiredKeys: ["start", "end"] },
    ),
    { maxLength: 4 },
  ),
});

/** Text that does not compress, so that sizes in the file are those of the records. */
function dull(length: number, seed: number): StoredDocument {
  const letters = [...noise(length, seed)].map((byte) => String.fromCharCode(33 + (byte % 90)));
  return { id: `d${seed}`, fields: { text: letters.join("") }, passages: [] };
}

async function written(list: readonly StoredDocument[]) {
  const writer = new DocumentsWriter();
  const places: Place[] = [];
  for (const document of list) places.push(await writer.add(document));
  return { file: await writer.finish(), places };
}

describe("a documents file", () => {
  it("gives back every document from the place it was given", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(documents, { maxLength: 20 }), async (list) => {
        const { file, places } = await written(list);
        const open = await openDocuments(wholeSource(parseEnvelope(file.bytes, "documents")));
        expect(open.meta.count).toBe(list.length);
        for (const [at, { block, index }] of places.entries()) {
          const [found] = await open.blocks([block]);
          expect(found?.record(index)).toEqual(list[at]);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("fills blocks to 64 KiB and gives a larger document one of its own", async () => {
    const list = [dull(30_000, 1), dull(30_000, 2), dull(30_000, 3), dull(1_000_000, 4), dull(10, 5)];
    const { file, places } = await written(list);
    expect(places.map(({ block, index }) => [block, index])).toEqual([
      [0, 0],
      [0, 1],
      [1, 0],
      [2, 0],
      [3, 0],
    ]);
    const open = await openDocuments(wholeSource(parseEnvelope(file.bytes, "documents")));
    expect(open.directory.sizes[0]).toBeLessThanOrEqual(65_536);
    expect(blockRange(open.directory, 0).start).toBe(0);
    expect(refusalNow(() => blockRange(open.directory, 4))).toBe("format/invalid");
    expect(await refusal(() => open.blocks([-1]))).toBe("format/invalid");
  });

  it("is read by range with one read for the head, one for the directory, one for near blocks", async () => {
    const { file } = await written(Array.from({ length: 40 }, (_, at) => dull(40_000, at + 1)));
    const entry = entryOf(file, { role: "documents" as const, ordinal: 0 });
    const store = storeOf(new Map([[entry.key, file.bytes]]));
    const open = await openDocuments(await openRanged(store, entry));
    expect(store.reads.map(([, start, end]) => [start, end])).toEqual([
      [0, file.head.bytes],
      [file.head.bytes, file.head.bytes + 65_536],
    ]);
    const blocks = await open.blocks([39, 0, 1]);
    expect(blocks.map((block) => block.record(0).id)).toEqual(["d40", "d1", "d2"]);
    expect(store.reads).toHaveLength(4);
  });

  it("fetches no more blocks together than one step has", async () => {
    const count = 2 * BLOCKS_AT_ONCE + 3;
    const { file } = await written(Array.from({ length: count }, (_, at) => dull(40_000, at + 1)));
    const entry = entryOf(file, { role: "documents" as const, ordinal: 0 });
    const store = storeOf(new Map([[entry.key, file.bytes]]));
    const open = await openDocuments(await openRanged(store, entry));
    const before = store.reads.length;
    const steps: number[] = [];
    await open.eachBlock([...Array(count).keys()], (block, number) => {
      expect(block.record(0).id).toBe(`d${number + 1}`);
      steps.push(store.reads.length - before);
    });
    // Reads of the next step are begun when the last block of the one before was taken.
    expect(steps[BLOCKS_AT_ONCE - 1]).toBe(steps[0]);
    expect(steps[BLOCKS_AT_ONCE]!).toBeGreaterThan(steps[0]!);
    expect(steps[2 * BLOCKS_AT_ONCE]!).toBeGreaterThan(steps[BLOCKS_AT_ONCE]!);
  });

  it("with no documents is a file like any other", async () => {
    const { file } = await written([]);
    const open = await openDocuments(wholeSource(parseEnvelope(file.bytes, "documents")));
    expect(await open.blocks([])).toEqual([]);
  });

  it("does not take a document that cannot come back", async () => {
    const fields = (value: unknown) =>
      ({ id: "a", fields: value, passages: [] }) as unknown as StoredDocument;
    const bad: readonly StoredDocument[] = [
      { ...DOCUMENTS[0]!, id: "" },
      { ...DOCUMENTS[0]!, id: "x".repeat(513) },
      fields({ a: { b: 1 } }),
      fields({ a: [[1]] }),
      fields({ a: [null] }),
      fields({ a: undefined }),
      fields({ a: Number.NaN }),
      fields({ a: "\ud800" }),
      fields(JSON.parse('{"__proto__": "a"}')),
      fields(Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`f${at}`, 1]))),
      { id: "a", fields: {}, passages: [{ start: 2, end: 1 }] },
      { id: "a", fields: {}, passages: [{ start: -1, end: 1 }] },
      dull(MAX_BLOCK_BYTES, 1),
    ];
    for (const document of bad) {
      expect(await refusal(() => new DocumentsWriter().add(document))).toBe("format/invalid");
    }
  });
});

describe("a document block", () => {
  const raw = encodeBlock(DOCUMENTS.map(encodeRecord));

  it("stops inflating where its stated size ends", async () => {
    const bomb = await deflateBlock(new Uint8Array(50 * MAX_BLOCK_BYTES));
    expect(bomb.length).toBeLessThan(200_000);
    expect(await refusal(() => inflateBlock(bomb, 1000))).toBe("format/invalid");
    expect(await refusal(() => inflateBlock(bomb, MAX_BLOCK_BYTES))).toBe("format/invalid");
    expect(await refusal(() => inflateBlock(bomb, 50 * MAX_BLOCK_BYTES))).toBe("format/invalid");
  });

  it("is refused when it is shorter than stated, cut, followed by more, or not deflate", async () => {
    const compressed = await deflateBlock(raw);
    const more = new Uint8Array(compressed.length + 1);
    more.set(compressed);
    expect(await refusal(() => inflateBlock(compressed, raw.length + 1))).toBe("format/invalid");
    expect(await refusal(() => inflateBlock(compressed.slice(0, -1), raw.length))).toBe("format/invalid");
    expect(await refusal(() => inflateBlock(more, raw.length))).toBe("format/invalid");
    expect(await refusal(() => inflateBlock(new Uint8Array(0), raw.length))).toBe("format/invalid");
    expect(await refusal(() => inflateBlock(new Uint8Array(20).fill(0xff), raw.length))).toBe(
      "format/invalid",
    );
  });

  it.each([
    ["more records than bytes", [0xffffffff, 12, 12]],
    ["no records", [0, 8]],
    ["an offset before the records", [1, 0, 16]],
    ["an offset past the end", [1, 12, 17]],
    ["offsets that fall", [2, 16, 20, 18]],
    ["no header", []],
  ])("is refused with %s", async (_, numbers) => {
    const bytes = new Uint8Array(Uint32Array.from([...numbers, 0xc0c0c0c0]).buffer);
    expect(await refusal(async () => inflateBlock(await deflateBlock(bytes), bytes.length))).toBe(
      "format/invalid",
    );
  });

  it("refuses a record that is not there or of another shape", async () => {
    const shapes = [
      [1, 2],
      { id: "a", fields: {} },
      { id: 1, fields: {}, passages: [] },
      { id: "a", fields: [], passages: [] },
      { id: "a", fields: { a: { deep: 1 } }, passages: [] },
      { id: "a", fields: {}, passages: [[0, 1, null]] },
      { id: "a", fields: {}, passages: [[0, 1, 2, null]] },
    ];
    const odd = encodeBlock([...shapes.map((shape) => packValue(shape)), new Uint8Array(5000).fill(0x91)]);
    const block = await inflateBlock(await deflateBlock(odd), odd.length);
    for (let index = -1; index <= block.records; index += 1) {
      expect(
        refusalNow(() => block.record(index)),
        String(index),
      ).toBe("format/invalid");
    }
  });
});
