import { describe, expect, it } from "vitest";
import { designMatrix } from "../../../indexer/fit/design-matrix.ts";
import { fitTable } from "../../../indexer/fit/fit-table.ts";
import { type RidgeProblem, solveBlock } from "../../../indexer/fit/solve.ts";
import { solveRidge } from "../../../indexer/fit/solve-parallel.ts";
import { Random } from "../../../indexer/random.ts";
import { phrasesOf } from "../../../shared/engine/phrases.ts";

const LAMBDA = 0.3;

function shared(length: number, value: (i: number) => number): Float32Array<SharedArrayBuffer> {
  const values = new Float32Array(new SharedArrayBuffer(4 * length));
  for (let i = 0; i < length; i++) values[i] = value(i);
  return values;
}

/** Random texts over a few tokens, their vectors and a prior. */
function problemOf(seed: number, texts: number, vocabulary: number, dimension: number) {
  const random = new Random(seed);
  const even = () => random.bits() / 2 ** 31 - 1;
  const tokens = Array.from({ length: texts }, () =>
    Array.from({ length: 1 + random.below(6) }, () => random.below(vocabulary)),
  );
  const { matrix, features: used } = designMatrix(tokens, vocabulary);
  const prior = shared(used.length * dimension, even);
  const problem: RidgeProblem = {
    design: matrix,
    targets: shared(texts * dimension, even),
    table: shared(prior.length, (i) => prior[i]!),
    dimension,
    lambda: shared(used.length, () => LAMBDA),
    iterations: 60,
  };
  return { problem, prior, texts: tokens, used };
}

/** The design matrix from the texts themselves: counts over the root of the length. */
function dense(texts: readonly (readonly number[])[], used: Uint32Array): number[][] {
  return texts.map((ids) =>
    Array.from(used, (token) => ids.filter((id) => id === token).length / Math.sqrt(ids.length)),
  );
}

/** Solves (X'X + diag(lambda)) T = X'Y + diag(lambda) P by elimination, and gives the squared residual too. */
function eliminate(
  x: readonly number[][],
  y: Float32Array,
  p: Float32Array,
  dimension: number,
  pull: (row: number) => number = () => LAMBDA,
) {
  const n = x[0]!.length;
  const rows = Array.from({ length: n }, (_, i) => [
    ...Array.from({ length: n }, (_, j) =>
      x.reduce((s, row) => s + row[i]! * row[j]!, i === j ? pull(i) : 0),
    ),
    ...Array.from({ length: dimension }, (_, c) =>
      x.reduce((s, row, at) => s + row[i]! * y[at * dimension + c]!, pull(i) * p[i * dimension + c]!),
    ),
  ]);
  for (let i = 0; i < n; i++) {
    const pivot = rows.reduce(
      (b, row, k) => (k >= i && Math.abs(row[i]!) > Math.abs(rows[b]![i]!) ? k : b),
      i,
    );
    [rows[i], rows[pivot]] = [rows[pivot]!, rows[i]!];
    for (let k = 0; k < n; k++) {
      if (k === i) continue;
      const factor = rows[k]![i]! / rows[i]![i]!;
      rows[k] = rows[k]!.map((value, c) => value - factor * rows[i]![c]!);
    }
  }
  const table = rows.flatMap((row, i) => row.slice(n).map((value) => value / row[i]!));
  let squares = 0;
  x.forEach((row, at) => {
    for (let c = 0; c < dimension; c++) {
      const sum = row.reduce((s, value, i) => s + value * table[i * dimension + c]!, 0);
      squares += (y[at * dimension + c]! - sum) ** 2;
    }
  });
  return { table, squares };
}

function expectClose(actual: ArrayLike<number>, wanted: readonly number[]): void {
  expect(actual.length).toBe(wanted.length);
  const worst = wanted.reduce((most, value, i) => Math.max(most, Math.abs(value - actual[i]!)), 0);
  expect(worst).toBeLessThan(1e-4);
}

describe("the design matrix", () => {
  it("has counts over the root of the number of tokens, for tokens that occur, in order", () => {
    const { matrix, features } = designMatrix([[7, 3, 7, 7], [], [3]], 8);
    expect(Array.from(features)).toEqual([3, 7]);
    expect([matrix.rows, matrix.columns]).toEqual([3, 2]);
    expect(Array.from(matrix.starts)).toEqual([0, 2, 2, 3]);
    expect(Array.from(matrix.indices)).toEqual([0, 1, 0]);
    expect(Array.from(matrix.values)).toEqual([0.5, 1.5, 1]);
  });

  it("has a column for each pair of neighbours that occurs, which does not make a text longer", () => {
    const phrases = phrasesOf(Uint32Array.of(3, 7, 7, 3, 7, 7));
    const { matrix, features } = designMatrix([[7, 3, 7, 3], [3]], 8, phrases);
    expect(Array.from(features)).toEqual([3, 7, 8, 9]);
    expect(Array.from(matrix.starts)).toEqual([0, 4, 5]);
    expect(Array.from(matrix.values)).toEqual([1, 1, 0.5, 1, 1]);
  });
});

