/** The encoder over onnxruntime: tokens, batches of like length, graphs, pooling. */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Tensor } from "onnxruntime-node";
import { LightedgeError } from "../../shared/errors.ts";
import { loadTokenizer } from "../../shared/tokenizer/load.ts";
import type { MaskRule } from "../model/description.ts";
import type { Model } from "../model/model.ts";
import { type Device, type OpenedGraph, openGraph } from "./device.ts";
import type { Encoder, Encoding, Wanted } from "./encoder.ts";
import { poolDense, topImpacts } from "./pool.ts";

/** How to run a model. */
export interface OnnxOptions {
  readonly device: Device;
  /** Threads of one graph; the number of cores when absent. */
  readonly threads?: number;
}

/** Padded tokens of a batch: enough to fill the cores, few enough to stay in their caches. */
const BATCH_TOKENS = 4096;
/** Values of a `[batch, vocabulary]` output, 4 bytes each. */
const BATCH_IMPACTS = 16 << 20;

/** An input of the model: its ids, and which positions may take part in a sparse maximum. */
interface Input {
  readonly ids: readonly number[];
  readonly pooled: readonly boolean[];
}

/** Loads a model's graphs. Throws what `openGraph` throws. */
export async function createOnnxEncoder(model: Model, options: OnnxOptions): Promise<Encoder> {
  const threads = options.threads ?? availableParallelism();
  const { description } = model;
  const tokenizer = loadTokenizer(model.tokenizer);
  const opened = new Map<string, OpenedGraph>();
  for (const { file } of description.graphs) {
    if (!opened.has(file))
      opened.set(file, await openGraph(join(model.folder, file), options.device, threads));
  }
  const dropped = new Set(Object.values(model.special).filter((id): id is number => id !== null));

  function inputOf(text: string, { task, role }: Wanted): Input {
    const { bos, eos } = model.special;
    const prompt = model.promptTokens(task, role);
    const own = tokenizer.ids(text, model.maxTextTokens(task, role));
    const masked = new Set<MaskRule>(description.sparse?.mask ?? []);
    const ids = [...(bos === null ? [] : [bos]), ...prompt, ...own, ...(eos === null ? [] : [eos])];
    const pooled = [
      ...(bos === null ? [] : [!masked.has("special")]),
      ...prompt.map(() => !masked.has("prompt")),
      ...own.map(() => true),
      ...(eos === null ? [] : [!masked.has("special")]),
    ];
    if (masked.has("first")) pooled[0] = false;
    if (masked.has("last")) pooled[pooled.length - 1] = false;
    // A text of no tokens in a model without special tokens: the graph needs one position.
    return ids.length > 0 ? { ids, pooled } : { ids: [model.special.pad], pooled: [false] };
  }

  async function runBatch(inputs: readonly Input[], wanted: Wanted): Promise<readonly Encoding[]> {
    const length = Math.max(...inputs.map(({ ids }) => ids.length));
    const feeds = makeFeeds(inputs, length, model.special.pad);
    let dense: Float32Array | null = null;
    let sparse: Float32Array | null = null;
    for (const graph of description.graphs) {
      const names = [wanted.dense ? graph.dense : null, wanted.sparse ? graph.sparse : null].filter(
        (name) => name !== null,
      );
      if (names.length === 0) continue;
      const { session } = opened.get(graph.file)!;
      const given = Object.fromEntries(session.inputNames.map((name) => [name, feeds(name)]));
      const outputs = await session.run(given, names);
      if (wanted.dense && graph.dense !== null) dense = floats(outputs[graph.dense]!, graph.dense);
      if (wanted.sparse && graph.sparse !== null) sparse = floats(outputs[graph.sparse]!, graph.sparse);
    }
    const { dimension, vocabulary, pooling, unit_length: unit } = description;
    const rules = { pooling, kept: model.dimension, unit };
    return inputs.map(({ ids }, row) => ({
      dense: dense && poolDense({ data: dense, sequence: length, dimension }, row, ids.length, rules),
      sparse: sparse && topImpacts(sparse, row, vocabulary, description.sparse?.top_k ?? 0, dropped),
    }));
  }

  return {
    model,
    provider: [...new Set([...opened.values()].map(({ provider }) => provider))].join(" and "),
    async encode(texts, wanted, onProgress = () => {}) {
      if (wanted.sparse && description.sparse === null) {
        throw new LightedgeError("internal", "A sparse vector was asked of a model that gives none.");
      }
      const inputs = texts.map((text) => inputOf(text, wanted));
      const encodings = new Array<Encoding>(texts.length);
      const rows = wanted.sparse
        ? Math.max(1, Math.floor(BATCH_IMPACTS / description.vocabulary))
        : texts.length;
      for (const batch of batchesOf(inputs, rows)) {
        const results = await runBatch(
          batch.map((at) => inputs[at]!),
          wanted,
        );
        batch.forEach((at, row) => {
          encodings[at] = results[row]!;
        });
        onProgress(batch.length);
      }
      return encodings;
    },
    async close() {
      for (const { session } of opened.values()) await session.release();
    },
  };
}

/** Places of inputs in batches: shortest first, so that little is padded. */
function* batchesOf(inputs: readonly Input[], rows: number): Iterable<readonly number[]> {
  const order = Array.from(inputs.keys()).sort(
    (a, b) => inputs[a]!.ids.length - inputs[b]!.ids.length || a - b,
  );
  let batch: number[] = [];
  for (const at of order) {
    const padded = (batch.length + 1) * inputs[at]!.ids.length;
    if (batch.length > 0 && (batch.length === rows || padded > BATCH_TOKENS)) {
      yield batch;
      batch = [];
    }
    batch.push(at);
  }
  if (batch.length > 0) yield batch;
}

/** The inputs a graph may ask for, by name, int64 `[batch, length]`. */
function makeFeeds(inputs: readonly Input[], length: number, pad: number): (name: string) => Tensor {
  const fill = (value: (input: Input, position: number) => number) => {
    const data = new BigInt64Array(inputs.length * length);
    inputs.forEach((input, row) => {
      for (let position = 0; position < length; position++)
        data[row * length + position] = BigInt(value(input, position));
    });
    return new Tensor("int64", data, [inputs.length, length]);
  };
  return (name) => {
    switch (name) {
      case "input_ids":
        return fill(({ ids }, position) => ids[position] ?? pad);
      case "attention_mask":
        return fill(({ ids }, position) => (position < ids.length ? 1 : 0));
      case "token_type_ids":
        return fill(() => 0);
      case "position_ids":
        return fill(({ ids }, position) => Math.min(position, ids.length - 1));
      case "pooling_mask":
        return fill(({ pooled }, position) => (pooled[position] ? 1 : 0));
      default:
        throw new LightedgeError(
          "model/invalid",
          `The graph wants an input ${name}, which Lightedge does not know.`,
          { field: "graphs" },
        );
    }
  };
}

function floats(tensor: { readonly type: string; readonly data: unknown }, name: string): Float32Array {
  if (tensor.type === "float32") return tensor.data as Float32Array;
  throw new LightedgeError("model/invalid", `The output ${name} is ${tensor.type}; float32 is needed.`, {
    field: "graphs",
  });
}
