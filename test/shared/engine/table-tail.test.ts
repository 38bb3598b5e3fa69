import { beforeAll, describe, expect, it } from "vitest";
import { Random } from "../../../indexer/random.ts";
import { encodeQuery } from "../../../shared/engine/encode-query.ts";
import {
  loadTable,
  missingRows,
  type ResidentTable,
  readRows,
  residentTableBytes,
} from "../../../shared/engine/resident-table.ts";
import { TAIL_SLOTS } from "../../../shared/engine/table-tail.ts";
import type { BlobEntry } from "../../../shared/format/manifest.ts";
import type { Kernels } from "../../../shared/kernels/kernels.ts";
import { createReferenceKernels } from "../../../shared/kernels/reference.ts";
import { createWasmKernels } from "../../../shared/kernels/wasm.ts";
import { KIB, MIB } from "../../../shared/limits.ts";
import type { MemoryStore } from "../../../shared/store/memory.ts";
import type { ReadStore } from "../../../shared/store/store.ts";
import { LARGE, LARGE_PAIRS, largeTable } from "../../helpers/large-table.ts";
import { builtKernels } from "../kernels/built.ts";

/** Bytes of memory for the table: its columns and slots take a good half. */
const MOST = 500 * KIB;

let store: MemoryStore;
let entry: BlobEntry;
let module: Awaited<ReturnType<typeof builtKernels>>;
beforeAll(async () => {
  ({ store, entry } = await largeTable(1_000_000));
  module = await builtKernels();
});

/** A store that notes the lengths of its range reads, and does `before` each. */
function watched(
  before: (start: number) => void = () => undefined,
): ReadStore & { readonly reads: number[] } {
  const reads: number[] = [];
  return {
    reads,
    get: (key) => store.get(key),
    head: (key) => store.head(key),
    async getRange(key, start, length) {
      before(start);
      reads.push(length);
      return store.getRange(key, start, length);
    },
  };
}

const wasm = () => createWasmKernels(module, 16 * MIB);
const whole = (kernels: Kernels = wasm()) =>
  loadTable(store, entry, kernels, undefined, Number.POSITIVE_INFINITY);
const ranged = (from: ReadStore = store, kernels: Kernels = wasm()) =>
  loadTable(from, entry, kernels, undefined, MOST);

async function ready(table: ResidentTable, ids: readonly number[]): Promise<void> {
  for (let wait = readRows(table, ids); wait !== null; wait = readRows(table, ids)) await wait;
}

describe("a table that is not kept as a whole", () => {
  it("gives every query the bits that the whole table gives it, on both kernels", async () => {
    const tables = [await whole(), await ranged(), await ranged(store, createReferenceKernels(16 * MIB))];
    expect(tables.map(({ tail }) => tail !== null)).toEqual([false, true, true]);
    const random = new Random(3);
    for (let query = 0; query < 60; query++) {
      const ids = Array.from({ length: 1 + (query % 12) }, () => random.bits() % (LARGE + 5));
      if (query % 5 === 0) ids.push(...LARGE_PAIRS);
      for (const table of tables) await ready(table, ids);
      const [expected, ...found] = tables.map((table) => encodeQuery(table, ids));
      for (const each of found) expect(each).toEqual(expected);
    }
  });

  it("takes no more memory than it may", async () => {
    const table = await ranged();
    expect(entry.bytes).toBeGreaterThan(MOST + 256 * KIB);
    expect(residentTableBytes(table)).toBeLessThanOrEqual(MOST);
  });

  it("reads nothing for what is used most and for pairs, and one block of 64 KiB for a rare token", async () => {
    const from = watched();
    const table = await ranged(from);
    from.reads.length = 0;
    expect(readRows(table, [LARGE - 1, LARGE - 2, LARGE + 99])).toBeNull();
    await ready(table, LARGE_PAIRS);
    const rare = LARGE_PAIRS.filter((id) => id < LARGE / 2);
    expect(from.reads.length).toBeLessThanOrEqual(rare.length);
    from.reads.length = 0;
    await ready(table, [1]);
    await ready(table, [1]);
    expect(from.reads).toEqual([64 * KIB]);
    // Its neighbour lies in the same block.
    from.reads.length = 0;
    await ready(table, [2, 3, 4]);
    expect(from.reads).toEqual([64 * KIB]);
  });

  it("waits for no read that another query began, as that may die with its request", async () => {
    let stuck = true;
    const from = watched();
    const slow: ReadStore = {
      ...from,
      getRange: (...asked) => (stuck ? new Promise(() => undefined) : from.getRange(...asked)),
    };
    stuck = false;
    const table = await ranged(slow);
    stuck = true;
    void ready(table, [7]);
    stuck = false;
    await ready(table, [7, LARGE - 1]);
    expect(encodeQuery(table, [7])).toEqual(encodeQuery(await whole(), [7]));
  });

  it("keeps the rows that were used last, and reads the others again", async () => {
    const from = watched();
    const table = await ranged(from);
    const tail = Array.from({ length: TAIL_SLOTS }, (_, id) => id);
    await ready(table, tail);
    expect(missingRows(table, tail)).toEqual([]);
    encodeQuery(table, [0]);
    await ready(table, [TAIL_SLOTS]);
    expect(missingRows(table, [0, 2, TAIL_SLOTS])).toEqual([]);
    expect(missingRows(table, [1])).toHaveLength(1);
    const expected = encodeQuery(await whole(), tail.slice(1));
    await ready(table, tail.slice(1));
    expect(encodeQuery(table, tail.slice(1))).toEqual(expected);
  });

  it("refuses to add a row that was not read", async () => {
    const table = await ranged();
    expect(() => encodeQuery(table, [1])).toThrow("not in memory");
  });

  it("fails as the store does, keeps nothing of it, and answers once the store does", async () => {
    let down = false;
    const from = watched(() => {
      if (down) throw new Error("down");
    });
    const table = await ranged(from);
    down = true;
    await expect(readRows(table, [1, 9000])).rejects.toThrow("down");
    expect(missingRows(table, [1, 9000])).toHaveLength(2);
    down = false;
    await ready(table, [1, 9000]);
    expect(encodeQuery(table, [1, 9000])).toEqual(encodeQuery(await whole(), [1, 9000]));
  });

  it("refuses a damaged block of the tail, by the name of its file", async () => {
    const from = watched();
    const table = await ranged(from);
    const good = (await store.get(entry.key))!.body;
    const bad = good.slice();
    // The last rows of tokens lie before the last page, that of the pairs, and the columns behind it.
    for (let at = bad.length >> 1; at < bad.length; at += 4096) bad[at]! ^= 1;
    await store.put(entry.key, bad);
    try {
      await expect(readRows(table, [1])).rejects.toMatchObject({
        code: "blob/corrupt",
        details: { blob: entry.key },
      });
      expect(missingRows(table, [1])).toHaveLength(1);
    } finally {
      await store.put(entry.key, good);
    }
  });
});
