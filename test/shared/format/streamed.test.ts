import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { type WrittenFile, writeEnvelope } from "../../../shared/format/envelope.ts";
import { loadEnvelope, openStreamed } from "../../../shared/format/load.ts";
import { AS_ONE, IN_PIECES, type StreamLimits } from "../../../shared/format/streamed.ts";
import { KIB } from "../../../shared/limits.ts";
import type { ReadStore } from "../../../shared/store/store.ts";
import { entryOf, flipped, refusal, resealed, storeOf } from "./helpers.ts";
import { noise } from "./samples.ts";

/** Pieces of one block, the smallest there are. */
const SMALL: StreamLimits = { wholeBytes: 0, pieceBytes: 64 * KIB, atOnce: 2 };

const fileOf = (...lengths: readonly number[]): Promise<WrittenFile> =>
  writeEnvelope(
    "table",
    { note: "any" },
    lengths.map((length, at) => ({ name: `s${at}`, bytes: noise(length, at + 1) })),
  );
const entry = (file: WrittenFile) => entryOf(file, { role: "table" as const, task: "search" });
const objectsOf = (file: WrittenFile) => new Map([[entry(file).key, file.bytes]]);
const own = (_name: string, bytes: number) => new Uint8Array(bytes);

async function stream(store: ReadStore, file: WrittenFile, limits: StreamLimits = SMALL) {
  return (await openStreamed(store, entry(file), limits)).readInto(own);
}

let file: WrittenFile;
beforeAll(async () => {
  // Sections that begin, end and lie across the borders of blocks, and one that is empty.
  file = await fileOf(100, 200 * KIB + 7, 0, 64 * KIB, 30);
});

