/**
 * Small random decoders exported by `indexer/export`, with what plain PyTorch says of some texts:
 * `test/fixtures/decoders/make.py` makes both.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { InferenceSession, Tensor } from "onnxruntime-node";
import type { Model } from "../../indexer/model/model.ts";

/** The families there is a decoder of: Llama with a tied head, Qwen2 with one of its own. */
export const DECODERS = ["llama", "qwen2"] as const;
export type DecoderName = (typeof DECODERS)[number];

/** What PyTorch says, in float32, by the rules of LightRetriever's code. */
export interface DecoderValues {
  /** Factor of impacts in 8 bits. */
  readonly scale: number;
  readonly special: readonly number[];
  readonly documents: readonly {
    readonly text: string;
    /** Begin and end token included. */
    readonly ids: readonly number[];
    /** Of length 1. */
    readonly vector: readonly number[];
    /** The greatest, without special tokens, ids ascending. */
    readonly impacts: readonly (readonly [id: number, value: number])[];
    /** The same times `scale`, rounded into 1 to 255. */
    readonly codes: readonly number[];
  }[];
  /** By task: hidden state at the end of `[begin] prompt token [end]`. */
  readonly rows: Readonly<Record<string, readonly (readonly [id: number, row: readonly number[]])[]>>;
  readonly prompts: Readonly<Record<string, readonly number[]>>;
  readonly queries: readonly {
    readonly task: string;
    readonly text: string;
    readonly ids: readonly number[];
    /** Sum of the rows, brought to length 1; zeros for no tokens. */
    readonly vector: readonly number[];
  }[];
  /** Scores of the first query with every document, and both fusions of them. */
  readonly fused: {
    readonly query: string;
    readonly dense: readonly number[];
    readonly sparse: readonly number[];
    readonly minmax: readonly number[];
    readonly rrf: readonly number[];
  };
}

/** The model folder of a decoder. */
export function decoderFolder(name: DecoderName): string {
  return fileURLToPath(new URL(`../fixtures/decoders/${name}`, import.meta.url));
}

/** What PyTorch says of the decoder in a folder. */
export function decoderValues(folder: string): DecoderValues {
  return JSON.parse(readFileSync(join(folder, "values.json"), "utf8")) as DecoderValues;
}

/** The graph itself, without anything that the encoder does after it. */
export interface Decoder {
  /** One input, every position but the first and the last pooled. */
  run(ids: readonly number[]): Promise<{ readonly last: Float32Array; readonly impacts: Float32Array }>;
  close(): Promise<void>;
}

/** Opens a model folder's graph. */
export async function openDecoder({ folder, description }: Model): Promise<Decoder> {
  const session = await InferenceSession.create(join(folder, "model.onnx"));
  return {
    async run(ids) {
      const tensor = (values: readonly number[]) => new Tensor("int64", values.map(BigInt), [1, ids.length]);
      const { last_hidden_state, impacts } = await session.run({
        input_ids: tensor(ids),
        attention_mask: tensor(ids.map(() => 1)),
        pooling_mask: tensor(ids.map((_, at) => (at > 0 && at < ids.length - 1 ? 1 : 0))),
      });
      const states = last_hidden_state!.data as Float32Array;
      return {
        last: states.slice((ids.length - 1) * description.dimension),
        impacts: impacts!.data as Float32Array,
      };
    },
    close: () => session.release(),
  };
}

/** The greatest differences of a graph from PyTorch, before any rounding to halves. */
export interface DecoderDifferences {
  /** Of a value of a document's unit vector. */
  readonly vector: number;
  readonly impact: number;
  /** Of a value of a table's row, brought to length 1, and of a row's length, in proportion. */
  readonly row: number;
  readonly rowLength: number;
  /** Of a value of a query's unit vector, the sum of the graph's rows. */
  readonly query: number;
}

/** Compares a folder's graph with what PyTorch says in its `values.json`. */
export async function decoderDifferences(model: Model, values: DecoderValues): Promise<DecoderDifferences> {
  const decoder = await openDecoder(model);
  const found = { vector: 0, impact: 0, row: 0, rowLength: 0, query: 0 };
  const note = (what: keyof DecoderDifferences, value: number) => {
    // NaN is no small difference.
    found[what] = value <= found[what] ? found[what] : value;
  };
  for (const { ids, vector, impacts } of values.documents) {
    const { last, impacts: all } = await decoder.run(ids);
    note("vector", greatestDifference(unit(last), vector));
    for (const [id, value] of impacts) note("impact", Math.abs(all[id]! - value));
    // What PyTorch's list leaves out is no greater than its least, or nothing where the list is not full.
    const full = impacts.length === model.description.sparse!.top_k;
    const least = full ? Math.min(...impacts.map(([, value]) => value)) : 0;
    const listed = new Set([...impacts.map(([id]) => id), ...values.special]);
    all.forEach((value, id) => {
      if (!listed.has(id)) note("impact", value - least);
    });
  }
  const { bos, eos } = model.special;
  for (const [task, wanted] of Object.entries(values.rows)) {
    const rows = new Map<number, Float32Array>();
    for (const [id, row] of wanted) {
      const input = [...(bos === null ? [] : [bos]), ...model.promptTokens(task, "query"), id, eos!];
      const { last } = await decoder.run(input);
      rows.set(id, last);
      note("row", greatestDifference(unit(last), unit(row)));
      note("rowLength", Math.abs(Math.hypot(...last) / Math.hypot(...row) - 1));
    }
    for (const { ids, vector } of values.queries.filter((query) => query.task === task)) {
      const sum = new Float64Array(model.description.dimension);
      for (const id of ids) {
        const row = rows.get(id)!;
        for (let j = 0; j < row.length; j++) sum[j]! += row[j]!;
      }
      note("query", greatestDifference(unit(sum), vector));
    }
  }
  await decoder.close();
  return found;
}

function greatestDifference(left: readonly number[], right: readonly number[]): number {
  if (left.length !== right.length) return Number.POSITIVE_INFINITY;
  return left.reduce((greatest, value, at) => Math.max(greatest, Math.abs(value - right[at]!)), 0);
}

function unit(vector: ArrayLike<number>): number[] {
  const length = Math.hypot(...Array.from(vector));
  return Array.from(vector, (value) => (length > 0 ? value / length : 0));
}
