import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Base, BaseShard } from "../../../indexer/incremental/base.ts";
import { planRun, type RunPlan } from "../../../indexer/incremental/plan.ts";

const RECIPE = "r";
const OPTIONS = { recipe: RECIPE, refitDrift: 0.25 };

/** What of a base a plan looks at: for each shard ids with what they say, `null` for a dead one. */
type Shards = readonly (readonly (readonly [id: string, digest: string | null])[])[];

function baseOf(shards: Shards, build: object | null = { recipe: RECIPE, fitted: 1000, changed: 0 }): Base {
  const made = shards.map(
    (rows) =>
      ({
        ids: rows.map(([id]) => id),
        digests: rows.map(([, digest]) => digest ?? "old"),
        chunks: rows.map(() => 1),
        dead: new Set([...rows.keys()].filter((row) => rows[row]![1] === null)),
      }) as unknown as BaseShard,
  );
  return { shards: made, manifest: { build: build ?? undefined } } as unknown as Base;
}

function documentsOf(digests: Readonly<Record<string, string>>) {
  const ids = Object.keys(digests).sort();
  return { ids, digests: ids.map((id) => digests[id]!) };
}

/** Live documents of a base after a plan, with what they say; what is made anew counts as the source has it. */
function outcome(
  { shards }: Base,
  plan: RunPlan,
  source: ReturnType<typeof documentsOf>,
): Map<string, string> {
  const found = new Map<string, string>();
  shards.forEach(({ ids, digests }, at) => {
    const { fate, dead } = plan.shards[at]!;
    if (fate === "drop") return;
    ids.forEach((id, row) => {
      if (dead.includes(row)) return;
      expect(found.has(id), id).toBe(false);
      found.set(id, digests![row]!);
    });
  });
  for (const number of plan.fresh) {
    expect(found.has(source.ids[number]!)).toBe(false);
    found.set(source.ids[number]!, source.digests[number]!);
  }
  return found;
}

describe("the plan of a run", () => {
  it("leaves just what the source has, whatever there was before", () => {
    const id = fc.constantFrom(..."abcdefghijklmnop");
    const digest = fc.constantFrom("1", "2", "3");
    const live = fc.dictionary(id, fc.tuple(digest, fc.nat(3)));
    const dead = fc.array(fc.tuple(id, fc.nat(3)), { maxLength: 6 });
    fc.assert(
      fc.property(live, dead, fc.dictionary(id, digest, { minKeys: 1 }), (alive, gone, now) => {
        const shards = [0, 1, 2, 3].map((shard) => {
          const rows = new Map<string, string | null>(
            gone.filter(([, at]) => at === shard).map(([name]) => [name, null] as const),
          );
          for (const [name, [says, at]] of Object.entries(alive)) if (at === shard) rows.set(name, says);
          return [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
        });
        const base = baseOf(shards.filter((rows) => rows.length > 0));
        const source = documentsOf(now);
        const plan = planRun(base, source, OPTIONS);
        expect(outcome(base, plan, source)).toEqual(new Map(Object.entries(now)));
        const before = Object.keys(alive);
        expect(plan.added).toBe(source.ids.filter((name) => !before.includes(name)).length);
        expect(plan.removed).toBe(before.filter((name) => !(name in now)).length);
        expect(plan.unchanged + plan.changed + plan.added).toBe(source.ids.length);
        expect(plan.fresh.length).toBe(plan.added + plan.changed);
      }),
    );
  });

  it("is to do nothing where nothing changed", () => {
    const base = baseOf([
      [
        ["a", "1"],
        ["b", null],
      ],
      [["b", "2"]],
    ]);
    const plan = planRun(base, documentsOf({ a: "1", b: "2" }), OPTIONS);
    expect(plan).toMatchObject({ kind: "none", unchanged: 2, fresh: [] });
    expect(plan.shards).toEqual([
      { fate: "keep", dead: [1] },
      { fate: "keep", dead: [] },
    ]);
  });

  it.each([
    ["there is no version", null, "there is no version yet"],
    [
      "the version is of before such runs",
      baseOf([[["a", "1"]]], null),
      "the version before cannot be added to",
    ],
    [
      "another recipe made it",
      baseOf([[["a", "1"]]], { recipe: "other", fitted: 1, changed: 0 }),
      "the model or a setting is another",
    ],
    [
      "the corpus has drifted",
      baseOf([[["a", "1"]]], { recipe: RECIPE, fitted: 10, changed: 3 }),
      "30 % of the documents changed since the table was fitted",
    ],
  ] as const)("is to make everything where %s", (_, base, reason) => {
    const plan = planRun(base, documentsOf({ a: "1" }), OPTIONS);
    expect(plan).toMatchObject({ kind: "all", reason, fresh: [0] });
    expect(plan.shards.every(({ fate }) => fate === "drop")).toBe(true);
  });

  it("counts what changes now towards the drift, and refits only above the bound", () => {
    const base = (changed: number) =>
      baseOf(
        [
          [
            ["a", "1"],
            ["b", "1"],
          ],
        ],
        { recipe: RECIPE, fitted: 8, changed },
      );
    const source = documentsOf({ a: "2", b: "1" });
    expect(planRun(base(1), source, OPTIONS)).toMatchObject({ kind: "some", drift: 0.25 });
    expect(planRun(base(2), source, OPTIONS)).toMatchObject({ kind: "all", drift: 0.375 });
  });

  it("is to write a shard again once three in ten of it are dead, and to drop one with none alive", () => {
    const rows = (from: number, count: number) =>
      Array.from({ length: count }, (_, at) => [`${String(from + at).padStart(3, "0")}`, "1"] as const);
    const base = baseOf([rows(0, 10), rows(100, 10), rows(200, 10)]);
    const alive = [...rows(4, 6), ...rows(200, 10), ...rows(103, 7)];
    const plan = planRun(base, documentsOf(Object.fromEntries(alive.map(([id]) => [id, "1"]))), OPTIONS);
    expect(plan.shards.map(({ fate }) => fate)).toEqual(["merge", "keep", "keep"]);
    const gone = planRun(
      base,
      documentsOf(Object.fromEntries(rows(100, 10).map(([id]) => [id, "1"]))),
      OPTIONS,
    );
    expect(gone.shards.map(({ fate }) => fate)).toEqual(["drop", "keep", "drop"]);
  });

  it("keeps shards few and writes no document often, over a thousand runs that add one", () => {
    let shards: (readonly [string, string])[][] = [];
    let written = 0;
    const all: Record<string, string> = {};
    for (let run = 0; run < 1000; run++) {
      const id = String((run * 7919) % 1000).padStart(4, "0");
      all[id] = "1";
      const base = baseOf(shards);
      const plan = planRun(base, documentsOf(all), { ...OPTIONS, refitDrift: Number.POSITIVE_INFINITY });
      const merged = shards.filter((_, at) => plan.shards[at]!.fate === "merge").flat();
      const made = [...merged, [id, "1"] as const].sort(([a], [b]) => (a < b ? -1 : 1));
      written += made.length;
      shards = [...shards.filter((_, at) => plan.shards[at]!.fate === "keep"), made];
      expect(shards.length).toBeLessThanOrEqual(11);
    }
    expect(written).toBeLessThan(1000 * 11);
  });
});