describe("a file read in pieces", () => {
  it("has the sections of one that is read whole, whatever their lengths and the pieces'", async () => {
    const lengths = fc.array(fc.oneof(fc.nat(200), fc.nat(200 * KIB), fc.constant(64 * KIB)), {
      minLength: 1,
      maxLength: 6,
    });
    const limits = fc.record({
      wholeBytes: fc.constantFrom(0, 100 * KIB),
      pieceBytes: fc.integer({ min: 1, max: 4 }).map((blocks) => blocks * 64 * KIB),
      atOnce: fc.integer({ min: 1, max: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(lengths, limits, async (given, how) => {
        const any = await fileOf(...given);
        const store = storeOf(objectsOf(any));
        const whole = await loadEnvelope(store, entry(any));
        const streamed = await stream(store, any, how);
        expect([streamed.kind, streamed.meta]).toEqual([whole.kind, whole.meta]);
        for (const at of given.keys()) {
          expect(Buffer.compare(streamed.section(`s${at}`), whole.section(`s${at}`))).toBe(0);
        }
      }),
      { numRuns: 30 },
    );
  });

  it("gives the last section when all others are there, wherever it lies among them", async () => {
    const lengths = [100, 200 * KIB + 7, 0, 64 * KIB, 30];
    for (const limits of [SMALL, IN_PIECES, { ...SMALL, pieceBytes: 128 * KIB }]) {
      for (const [at, length] of lengths.entries()) {
        const store = storeOf(objectsOf(file));
        const whole = await loadEnvelope(storeOf(objectsOf(file)), entry(file));
        const name = `s${at}`;
        const found = new Uint8Array(length);
        const envelope = await (await openStreamed(store, entry(file), limits)).readInto(own, {
          name,
          begin(others) {
            for (const other of lengths.keys()) {
              if (other === at) continue;
              const bytes = others.section(`s${other}`);
              expect(Buffer.compare(bytes, whole.section(`s${other}`))).toBe(0);
            }
            return (offset, part) => found.set(part, offset);
          },
        });
        expect(Buffer.compare(found, whole.section(name))).toBe(0);
        expect(() => envelope.section(name)).toThrow("no section");
        expect(new Set(store.reads.map(String)).size).toBe(store.reads.length);
      }
    }
  });

  it("takes one read for the head and one for each piece, and none twice", async () => {
    const store = storeOf(objectsOf(file));
    await stream(store, file);
    const { head, bytes, key } = entry(file);
    const starts = Array.from({ length: 5 }, (_, piece) => head.bytes + piece * 64 * KIB);
    expect(store.reads).toEqual([
      [key, 0, head.bytes],
      ...starts.map((start) => [key, start, Math.min(bytes, start + 64 * KIB)]),
    ]);
  });

  it("takes one read when it is small, or when all are to be read so", async () => {
    for (const limits of [IN_PIECES, AS_ONE]) {
      const store = storeOf(objectsOf(file));
      await stream(store, file, limits);
      expect(store.reads).toEqual([[entry(file).key, 0, -1]]);
    }
  });

  it("has no more pieces on their way than allowed", async () => {
    const inner = storeOf(objectsOf(file));
    let now = 0;
    let most = 0;
    const store: ReadStore = {
      ...inner,
      async getRange(key, offset, length) {
        most = Math.max(most, ++now);
        await new Promise((resolve) => setTimeout(resolve, 1));
        now--;
        return inner.getRange(key, offset, length);
      },
    };
    await stream(store, file);
    expect(most).toBe(2);
  });

  it("heals wherever one read was bad, and is named when two of one piece were", async () => {
    for (let bad = 0; bad <= 5; bad++) {
      for (const spoil of [(body: Uint8Array<ArrayBuffer>) => flipped(body, 40), () => null]) {
        const once = storeOf(objectsOf(file), (body, read) => (read === bad ? spoil(body) : body));
        expect((await stream(once, file)).section("s3")).toEqual(noise(64 * KIB, 4));
        expect(once.reads).toHaveLength(7);
      }
    }
    const damaged = new Map([[entry(file).key, flipped(file.bytes, 8 * (file.bytes.length - 1))]]);
    const failed = stream(storeOf(damaged), file);
    await expect(failed).rejects.toMatchObject({ code: "blob/corrupt", details: { blob: entry(file).key } });
    const gone = stream(storeOf(new Map()), file);
    await expect(gone).rejects.toMatchObject({ code: "blob/missing", details: { blob: entry(file).key } });
  });

  it("is refused for a wrong bit anywhere", async () => {
    const bits = fc.nat(8 * file.bytes.length - 1);
    await fc.assert(
      fc.asyncProperty(bits, async (bit) => {
        const damaged = new Map([[entry(file).key, flipped(file.bytes, bit)]]);
        expect(await refusal(() => stream(storeOf(damaged), file))).toBe("blob/corrupt");
      }),
      { numRuns: 40 },
    );
  });

  it("begins no piece after one has failed", async () => {
    const damaged = new Map([[entry(file).key, flipped(file.bytes, 8 * (entry(file).head.bytes + 5))]]);
    const store = storeOf(damaged);
    expect(await refusal(() => stream(store, file))).toBe("blob/corrupt");
    const before = store.reads.length;
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(store.reads.length).toBe(before);
    expect(before).toBeLessThan(7);
  });

  it("is refused where padding between sections is not zero, though its digests fit", async () => {
    const { head } = entry(file);
    // Section s0 ends at 100, the next begins at 128.
    const padded = await resealed(file, (bytes) => bytes.fill(1, head.bytes + 110, head.bytes + 111));
    for (const limits of [SMALL, AS_ONE]) {
      const failed = stream(storeOf(objectsOf(padded)), padded, limits);
      await expect(failed).rejects.toMatchObject({
        code: "format/invalid",
        details: { blob: entry(padded).key },
      });
    }
  });

  it("is refused where the manifest gives another length", async () => {
    const wrong = { ...entry(file), bytes: file.bytes.length - 1 };
    expect(await refusal(() => openStreamed(storeOf(objectsOf(file)), wrong, SMALL))).toBe("format/invalid");
  });

  it("names what the caller asks for in vain", async () => {
    const opened = await openStreamed(storeOf(objectsOf(file)), entry(file), SMALL);
    expect([opened.bytes("s1"), opened.bytes("s2")]).toEqual([200 * KIB + 7, 0]);
    expect(await refusal(async () => opened.bytes("s9"))).toBe("format/invalid");
    const envelope = await opened.readInto(own);
    expect(await refusal(async () => envelope.section("s9"))).toBe("format/invalid");
  });
});
