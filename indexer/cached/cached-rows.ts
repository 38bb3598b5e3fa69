/** The rows of a plan as a table, read from their files a block at a time. */
import { LightedgeError } from "../../shared/errors.ts";
import type { Rotation } from "../compress/rotate.ts";
import type { TableRows } from "../fit/table-rows.ts";
import { numbersOf } from "./halves.ts";
import { RowFolder } from "./row-folder.ts";
import { BLOCK, type RowPlan } from "./row-plan.ts";

/**
 * The rows that `makeRows` has put into a folder of caches, rotated where there is a rotation. A file that is no longer
 * sound when its turn comes is `blob/corrupt`; the next run makes it anew. Memory: one block and what is asked for.
 */
export function cachedRows(plan: RowPlan, cache: string, rotation: Rotation | null): TableRows {
  const { vocabulary, dimension, tokens } = plan;
  const folder = new RowFolder(plan, cache);
  const current = { block: -1, values: new Float32Array(BLOCK * dimension) };

  /** Reads a block, unless it is the one at hand. */
  function load(block: number): void {
    if (current.block === block) return;
    const halves = folder.read(block);
    if (halves === null) {
      throw new LightedgeError(
        "blob/corrupt",
        `${folder.pathOf(block)} is gone or damaged. Run again: its rows are made anew.`,
        { file: folder.pathOf(block) },
      );
    }
    current.block = -1;
    numbersOf(halves, current.values);
    if (rotation !== null)
      for (let at = 0; at < halves.length; at += dimension) rotation.apply(current.values, at);
    current.block = block;
  }

  return {
    vocabulary,
    dimension,
    async read(first, count) {
      const rows = new Float32Array(count * dimension);
      const end = Math.min(first + count, tokens);
      for (let id = first; id < end; ) {
        const block = Math.floor(id / BLOCK);
        load(block);
        const to = Math.min(end, (block + 1) * BLOCK);
        const [from, until] = [id - block * BLOCK, to - block * BLOCK];
        rows.set(current.values.subarray(from * dimension, until * dimension), (id - first) * dimension);
        id = to;
      }
      return rows;
    },
  };
}