describe("the ridge fit", () => {
  it.each([1, 2, 3, 4])("of random problem %i is what elimination gives", (seed) => {
    const { problem, prior, texts, used } = problemOf(seed, 40, 12, 5);
    const wanted = eliminate(dense(texts, used), problem.targets, prior, 5);
    const squares = solveBlock(problem, 0, 5);
    expectClose(problem.table, wanted.table);
    expect(squares).toBeCloseTo(wanted.squares, 3);
  });

  it("of some columns leaves the others alone", () => {
    const { problem, prior, texts, used } = problemOf(9, 30, 8, 6);
    const { table } = eliminate(dense(texts, used), problem.targets, prior, 6);
    solveBlock(problem, 2, 3);
    const wanted = Array.from(prior, (value, i) => (i % 6 >= 2 && i % 6 < 5 ? table[i]! : value));
    expectClose(problem.table, wanted);
  });

  it("of more columns than a block is what elimination gives, whatever the number of threads", async () => {
    const dimension = 150;
    const [one, two] = [problemOf(5, 30, 10, dimension), problemOf(5, 30, 10, dimension)];
    const wanted = eliminate(dense(one.texts, one.used), one.problem.targets, one.prior, dimension);
    const shares: number[] = [];
    const squares = await solveRidge(one.problem, (done) => shares.push(done), 1);
    expectClose(one.problem.table, wanted.table);
    expect(squares).toBeCloseTo(wanted.squares, 2);
    expect(shares).toEqual([1 / 3, 2 / 3, 1]);
    expect(await solveRidge(two.problem, () => {}, 2)).toBe(squares);
    expect(two.problem.table).toEqual(one.problem.table);
  });

  it("keeps the prior where the texts already agree with it", async () => {
    const { problem, prior } = problemOf(6, 20, 6, 4);
    const { design } = problem;
    for (let row = 0; row < design.rows; row++)
      for (let c = 0; c < 4; c++) {
        let sum = 0;
        for (let k = design.starts[row]!; k < design.starts[row + 1]!; k++)
          sum += design.values[k]! * prior[design.indices[k]! * 4 + c]!;
        problem.targets[row * 4 + c] = sum;
      }
    expect(await solveRidge(problem, () => {}, 1)).toBeLessThan(1e-6);
    expectClose(problem.table, Array.from(prior));
  });
});

describe("a fitted table", () => {
  it("moves the rows of tokens that occur, keeps the others and leaves the prior alone", async () => {
    const { problem, prior, texts, used } = problemOf(8, 40, 9, 5);
    const whole = new Float32Array(12 * 5).fill(0.25);
    used.forEach((token, column) => {
      whole.set(prior.subarray(column * 5, column * 5 + 5), token * 5);
    });
    const before = whole.slice();
    const options = { lambda: LAMBDA, phraseLambda: 1, iterations: 60 };
    const phrases = new Uint32Array(0);
    const fitTexts = { tokens: texts, phrases, targets: problem.targets };
    const { rows, figures } = await fitTable(fitTexts, whole, 5, options);
    const wanted = eliminate(dense(texts, used), problem.targets, prior, 5);
    expect(whole).toEqual(before);
    const expected = Array.from(before);
    used.forEach((token, column) => {
      for (let c = 0; c < 5; c++) expected[token * 5 + c] = wanted.table[column * 5 + c]!;
    });
    expectClose(rows, expected);
    expect(figures).toMatchObject({ texts: 40, tokens: used.length, phrases: 0, lambda: LAMBDA });
    expect(figures.residual).toBeCloseTo(Math.sqrt(wanted.squares / 40), 4);
  });

  it("gives each pair the row that its texts ask for beyond the tokens' own, by its own pull", async () => {
    const { problem, texts } = problemOf(3, 50, 6, 5);
    const pairs = Uint32Array.of(0, 1, 2, 3, 5, 5);
    const { matrix, features } = designMatrix(texts, 6, phrasesOf(pairs));
    const x = Array.from({ length: matrix.rows }, (_, row) => {
      const values = new Array<number>(matrix.columns).fill(0);
      for (let k = matrix.starts[row]!; k < matrix.starts[row + 1]!; k++)
        values[matrix.indices[k]!] = matrix.values[k]!;
      return values;
    });
    const options = { lambda: LAMBDA, phraseLambda: 2, iterations: 80 };
    const prior = new Float32Array(6 * 5).fill(0.5);
    const table = await fitTable(
      { tokens: texts, phrases: pairs, targets: problem.targets },
      prior,
      5,
      options,
    );
    const start = Float32Array.from({ length: features.length * 5 }, (_, i) =>
      features[Math.floor(i / 5)]! < 6 ? 0.5 : 0,
    );
    const wanted = eliminate(x, problem.targets, start, 5, (row) => (features[row]! < 6 ? LAMBDA : 2));
    const found = Array.from(features, (feature) =>
      feature < 6
        ? table.rows.subarray(feature * 5, feature * 5 + 5)
        : table.phraseRows.subarray((feature - 6) * 5, (feature - 5) * 5),
    );
    expectClose(
      found.flatMap((row) => [...row]),
      wanted.table,
    );
    expect(table.phrases).toEqual(pairs);
    expect(table.figures).toMatchObject({ phrases: 3, phrase_lambda: 2 });
  });
});
