/** A made-up model of 2,000 tokens whose rows can be reckoned. */
import { createHash } from "node:crypto";
import type { RowGraph } from "../../../indexer/cached/row-graph.ts";
import { planRows, type RowPlan } from "../../../indexer/cached/row-plan.ts";
import type { Model } from "../../../indexer/model/model.ts";
import type { Sha256 } from "../../../shared/hash.ts";
import { tinyEncoder } from "../../helpers/tiny-encoder.ts";

/** Numbers of a hidden state; a row has the first six. */
const [HIDDEN, DIMENSION] = [8, 6];
/** Ids of the tokenizer; the graph has 100 more. */
export const TOKENS = 2000;
/** Ids at the edges of blocks, and of the table. */
export const SPECIAL = { bos: 3, eos: 511, pad: 1024 } as const;

/** The model, which only says things: `file` is another's where its rows are to be others. */
export function madeUpModel(file = "a", tasks: readonly string[] = ["search"]): Model {
  const { model } = tinyEncoder();
  const sha256 = createHash("sha256").update(file).digest("hex") as Sha256;
  return {
    ...model,
    files: [{ name: "model.onnx", sha256, bytes: 1 }],
    dimension: DIMENSION,
    queryTable: "cached",
    special: SPECIAL,
    promptTokens: (task) => [7, 8 + tasks.indexOf(task)],
    description: {
      ...model.description,
      ...{ name: `made-up ${file}`, vocabulary: TOKENS + 100, dimension: HIDDEN, cut: DIMENSION },
      special_tokens: { bos: "b", eos: "e", pad: "p" },
    },
  };
}

/** The plan of a task of the model. */
export function planFor(
  model: Model = madeUpModel(),
  task = "search",
  passTokens?: number,
): Promise<RowPlan> {
  return planRows(model, { vocabulary: TOKENS }, task, passTokens);
}

/** Number `j` of the row of a token. Whole numbers, so that halves are exact. */
export function numberIn(id: number, j: number): number {
  // A row of zeros now and then.
  return id % 97 === 5 ? 0 : ((id * 31 + j * 7) % 1999) - 999;
}

/** A graph of the model. `each` sees the ids of every pass, and may throw; `place` may change a number. */
export function madeUpGraph(
  each: (ids: readonly number[]) => void = () => {},
  place: (id: number, j: number) => number = numberIn,
): RowGraph {
  return {
    provider: "made up",
    async pass(ids) {
      each(ids);
      const data = Float32Array.from({ length: ids.length * HIDDEN }, (_, at) =>
        place(ids[Math.floor(at / HIDDEN)]!, at % HIDDEN),
      );
      return { data, first: 0, stride: HIDDEN };
    },
    async close() {},
  };
}
