/** The ridge fit over all columns, a thread per core. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { BLOCK, type RidgeProblem } from "./solve.ts";
import type { BlockResult } from "./solve-worker.ts";

/**
 * Solves the problem in place and returns the squared length of the residual over all
 * columns. The result does not depend on the number of threads. `onProgress` gets the
 * share done, 0 to 1.
 */
export async function solveRidge(
  problem: RidgeProblem,
  onProgress: (done: number) => void = () => {},
  threads = availableParallelism(),
): Promise<number> {
  const blocks: number[] = [];
  for (let first = 0; first < problem.dimension; first += BLOCK) blocks.push(first);
  const squares = new Float64Array(problem.dimension);
  const waiting = [...blocks];
  let done = 0;
  const work = async (): Promise<void> => {
    const worker = new Worker(new URL("./solve-worker.ts", import.meta.url), { workerData: problem });
    try {
      for (let first = waiting.shift(); first !== undefined; first = waiting.shift()) {
        const result = await request(worker, first);
        squares[result.first] = result.squares;
        onProgress(++done / blocks.length);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(threads, blocks.length) }, work));
  // Summed in the order of the columns, not of their finishing.
  return squares.reduce((sum, value) => sum + value, 0);
}

function request(worker: Worker, first: number): Promise<BlockResult> {
  return new Promise((resolve, reject) => {
    worker.once("error", reject);
    worker.once("message", (result: BlockResult) => {
      worker.off("error", reject);
      resolve(result);
    });
    worker.postMessage({ first });
  });
}
