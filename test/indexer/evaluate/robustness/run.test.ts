import { beforeAll, describe, expect, it } from "vitest";
import { measureRobustness, type Robustness, SUITES } from "../../../../indexer/evaluate/robustness/run.ts";
import { SILENT } from "../../../../indexer/progress.ts";
import { tinySubject } from "../../../helpers/tiny-subject.ts";

const OPTIONS = { seed: 7, sample: 12 };
let subject: Awaited<ReturnType<typeof tinySubject>>;
let robustness: Robustness;

beforeAll(async () => {
  subject = await tinySubject();
  robustness = await measureRobustness(subject, subject, OPTIONS, SILENT);
});

/** The figure of a row of a suite. */
function figureOf(suite: string, row: string, column: string): number {
  const rows = robustness.suites.find((result) => result.suite === suite)!.rows;
  return rows.find(({ name }) => name === row)!.figures[column]!.value;
}

describe("the robustness suites", () => {
  it("all give rows of figures, each within its interval", () => {
    expect(robustness).toMatchObject(OPTIONS);
    expect(robustness.suites.map(({ suite }) => suite)).toEqual(SUITES.map(({ name }) => name));
    for (const { rows } of robustness.suites) {
      expect(rows.length).toBeGreaterThan(0);
      for (const { value, low = value, high = value } of rows.flatMap((row) => Object.values(row.figures))) {
        expect(Number.isFinite(value)).toBe(true);
        expect(low).toBeLessThanOrEqual(value + 1e-12);
        expect(high).toBeGreaterThanOrEqual(value - 1e-12);
      }
    }
  });

  it("give the same for the same seed, and draw others for another", async () => {
    // The others draw nothing, or by way of the same function.
    const suites = SUITES.filter(({ name }) => name === "typos" || name === "poison");
    const draw = (seed: number) => measureRobustness(subject, subject, { seed, sample: 4, suites }, SILENT);
    const once = await draw(7);
    expect(await draw(7)).toEqual(once);
    expect((await draw(8)).suites).not.toEqual(once.suites);
  });

  it("find what the tokenizer takes for the same in the same order", () => {
    for (const name of ["upper case", "accents, composed", "accents, decomposed", "no-break spaces"]) {
      expect(figureOf("writing", name, "hybrid")).toBe(1);
    }
  });

  it("show the sparse side as a bag of words and the full encoder as none", () => {
    expect(figureOf("shuffle", "words shuffled", "bm25")).toBe(1);
    expect(figureOf("shuffle", "words shuffled", "sparse")).toBe(1);
    expect(figureOf("shuffle", "words shuffled", "full-dense")).toBeLessThan(0.5);
  });

  it("find the index close to brute force over the same table", () => {
    expect(figureOf("fidelity", "index, float32 brute force", "recall@10")).toBeGreaterThan(0.95);
  });

  it("show more poisoned passages to more queries", () => {
    const shares = ["1 passage", "2 passages"].map((row) => figureOf("poison", row, "dense"));
    expect(shares[1]).toBeGreaterThanOrEqual(shares[0]!);
  });
});
