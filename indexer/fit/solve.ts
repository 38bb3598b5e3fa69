/**
 * Ridge regression towards a prior, for some columns of the table:
 *
 *   argmin over T of |X T - Y|^2 + sum over rows i of lambda_i |T_i - P_i|^2
 *
 * by conjugate gradient on the normal equations with a Jacobi preconditioner (Hestenes
 * and Stiefel 1952; Saad, "Iterative methods", algorithm 9.1). Writing T = P + W gives
 * (X'X + diag(lambda)) W = X'(Y - X P). The columns of T are independent problems with one
 * matrix, so they are solved in blocks, each block in any worker, with the same result.
 */
import type { SparseMatrix } from "./design-matrix.ts";

/** A fit as shared memory. All matrices are row-major float32. */
export interface RidgeProblem {
  /** texts x tokens. */
  readonly design: SparseMatrix;
  /** texts x dimension: the encoder's vectors. */
  readonly targets: Float32Array<SharedArrayBuffer>;
  /** tokens x dimension: the prior on entry, the solution on return. */
  readonly table: Float32Array<SharedArrayBuffer>;
  readonly dimension: number;
  /** Pull of each row towards its prior, above 0. */
  readonly lambda: Float32Array<SharedArrayBuffer>;
  readonly iterations: number;
}

/** Columns solved together: a row of a block fills a few cache lines, and a block of working vectors a few MB. */
export const BLOCK = 64;

/**
 * Solves columns `first` to `first + width` in place. Returns the squared length of the
 * residual Y - X T over these columns.
 */
export function solveBlock(problem: RidgeProblem, first: number, width: number): number {
  const { design, lambda, iterations } = problem;
  const table = columns(problem.table, design.columns, problem.dimension, first, width);
  const residual = columns(problem.targets, design.rows, problem.dimension, first, width);
  const product = new Float32Array(residual.length);
  const scale = preconditioner(design, lambda);

  multiply(design, table, product, width);
  for (let i = 0; i < residual.length; i++) residual[i]! -= product[i]!;
  const r = new Float32Array(table.length);
  multiplyTransposed(design, residual, r, width);
  const w = new Float32Array(table.length);
  const z = new Float32Array(table.length);
  const ap = new Float32Array(table.length);
  precondition(scale, r, z, width);
  const p = z.slice();
  let rz = dots(r, z, width);
  for (let iteration = 0; iteration < iterations; iteration++) {
    multiply(design, p, product, width);
    ap.fill(0);
    multiplyTransposed(design, product, ap, width);
    for (let row = 0, i = 0; row < design.columns; row++)
      for (const end = i + width; i < end; i++) ap[i]! += lambda[row]! * p[i]!;
    const alpha = ratios(rz, dots(p, ap, width));
    for (let i = 0, j = 0; i < w.length; i++, j = j + 1 === width ? 0 : j + 1) {
      w[i]! += alpha[j]! * p[i]!;
      r[i]! -= alpha[j]! * ap[i]!;
    }
    precondition(scale, r, z, width);
    const next = dots(r, z, width);
    const beta = ratios(next, rz);
    rz = next;
    for (let i = 0, j = 0; i < p.length; i++, j = j + 1 === width ? 0 : j + 1)
      p[i] = z[i]! + beta[j]! * p[i]!;
  }

  multiply(design, w, product, width);
  let squares = 0;
  for (let i = 0; i < residual.length; i++) squares += (residual[i]! - product[i]!) ** 2;
  for (let row = 0; row < design.columns; row++) {
    for (let j = 0; j < width; j++)
      problem.table[row * problem.dimension + first + j]! += w[row * width + j]!;
  }
  return squares;
}

/** A copy of some columns of a row-major matrix. */
function columns(
  matrix: Float32Array,
  rows: number,
  stride: number,
  first: number,
  width: number,
): Float32Array {
  const block = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    block.set(matrix.subarray(row * stride + first, row * stride + first + width), row * width);
  }
  return block;
}

/** The diagonal of X'X + diag(lambda). */
function preconditioner({ indices, values }: SparseMatrix, lambda: Float32Array): Float64Array {
  const diagonal = Float64Array.from(lambda);
  for (let k = 0; k < indices.length; k++) diagonal[indices[k]!]! += values[k]! * values[k]!;
  return diagonal;
}

function precondition(scale: Float64Array, r: Float32Array, z: Float32Array, width: number): void {
  for (let row = 0, i = 0; row < scale.length; row++) {
    const inverse = 1 / scale[row]!;
    for (const end = i + width; i < end; i++) z[i] = r[i]! * inverse;
  }
}

/** out = X block. */
function multiply(matrix: SparseMatrix, block: Float32Array, out: Float32Array, width: number): void {
  const { rows, starts, indices, values } = matrix;
  out.fill(0);
  for (let row = 0; row < rows; row++) {
    const to = row * width;
    for (let k = starts[row]!; k < starts[row + 1]!; k++) {
      const from = indices[k]! * width;
      const value = values[k]!;
      for (let j = 0; j < width; j++) out[to + j]! += value * block[from + j]!;
    }
  }
}

/** out += X' block. */
function multiplyTransposed(
  matrix: SparseMatrix,
  block: Float32Array,
  out: Float32Array,
  width: number,
): void {
  const { rows, starts, indices, values } = matrix;
  for (let row = 0; row < rows; row++) {
    const from = row * width;
    for (let k = starts[row]!; k < starts[row + 1]!; k++) {
      const to = indices[k]! * width;
      const value = values[k]!;
      for (let j = 0; j < width; j++) out[to + j]! += value * block[from + j]!;
    }
  }
}

/** Dot product of each column of two blocks. */
function dots(a: Float32Array, b: Float32Array, width: number): Float64Array {
  const sums = new Float64Array(width);
  for (let i = 0, j = 0; i < a.length; i++, j = j + 1 === width ? 0 : j + 1) sums[j]! += a[i]! * b[i]!;
  return sums;
}

/** a / b, and 0 where a column has converged to the last bit. */
function ratios(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, j) => (b[j]! > 0 ? value / b[j]! : 0));
}
