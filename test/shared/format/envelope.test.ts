import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import {
  openEnvelope,
  parseEnvelope,
  type WrittenFile,
  writeEnvelope,
} from "../../../shared/format/envelope.ts";
import { packValue } from "../../../shared/format/msgpack.ts";
import { refusal, refusalNow, resealed } from "./helpers.ts";
import { noise } from "./samples.ts";

let file: WrittenFile;
beforeAll(async () => {
  file = await writeEnvelope("table", { a: 1 }, [
    { name: "one", bytes: noise(100) },
    { name: "none", bytes: new Uint8Array(0) },
    { name: "two", bytes: noise(65_000) },
  ]);
});

/** The file with another directory, every length and digest mended. Its body is one block. */
async function withDirectory(directory: Uint8Array): Promise<WrittenFile> {
  const body = file.bytes.slice(file.head.bytes);
  const headBytes = 64 + Math.ceil(directory.length / 64) * 64 + 64;
  const bytes = new Uint8Array(headBytes + body.length);
  bytes.set(file.bytes.slice(0, 64));
  bytes.set(directory, 64);
  bytes.set(body, headBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(8, headBytes, true);
  view.setUint32(12, directory.length, true);
  view.setBigUint64(24, BigInt(bytes.length), true);
  return resealed({ ...file, bytes, head: { ...file.head, bytes: headBytes } }, () => undefined);
}

type Place = readonly [string, number, number];

const sections = (...list: readonly Place[]) =>
  packValue({ sections: list.map(([name, offset, bytes]) => ({ name, offset, bytes })), meta: { a: 1 } });

describe("an envelope", () => {
  it("gives back every section and the meta", async () => {
    const parts = fc.array(fc.constantFrom(0, 1, 63, 64, 65, 4096, 65_536, 65_537, 150_000), {
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(parts, async (lengths) => {
        const given = lengths.map((length, at) => ({ name: `s${at}`, bytes: noise(length, at + 1) }));
        const written = await writeEnvelope("shard", { x: "é", list: [1, null] }, given);
        for (const sha256 of [written.sha256, undefined]) {
          const expected = { kind: "shard" as const, head: written.head, ...(sha256 && { sha256 }) };
          const open = await openEnvelope(written.bytes, expected);
          expect(open.meta).toEqual({ x: "é", list: [1, null] });
          for (const { name, bytes } of given) {
            expect(Buffer.compare(open.section(name), bytes)).toBe(0);
            expect(open.section(name).byteOffset % 64).toBe(0);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  it("says which section it lacks", () => {
    expect(() => parseEnvelope(file.bytes, "table").section("three")).toThrow("no section three");
  });

  it("is the same for a body that begins anywhere in its buffer", () => {
    const buffer = new Uint8Array(file.bytes.length + 3);
    buffer.set(file.bytes, 3);
    expect(parseEnvelope(buffer.subarray(3), "table").section("one")).toEqual(noise(100));
  });

  it("of a newer version is refused with both versions and a remedy", async () => {
    const newer = await resealed(file, (_, view) => view.setUint16(4, 2, true));
    const open = openEnvelope(newer.bytes, { kind: "table", sha256: newer.sha256, head: newer.head });
    await expect(open).rejects.toMatchObject({ code: "format/unsupported" });
    await expect(open).rejects.toThrow(/version 2.*reads version 1.*Upgrade/s);
  });

  it("of another kind or with unknown words in its directory is refused", async () => {
    expect(refusalNow(() => parseEnvelope(file.bytes, "shard"))).toBe("format/invalid");
    const odd = await withDirectory(packValue({ sections: [], meta: {}, more: 1 }));
    expect(refusalNow(() => parseEnvelope(odd.bytes, "table"))).toBe("format/unsupported");
  });

  it.each([
    ["header length 0", 8, 0],
    ["header length past the file", 8, 0xffffffc0],
    ["directory length 0", 12, 0],
    ["directory beyond the first read", 12, 16_384],
    ["directory length 2^32 - 1", 12, 0xffffffff],
    ["block size 1", 16, 1],
    ["no blocks", 20, 0],
    ["4 billion blocks", 20, 0xffffffff],
    ["file length 0", 24, 0],
    ["file length 2^32 more", 28, 1],
    ["file length above 2^53", 28, 0xffffffff],
    ["a number in the reserved space", 60, 1],
  ])("is refused with %s in the header", async (_, at, value) => {
    const changed = await resealed(file, (__, view) => view.setUint32(at, value, true));
    expect(refusalNow(() => parseEnvelope(changed.bytes, "table"))).toBe("format/invalid");
    const { sha256, head, bytes } = changed;
    expect(await refusal(() => openEnvelope(bytes, { kind: "table", sha256, head }))).toBe("format/invalid");
  });

  it.each<[string, readonly Place[], string]>([
    [
      "overlapping sections",
      [
        ["one", 0, 100],
        ["none", 64, 0],
        ["two", 128, 65_000],
      ],
      "begins at",
    ],
    [
      "a gap",
      [
        ["one", 0, 100],
        ["none", 128, 0],
        ["two", 192, 64_936],
      ],
      "begins at",
    ],
    [
      "a section in front of the body",
      [
        ["one", -64, 100],
        ["none", 128, 0],
        ["two", 128, 65_000],
      ],
      "whole number",
    ],
    [
      "sections out of order",
      [
        ["two", 128, 65_000],
        ["none", 128, 0],
        ["one", 0, 100],
      ],
      "begins at",
    ],
    [
      "an unaligned section",
      [
        ["one", 0, 100],
        ["none", 100, 0],
        ["two", 100, 65_028],
      ],
      "begins at",
    ],
    [
      "a section past the end",
      [
        ["one", 0, 100],
        ["none", 128, 0],
        ["two", 128, 65_001],
      ],
      "length",
    ],
    [
      "a section of 2^31 bytes",
      [
        ["one", 0, 100],
        ["none", 128, 0],
        ["two", 128, 2 ** 31],
      ],
      "length",
    ],
    [
      "a section of 2^32 bytes",
      [
        ["one", 0, 100],
        ["none", 128, 0],
        ["two", 128, 2 ** 32],
      ],
      "length",
    ],
    [
      "a section of 2^53 bytes",
      [
        ["one", 0, 2 ** 53],
        ["none", 128, 0],
        ["two", 128, 65_000],
      ],
      "whole number",
    ],
    [
      "half a byte",
      [
        ["one", 0, 99.5],
        ["none", 128, 0],
        ["two", 128, 65_000],
      ],
      "whole number",
    ],
    [
      "two sections of one name",
      [
        ["one", 0, 100],
        ["one", 128, 0],
        ["two", 128, 65_000],
      ],
      "same name",
    ],
    ["65 sections", Array.from({ length: 65 }, (_, at): Place => [`s${at}`, 0, 0]), "0 to 64 items"],
  ])("is refused with %s", async (_, places, why) => {
    const changed = await withDirectory(sections(...places));
    expect(refusalNow(() => parseEnvelope(changed.bytes, "table"))).toBe("format/invalid");
    expect(() => parseEnvelope(changed.bytes, "table")).toThrow(why);
  });

  it("is accepted with its own directory put back, so that the refusals above have their own reasons", async () => {
    const same = await withDirectory(sections(["one", 0, 100], ["none", 128, 0], ["two", 128, 65_000]));
    expect(same.bytes).toEqual(file.bytes);
  });

  it("is refused with a byte in any padding", async () => {
    const directoryEnd = 64 + new DataView(file.bytes.buffer).getUint32(12, true);
    for (const at of [directoryEnd, file.head.bytes - 1, file.head.bytes + 100]) {
      const changed = await resealed(file, (bytes) => {
        bytes[at] = 1;
      });
      expect(refusalNow(() => parseEnvelope(changed.bytes, "table"))).toBe("format/invalid");
    }
  });

  it("is not written when its directory would not fit the first read", async () => {
    const long = "x".repeat(16_384);
    expect(await refusal(() => writeEnvelope("table", { long }, []))).toBe("format/invalid");
  });
});
