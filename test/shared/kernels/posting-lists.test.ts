import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LightedgeError } from "../../../shared/errors.ts";
import type { Kernels } from "../../../shared/kernels/kernels.ts";
import { FORM, LIST_MARGIN, planLists, readList, writeLists } from "../../../shared/kernels/posting-lists.ts";
import { createReferenceKernels } from "../../../shared/kernels/reference.ts";
import { createWasmKernels } from "../../../shared/kernels/wasm.ts";
import { MIB } from "../../../shared/limits.ts";
import {
  bestOf,
  type Postings,
  postingArrays,
  putDead,
  putLists,
  topOf,
  type WeightedPostings,
} from "../../helpers/posting-lists.ts";
import { builtKernels } from "./built.ts";

const module = await builtKernels();
const wasm = () => createWasmKernels(module, 16 * MIB);

/** A generator of numbers below 1 that follow from a seed (mulberry32). */
function drawing(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How a term's documents lie: in a share of all, in a run, or in the last document alone. */
type Spread = number | "run" | "last";

function makePostings(seed: number, documents: number, spread: Spread, greatest: number): Postings {
  const draw = drawing(seed);
  const first = Math.floor(draw() * documents);
  const holds = (row: number) => {
    if (spread === "last") return row === documents - 1;
    return spread === "run" ? row >= first && row < first + 700 : draw() < spread;
  };
  const rows = Array.from({ length: documents }, (_, row) => row).filter(holds);
  return (rows.length === 0 ? [first] : rows).map((row) => [row, 1 + Math.floor(draw() * greatest)]);
}

// Shares on both sides of each form's bounds; few impacts make ties; weights differ by factors as idf does.
const spreads = fc.constantFrom<Spread>(0.0005, 0.01, 0.05, 0.12, 0.14, 0.5, 0.86, 0.9, 1, "run", "last");
const sizes = fc.constantFrom(1, 2, 255, 256, 257, 1000, 5000);
const terms = fc.array(
  fc.record({
    seed: fc.integer(),
    spread: spreads,
    greatest: fc.constantFrom(1, 3, 255),
    weight: fc.constantFrom(1, 2, 7, 300, 40_000, 1_000_000),
  }),
  { maxLength: 7 },
);

function made(
  documents: number,
  list: readonly { seed: number; spread: Spread; greatest: number; weight: number }[],
): readonly WeightedPostings[] {
  return list.map(({ seed, spread, greatest, weight }) => ({
    postings: makePostings(seed, documents, spread, greatest),
    weight,
  }));
}

describe("lists of postings", () => {
  test("take the form that is shortest", () => {
    const shares = [0.01, 0.1, 0.3, 1];
    const arrays = postingArrays(shares.map((share) => makePostings(1, 6000, share, 9)));
    const plan = planLists(arrays, 6000);
    const out = new Uint8Array(plan[shares.length]!);
    writeLists(arrays, 6000, plan, out);
    const forms = shares.map((_, at) => out[plan[at]! + 3]);
    expect(forms).toEqual([FORM.gaps, FORM.offsets, FORM.bits, FORM.plain]);
  });

  test("hold what went in", () => {
    fc.assert(
      fc.property(sizes, terms, (documents, list) => {
        const all = made(documents, list).map(({ postings }) => postings);
        const arrays = postingArrays(all);
        const plan = planLists(arrays, documents);
        const out = new Uint8Array(plan[all.length]!).fill(255);
        writeLists(arrays, documents, plan, out);
        all.forEach((postings, at) => {
          const bytes = out.subarray(plan[at]!, plan[at + 1]!);
          const { rows, impacts } = readList(bytes, documents);
          expect(rows.map((row, i) => [row, impacts[i]])).toEqual(postings);
        });
      }),
      { numRuns: 100 },
    );
  });

  test("take gaps of any length", () => {
    const rows = [0, 1, 193, 386, 16_706, 33_027, 65_535];
    const arrays = postingArrays([rows.map((row) => [row, 9] as const)]);
    const plan = planLists(arrays, 65_536);
    const out = new Uint8Array(plan[1]!);
    writeLists(arrays, 65_536, plan, out);
    expect(out[3]).toBe(FORM.gaps);
    expect(readList(out, 65_536).rows).toEqual(rows);
  });

  test("hold a block that is full, whose count no byte has", () => {
    for (const [documents, form] of [
      [65_536, FORM.offsets],
      [6000, FORM.bits],
    ] as const) {
      const full = Array.from({ length: 1500 }, (_, i) => [i < 300 ? 256 + i : 4 * i, 7] as const);
      const arrays = postingArrays([full]);
      const plan = planLists(arrays, documents);
      const out = new Uint8Array(plan[1]!);
      writeLists(arrays, documents, plan, out);
      expect(out[3]).toBe(form);
      expect(readList(out, documents).rows).toEqual(full.map(([row]) => row));
      expect(out.length).toBeLessThanOrEqual(3 * 1500 + 8);
    }
  });

  test("are refused where they hold less than they say", () => {
    const arrays = postingArrays([
      [
        [3, 1],
        [9, 1],
      ],
    ]);
    const plan = planLists(arrays, 10);
    const out = new Uint8Array(plan[1]!);
    writeLists(arrays, 10, plan, out);
    out[0] = 5;
    expect(() => readList(out, 10)).toThrow(LightedgeError);
  });
});

describe.each([
  ["scalar", () => createReferenceKernels(16 * MIB)],
  ["WASM", wasm],
] as const)("%s kernels over lists", (name, create) => {
  const runs = { numRuns: name === "WASM" ? 150 : 40 };

  test("find what a map of sums finds: ties, the dead, any number wanted", () => {
    const deaths = fc.constantFrom(0, 0.01, 0.5, 1);
    fc.assert(
      fc.property(sizes, terms, fc.nat(), deaths, fc.integer(), (documents, list, number, share, seed) => {
        const query = made(documents, list);
        const draw = drawing(seed);
        const dead = Array.from({ length: documents }, (_, row) => row).filter(() => draw() < share);
        for (const wanted of [0, 1, number % 40, number % (documents + 1), documents + 1]) {
          const best = bestOf(query, wanted, dead);
          expect(topOf(create(), query, documents, wanted, dead)).toEqual(best);
          // Whatever the least is that somebody asks for, a sum that occurs above all.
          const least = best[number % Math.max(1, best.length)]?.[1] ?? 1;
          expect(topOf(create(), query, documents, wanted, dead, { least })).toEqual(
            bestOf(query, wanted, dead, least),
          );
        }
      }),
      runs,
    );
  });

  test("find the same however much room they have", () => {
    const query = made(5000, [
      { seed: 1, spread: 0.9, greatest: 3, weight: 5 },
      { seed: 2, spread: 0.3, greatest: 255, weight: 1 },
      { seed: 3, spread: 0.01, greatest: 200, weight: 9 },
    ]);
    for (const places of [266, 300, 1000, 10_000]) {
      expect(topOf(create(), query, 5000, 10, [], { places })).toEqual(bestOf(query, 10));
    }
  });

  test("find all of 65,536 documents", () => {
    const query = made(65_536, [
      { seed: 4, spread: 1, greatest: 255, weight: 3 },
      { seed: 5, spread: "last", greatest: 255, weight: 3 },
      { seed: 6, spread: 0.2, greatest: 255, weight: 30 },
      { seed: 7, spread: 0.0005, greatest: 255, weight: 300 },
    ]);
    for (const wanted of [1, 200, 65_536]) {
      expect(topOf(create(), query, 65_536, wanted)).toEqual(bestOf(query, wanted));
    }
  });

  test("take sums up to 2^31 - 1", () => {
    const most = Math.floor((2 ** 31 - 1) / 255);
    const query = [
      {
        postings: [
          [0, 255],
          [1, 254],
          [2, 1],
        ] as const,
        weight: most,
      },
    ];
    expect(topOf(create(), query, 3, 2)).toEqual([
      [0, 255 * most],
      [1, 254 * most],
    ]);
  });

  test("count documents that any list holds, up to a limit", () => {
    fc.assert(
      fc.property(sizes, terms, fc.nat(), (documents, list, number) => {
        const query = made(documents, list);
        const dead = [0, 7, 300, 301].filter((row) => row < documents);
        const kernels = create();
        const { lists, count } = putLists(kernels, query, documents);
        const gone = putDead(kernels, dead, documents);
        const all = bestOf(query, Number.POSITIVE_INFINITY, dead).length;
        for (const limit of [0, 1, number % (documents + 1), documents]) {
          expect(kernels.countPostings(lists, count, documents, gone, limit)).toBe(Math.min(all, limit + 1));
        }
      }),
      runs,
    );
  });

  test("sum up the documents that are asked for", () => {
    fc.assert(
      fc.property(
        sizes,
        terms,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer(),
        (documents, list, share, seed) => {
          const query = made(documents, list);
          const draw = drawing(seed);
          const wanted = Array.from({ length: documents }, (_, row) => row).filter(() => draw() < share);
          const kernels = create();
          const { lists, count } = putLists(kernels, query, documents);
          const rows = kernels.allocate(4 * wanted.length);
          const out = kernels.allocate(4 * wanted.length);
          kernels.ints(rows, wanted.length).set(wanted);
          kernels.ints(out, wanted.length).fill(-1);
          kernels.sumPostings(lists, count, documents, rows, wanted.length, out);
          const sums = new Map(bestOf(query, Number.POSITIVE_INFINITY));
          expect([...kernels.ints(out, wanted.length)]).toEqual(wanted.map((row) => sums.get(row) ?? 0));
        },
      ),
      runs,
    );
  });

  test("work anew in records that were used before", () => {
    const query = made(1000, [
      { seed: 1, spread: 0.5, greatest: 255, weight: 5 },
      { seed: 3, spread: 0.01, greatest: 255, weight: 9 },
    ]);
    const kernels = create();
    const { lists, count } = putLists(kernels, query, 1000);
    const out = kernels.allocate(12 * 300);
    for (let turn = 0; turn < 3; turn++) {
      kernels.countPostings(lists, count, 1000, 0, 10);
      const found = kernels.topPostings(lists, count, 1000, 0, 1, 3, out, 300);
      expect([...kernels.ints(out, found)]).toEqual(bestOf(query, 3).map(([row]) => row));
    }
  });

  // Each call is right but for what its name says.
  const wrong: Record<string, (kernels: Kernels, lists: number, out: number) => unknown> = {
    "more wanted than there is room for": (k, lists, out) => k.topPostings(lists, 1, 300, 0, 1, 5, out, 260),
    "a least sum of 0": (k, lists, out) => k.topPostings(lists, 1, 300, 0, 0, 5, out, 261),
    "found documents past the end": (k, lists) => k.topPostings(lists, 1, 300, 0, 1, 5, 16 * MIB - 3000, 261),
    "more documents than numbers of 16 bits": (k, lists, out) =>
      k.topPostings(lists, 1, 65_537, 0, 1, 5, out, 261),
    "other documents than the list was made for": (k, lists, out) =>
      k.topPostings(lists, 1, 600, 0, 1, 5, out, 261),
    "dead bits past the end": (k, lists) => k.countPostings(lists, 1, 300, 16 * MIB - 63, 5),
    "a limit that is no count": (k, lists) => k.countPostings(lists, 1, 300, 0, -1),
    "a record past the end": (k) => k.countPostings(16 * MIB - 44, 1, 300, 0, 5),
    "a list past the end": (k, lists) => {
      k.ints(lists, 3)[0] = 16 * MIB - 8;
      k.countPostings(lists, 1, 300, 0, 5);
    },
    "a list without its margin": (k, lists) => {
      const records = k.ints(lists, 3);
      const bytes = k.bytes(records[0]!, records[1]!).slice();
      records[0] = 16 * MIB - bytes.length - LIST_MARGIN + 1;
      k.bytes(records[0], bytes.length).set(bytes);
      k.countPostings(lists, 1, 300, 0, 5);
    },
    "a form that is none": (k, lists) => {
      k.bytes(k.ints(lists, 1)[0]!, 4)[3] = 4;
      k.countPostings(lists, 1, 300, 0, 5);
    },
    "a list shorter than its head says": (k, lists) => {
      k.ints(lists, 2)[1]!--;
      k.countPostings(lists, 1, 300, 0, 5);
    },
    "a weight of 0": (k, lists) => {
      k.ints(lists, 3)[2] = 0;
      k.countPostings(lists, 1, 300, 0, 5);
    },
    "a weight whose sums would not fit": (k, lists) => {
      k.ints(lists, 3)[2] = 2 ** 23 + 32_897;
      k.countPostings(lists, 1, 300, 0, 5);
    },
    "rows out of order": (k, lists, out) => {
      k.ints(out, 2).set([5, 5]);
      k.sumPostings(lists, 1, 300, out, 2, out + 64);
    },
    "a row that is no document": (k, lists, out) => {
      k.ints(out, 2).set([5, 300]);
      k.sumPostings(lists, 1, 300, out, 2, out + 64);
    },
    "sums past the end": (k, lists, out) => k.sumPostings(lists, 1, 300, out, 2, 16 * MIB - 4),
  };
  test.each(Object.entries(wrong))("refuse %s", (_, call) => {
    const kernels = create();
    const postings = Array.from({ length: 200 }, (_, i) => [i, 1 + i] as const);
    const { lists } = putLists(kernels, [{ postings, weight: 3 }], 300);
    const out = kernels.allocate(12 * 300);
    kernels.allocate(16 * MIB - (out + 12 * 300 + 64));
    expect(() => call(kernels, lists, out)).toThrow(expect.objectContaining({ code: "internal" }));
  });
});
