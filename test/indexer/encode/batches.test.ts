import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type BatchSize, foundSize, givenSize, inBatches } from "../../../indexer/encode/batches.ts";
import type { Wanted } from "../../../indexer/encode/encoder.ts";
import { withSmallEncoder } from "../../helpers/small-graphs.ts";

/** What onnxruntime says on the CPU; `hungry.onnx` has it say so itself. */
const NO_MEMORY = "Failed to allocate memory for requested buffer of size 281474976710912";

/** A machine of so many tokens of memory, on which a batch takes as long as this says. */
function machine(memory: number, msOf: (tokens: number) => number) {
  let clock = 0;
  const sizes: number[] = [];
  return {
    sizes,
    now: () => clock,
    run: async (batch: readonly number[]) => {
      const tokens = batch.length * Math.max(...batch);
      if (tokens > memory) throw new Error(NO_MEMORY);
      clock += msOf(tokens);
      sizes.push(tokens);
      return batch.map((length) => length * 10);
    },
  };
}

const runOn = (
  lengths: readonly number[],
  on: Pick<ReturnType<typeof machine>, "run" | "now">,
  size: BatchSize,
  rows = 1000,
  progress = (_: number) => {},
) => inBatches(lengths, { size, rows, lengthOf: (length) => length, ...on }, progress);

describe("batches", () => {
  it("give each item what it gives alone, in its place, within their size, rows and memory", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 }),
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 40, max: 400 }),
        async (lengths, tokens, rows, memory) => {
          const device = machine(memory, (size) => size);
          let done = 0;
          const results = await runOn(lengths, device, givenSize(tokens), rows, (items) => {
            done += items;
          });
          expect(results).toEqual(lengths.map((length) => length * 10));
          expect(done).toBe(lengths.length);
          for (const size of device.sizes) expect(size).toBeLessThanOrEqual(Math.max(memory, tokens));
        },
      ),
    );
  });

  it("put items of like length together, as many as fit", async () => {
    const device = machine(Number.POSITIVE_INFINITY, () => 1);
    await runOn([9, 1, 10, 2, 1, 10], device, givenSize(20));
    // 1 1 2 | 9 10 | 10
    expect(device.sizes).toEqual([6, 20, 10]);
  });

  it("are halved when they do not fit, and stay so", async () => {
    const device = machine(150, () => 1);
    const size = givenSize(400);
    await runOn(Array(100).fill(10), device, size);
    expect(size.tokens).toBe(100);
    expect(Math.max(...device.sizes)).toBeLessThanOrEqual(100);
    expect(device.sizes).toEqual(Array(10).fill(100));
  });

  it("end with an item that does not fit alone, saying how long it is; any other error passes as it is", async () => {
    await expect(
      runOn(
        [5, 30],
        machine(20, () => 1),
        givenSize(100),
      ),
    ).rejects.toMatchObject({
      code: "device/unavailable",
      message: expect.stringContaining("One text of 30 tokens does not fit the memory of the device"),
      details: { limit: 30 },
    });
    const broken = { now: () => 0, run: () => Promise.reject(new Error("the graph is broken")) };
    await expect(runOn([5], broken, givenSize(100))).rejects.toThrow("the graph is broken");
  });
});

describe("a size that is found", () => {
  const texts = (count: number) => Array(count).fill(16) as number[];

  it("doubles while twice the batch is done faster by the token, and then stays", async () => {
    // As fast as it gets at 8,192 tokens: until then a batch takes the same time whatever is in it.
    const device = machine(1 << 20, (tokens) => Math.max(100, (tokens * 100) / 8192));
    const size = foundSize(1024);
    await runOn(texts(20_000), device, size, 1e9);
    expect(size.tokens).toBe(8192);
    expect([...new Set(device.sizes)].slice(0, 5)).toEqual([1024, 2048, 4096, 8192, 16384]);
  });

  it("stops below what the memory refuses", async () => {
    const device = machine(5000, () => 1);
    const size = foundSize(1024);
    await runOn(texts(20_000), device, size, 1e9);
    expect(size.tokens).toBe(4096);
    expect(device.sizes.at(-2)).toBe(4096);
  });

  it("never passes its bound, and is not misled by batches that are not full", async () => {
    const device = machine(1 << 30, () => 1);
    const bounded = foundSize(1024, 2048);
    await runOn(texts(5000), device, bounded, 1e9);
    expect(bounded.tokens).toBe(2048);
    const few = foundSize(1024);
    for (let turn = 0; turn < 20; turn++) await runOn(texts(8), device, few, 1e9);
    expect(few.tokens).toBe(1024);
  });
});

describe("a graph that asks for more memory than there is above 40 tokens", () => {
  const WANTED: Wanted = { role: "document", task: "search", dense: true, sparse: false };
  const TEXTS = Array.from({ length: 30 }, (_, at) => "river sea moon find ".repeat(1 + (at % 2)).trim());

  it("encodes as it does one text at a time, whatever the batch was to be", async () => {
    const alone = await withSmallEncoder("hungry", {}, async (encoder) => {
      const found = [];
      for (const text of TEXTS) found.push(...(await encoder.encode([text], WANTED)));
      return found;
    });
    for (const batchTokens of [undefined, 40, 64, 100_000]) {
      const together = await withSmallEncoder("hungry", {}, (encoder) => encoder.encode(TEXTS, WANTED), {
        batchTokens,
      });
      expect(together).toEqual(alone);
    }
  });
});
