/** A thread that solves column blocks until it is told to stop. */
import { parentPort, workerData } from "node:worker_threads";
import { BLOCK, type RidgeProblem, solveBlock } from "./solve.ts";

/** A block to solve, by its first column. */
export interface BlockRequest {
  readonly first: number;
}

/** A solved block with its squared residual. */
export interface BlockResult {
  readonly first: number;
  readonly squares: number;
}

const problem = workerData as RidgeProblem;

parentPort?.on("message", ({ first }: BlockRequest) => {
  const width = Math.min(BLOCK, problem.dimension - first);
  const result: BlockResult = { first, squares: solveBlock(problem, first, width) };
  parentPort?.postMessage(result);
});
