/** A model at work on single tokens: passes over `[bos] prompt token [eos]`, nothing else of the graph computed. */
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Tensor } from "onnxruntime-node";
import { LightedgeError } from "../../shared/errors.ts";
import { type Device, firstLine, isOutOfMemory, type OpenedGraph, openGraph } from "../encode/device.ts";
import { checkGraph, checkOutput } from "../encode/graph-check.ts";
import { feedsFor } from "../encode/inputs.ts";
import { type Output, tensorOutput } from "../encode/outputs.ts";
import type { GraphDescription } from "../model/description.ts";
import type { Model } from "../model/model.ts";
import { partFor } from "./graph-part.ts";
import { inputTokens, type RowPlan } from "./row-plan.ts";

/** Rows of a pass: that of id `at` begins at `first + at * stride`. Valid until the next pass. */
export interface PassRows {
  readonly data: Float32Array;
  readonly first: number;
  readonly stride: number;
}

/** What makes rows. */
export interface RowGraph {
  /** The execution provider, as onnxruntime calls it. */
  readonly provider: string;
  /** The pooled hidden states of these tokens in one pass, in their order, neither cut nor brought to unit length. */
  pass(ids: readonly number[]): Promise<PassRows>;
  close(): Promise<void>;
}

/** How to run a model. */
export interface RowGraphOptions {
  readonly device: Device;
  /** Threads; the number of cores when absent. */
  readonly threads?: number;
  /** Told when the device is not the one that `auto` would rather have. */
  readonly warn?: (message: string) => void;
}

type DenseGraph = GraphDescription & { readonly dense: string };

/** Opens the part of a model that gives hidden states. Throws what `openGraph` does. */
export async function openRowGraph(plan: RowPlan, options: RowGraphOptions): Promise<RowGraph> {
  const { model, before, after } = plan;
  const graph = denseGraph(model);
  const { session, provider, fellBack } = await openPart(model, graph, options);
  if (fellBack !== null) options.warn?.(`Rows are made on the CPU: ${fellBack}`);
  const length = inputTokens(plan);
  const hidden = model.description.dimension;
  /** Inputs by number of ids: all passes but the last ones of blocks have as many. */
  const known = new Map<number, Readonly<Record<string, Tensor>>>();

  function inputsOf(ids: readonly number[]): Readonly<Record<string, Tensor>> {
    let inputs = known.get(ids.length);
    if (inputs === undefined) {
      // Impacts are computed though only vectors are asked for; of no positions they cost little (indexer/export/graph.py).
      const row = { ids: [...before, 0, ...after], pooled: [] };
      inputs = feedsFor(session.inputNames, new Array(ids.length).fill(row), 0);
      known.set(ids.length, inputs);
    }
    const places = inputs.input_ids!.data as BigInt64Array;
    ids.forEach((id, at) => {
      places[at * length + before.length] = BigInt(id);
    });
    return inputs;
  }

  return {
    provider,
    async pass(ids) {
      const outputs = await session.run(inputsOf(ids), [graph.dense]).catch((error: unknown) => {
        throw isOutOfMemory(error) ? tooLarge(ids.length * length, error) : notTaken(ids, error);
      });
      const output = outputs[graph.dense]!;
      checkOutput(graph, "dense", output, [ids.length, length, hidden]);
      return pooled(output, ids.length, length, hidden, model.description.pooling);
    },
    close: () => session.release(),
  };
}

/** The graph that gives hidden states, as if that was all it gave. */
function denseGraph({ description }: Model): DenseGraph {
  for (const { file, dense } of description.graphs) if (dense !== null) return { file, dense, sparse: null };
  throw new LightedgeError("internal", "A model has no graph that gives hidden states.");
}

async function openPart(
  model: Model,
  graph: DenseGraph,
  { device, threads = availableParallelism() }: RowGraphOptions,
): Promise<OpenedGraph> {
  const bytes = partFor(new Uint8Array(await readFile(join(model.folder, graph.file))), graph.dense);
  const opened = await openGraph({ bytes, folder: model.folder }, device, threads);
  try {
    checkGraph(opened.session, graph, model.description);
    return opened;
  } catch (error) {
    await opened.session.release();
    throw error;
  }
}

function notTaken(ids: readonly number[], error: unknown): LightedgeError {
  return new LightedgeError(
    "model/invalid",
    `The graph does not take tokens ${ids[0]} to ${ids.at(-1)}: ${firstLine(error)}. It may be another tokenizer's.`,
    { field: "graphs", value: String(ids[0]) },
    error,
  );
}

function tooLarge(tokens: number, error: unknown): LightedgeError {
  return new LightedgeError(
    "device/unavailable",
    `A pass of ${tokens} tokens does not fit the memory of the device: ${firstLine(error)}. Make the rows with "lightedge table" and a lower --batch-tokens.`,
    { field: "batch-tokens", limit: tokens },
    error,
  );
}

/** All inputs have one length and no padding, so the last position is eos and a mean is over all. */
function pooled(
  output: Tensor,
  count: number,
  length: number,
  hidden: number,
  pooling: Model["description"]["pooling"],
): PassRows {
  const stride = length * hidden;
  const first = pooling === "eos" ? stride - hidden : 0;
  if (output.type === "float32" && pooling !== "mean")
    return { data: output.data as Float32Array, first, stride };
  const numbers = tensorOutput(output);
  const data = new Float32Array(count * hidden);
  for (let at = 0; at < count; at++) {
    const row = data.subarray(at * hidden, (at + 1) * hidden);
    if (pooling === "mean") meanOf(numbers, at * length, length, row);
    else row.set(numbers.floats(at * stride + first, at * stride + first + hidden));
  }
  return { data, first: 0, stride: hidden };
}

/** The mean of `length` hidden states from the one numbered `first` on. */
function meanOf(numbers: Output, first: number, length: number, to: Float32Array): void {
  const sums = new Float64Array(to.length);
  for (let position = first; position < first + length; position++) {
    const state = numbers.floats(position * to.length, (position + 1) * to.length);
    for (let j = 0; j < to.length; j++) sums[j]! += state[j]!;
  }
  for (let j = 0; j < to.length; j++) to[j] = sums[j]! / length;
}
