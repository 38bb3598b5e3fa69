import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseEnvelope, writeEnvelope } from "../../../shared/format/envelope.ts";
import { deadByShard, readTombstones, writeTombstones } from "../../../shared/format/tombstones.ts";

/** What a reader makes of dead documents that were written. */
async function roundTrip(dead: readonly (readonly number[])[]): Promise<number[][]> {
  const file = readTombstones(parseEnvelope((await writeTombstones(dead)).bytes, "tombstones"));
  return deadByShard(file, dead.length).map((rows) => [...rows]);
}

/** The error of a file with these numbers in its sections. */
async function refusal(
  shards: number,
  documents: number,
  starts: readonly number[],
  rows: readonly number[],
) {
  const { bytes } = await writeEnvelope("tombstones", { shards, documents }, [
    { name: "starts", bytes: new Uint8Array(Uint32Array.from(starts).buffer) },
    { name: "rows", bytes: new Uint8Array(Uint16Array.from(rows).buffer) },
  ]);
  return () => readTombstones(parseEnvelope(bytes, "tombstones"));
}

describe("tombstones", () => {
  it("are read as they were written, shards with none among them", async () => {
    const rows = fc
      .uniqueArray(fc.nat(65_535), { maxLength: 40 })
      .map((numbers) => numbers.sort((a, b) => a - b));
    await fc.assert(
      fc.asyncProperty(fc.array(rows, { minLength: 1, maxLength: 9 }), async (dead) => {
        fc.pre(dead.some((list) => list.length > 0));
        expect(await roundTrip(dead)).toEqual(dead);
      }),
    );
  });

  it("are not written where nothing is dead", async () => {
    await expect(writeTombstones([[], []])).rejects.toMatchObject({ code: "format/invalid" });
  });

  it.each([
    ["a document twice", 1, 2, [0, 2], [4, 4]],
    ["documents out of order", 1, 2, [0, 2], [4, 3]],
    ["a shard that ends before it begins", 3, 2, [0, 2, 1, 2], [3, 4]],
    ["a first start that is not 0", 1, 2, [1, 2], [3, 4]],
    ["a last start that is not the end", 1, 2, [0, 1], [3, 4]],
    ["fewer starts than shards", 2, 2, [0, 2], [3, 4]],
    ["fewer rows than documents", 1, 3, [0, 3], [3, 4]],
  ] as const)("with %s are refused", async (_, shards, documents, starts, rows) => {
    expect(await refusal(shards, documents, starts, rows)).toThrow(
      expect.objectContaining({ code: "format/invalid" }),
    );
  });

  it("of another number of shards are refused", async () => {
    const file = readTombstones(parseEnvelope((await writeTombstones([[1], [2]])).bytes, "tombstones"));
    expect(() => deadByShard(file, 3)).toThrow(/2 shards, and the version has 3/u);
  });
});
