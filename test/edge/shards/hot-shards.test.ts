import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HotShards } from "../../../edge/shards/hot-shards.ts";
import { MemoryBudget } from "../../../shared/engine/budget.ts";
import { type HotShard, hotShardBytes } from "../../../shared/engine/resident.ts";
import type { Sha256 } from "../../../shared/hash.ts";
import { type Arena, createWasmArena } from "../../../shared/kernels/arena.ts";
import type { Kernels } from "../../../shared/kernels/kernels.ts";
import { SCRATCH_BYTES } from "../../../shared/kernels/memory.ts";
import { builtKernels } from "../../shared/kernels/built.ts";

const KIB = 1024;
const LIMIT = 1024 * KIB;
const module = await builtKernels();

/** Of a shard what memory has to do with: `pages` of kernel memory with its number in them, and arrays of its own. */
function shardIn(kernels: Kernels, number: number, pages: number): HotShard {
  const bytes = pages * 64 * KIB - SCRATCH_BYTES;
  const codes = kernels.allocate(bytes);
  kernels.bytes(codes, bytes).fill(number + 1);
  const owners = new Uint32Array(256).fill(number);
  const none = new Uint32Array(0);
  return {
    kernels,
    owners,
    codes: { clusters: null },
    postings: { terms: none, starts: none },
  } as unknown as HotShard;
}

function numberOf(shard: HotShard, pages: number): readonly number[] {
  const bytes = shard.kernels.bytes(SCRATCH_BYTES, pages * 64 * KIB - SCRATCH_BYTES);
  return [bytes[0]!, bytes[bytes.length - 1]!, shard.owners[0]! + 1];
}

const sha = (number: number) => String(number) as Sha256;
const needs = (pages: number) => ({ kernelBytes: pages * 64 * KIB, otherBytes: 1024 });

function setUp() {
  const budget = new MemoryBudget(LIMIT);
  const arenas: Arena[] = [];
  const state = { now: 0, looks: [] as (() => void)[] };
  const shards = new HotShards({
    budget,
    arena(capBytes) {
      const arena = createWasmArena(module, capBytes);
      arenas.push(arena);
      return arena;
    },
    now: () => state.now,
    pause: () =>
      new Promise((resolve) => {
        state.looks.push(resolve);
      }),
  });
  return { shards, budget, arenas, state };
}

describe("shards in an isolate's memory", () => {
  it("never take more than the budget, and each is itself whatever was evicted for it", async () => {
    const load = fc.record({
      number: fc.nat(11),
      from: fc.constantFrom("store" as const, "storage" as const),
      fails: fc.nat(9),
    });
    const other = fc.record({ claim: fc.integer({ min: 0, max: LIMIT }) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof({ weight: 6, arbitrary: load }, other), { maxLength: 40 }),
        async (steps) => {
          const { shards, budget } = setUp();
          const pagesOf = (number: number) => 1 + (number % 5);
          const doing: Promise<void>[] = [];
          for (const step of steps) {
            if ("claim" in step) {
              // Somebody who shares the budget, and keeps it for a moment.
              budget.claim(step.claim)?.release();
            } else {
              const { number, from, fails } = step;
              const way = {
                async load(kernels: Kernels) {
                  for (let at = 0; at < number % 4; at++) await Promise.resolve();
                  if (fails === 0) throw new Error("Not to be had.");
                  return shardIn(kernels, number, pagesOf(number));
                },
                have: (shard: HotShard) =>
                  expect(numberOf(shard, pagesOf(number))).toEqual(Array(3).fill(number + 1)),
              };
              doing.push(
                shards.load(sha(number), from, needs(pagesOf(number)), way).catch((error: Error) => {
                  expect(error.message).toMatch(/Not to be had|ask again shortly/);
                }),
              );
              if (number % 3 === 0) await doing[doing.length - 1];
            }
            expect(budget.usedBytes).toBeLessThanOrEqual(LIMIT);
            for (let number = 0; number < 12; number++) {
              const shard = shards.get(sha(number));
              if (shard !== undefined)
                expect(numberOf(shard, pagesOf(number))).toEqual(Array(3).fill(number + 1));
            }
          }
          await Promise.all(doing);
        },
      ),
      { numRuns: 150 },
    );
  });

  it("hand their memory on, so that no more of it is made than fits", async () => {
    const { shards, arenas } = setUp();
    for (let round = 0; round < 30; round++)
      await shards.load(sha(round), "storage", needs(5), {
        load: async (kernels) => shardIn(kernels, round, 5),
        have: () => undefined,
      });
    expect(arenas.length).toBe(3);
    expect(hotShardBytes(shards.get(sha(29))!)).toBe(5 * 64 * KIB + 1024);
  });

  it("are refused above the whole budget", async () => {
    const { shards } = setUp();
    const way = { load: async () => Promise.reject(new Error()), have: () => undefined };
    await expect(shards.load(sha(1), "store", needs(17), way)).rejects.toMatchObject({
      code: "index/too-large",
    });
  });

  it("wait for a load that never ends a minute and no longer", async () => {
    const { shards, state, budget } = setUp();
    const never = { load: () => new Promise<HotShard>(() => undefined), have: () => undefined };
    void shards.load(sha(1), "store", needs(5), never);
    const next = shards.load(sha(2), "store", needs(5), {
      load: async (kernels) => shardIn(kernels, 2, 5),
      have: () => undefined,
    });
    let done = false;
    void next.then(() => {
      done = true;
    });
    for (const time of [30_000, 60_000, 60_001]) {
      state.now = time;
      for (const look of state.looks.splice(0)) look();
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      expect(done).toBe(time > 60_000);
    }
    await next;
    expect(budget.usedBytes).toBe(5 * 64 * KIB + 1024);
  });
});
