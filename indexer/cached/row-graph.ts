/** A model at work on single tokens: passes over `[bos] prompt token [eos]`, nothing else of the graph computed. */
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Tensor } from "onnxruntime-node";
import { LightedgeError } from "../../shared/errors.ts";
import { type Device, type OpenedGraph, openGraph } from "../encode/device.ts";
import type { Model } from "../model/model.ts";
import { partFor } from "./graph-part.ts";
import type { RowPlan } from "./row-plan.ts";

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
}

/** Opens the part of a model that gives hidden states. Throws what `openGraph` does. */
export async function openRowGraph(plan: RowPlan, options: RowGraphOptions): Promise<RowGraph> {
  const { model, before, after } = plan;
  const { dense } = denseGraph(model);
  const { session, provider } = await openPart(model, options);
  const length = before.length + 1 + after.length;
  const hidden = model.description.dimension;
  /** Inputs by number of ids: all passes but the last ones of blocks have as many. */
  const known = new Map<number, Readonly<Record<string, Tensor>>>();

  function inputsOf(ids: readonly number[]): Readonly<Record<string, Tensor>> {
    let inputs = known.get(ids.length);
    if (inputs === undefined) {
      const row = [...before, 0, ...after];
      const make = (name: string) => inputTensor(name, row, ids.length);
      inputs = Object.fromEntries(session.inputNames.map((name) => [name, make(name)]));
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
      const output = (await session.run(inputsOf(ids), [dense]))[dense]!;
      if (output.dims.join() !== [ids.length, length, hidden].join()) {
        throw new LightedgeError(
          "model/invalid",
          `The output ${dense} is [${output.dims.join(", ")}] for ${ids.length} inputs of ${length} tokens; model.json says ${hidden} numbers.`,
          { field: "dimension", value: output.dims.join(", ") },
        );
      }
      return pooled(floatsOf(output, dense), ids.length, length, hidden, model.description.pooling);
    },
    close: () => session.release(),
  };
}

function denseGraph({ description }: Model): { readonly file: string; readonly dense: string } {
  for (const { file, dense } of description.graphs) if (dense !== null) return { file, dense };
  throw new LightedgeError("internal", "A model has no graph that gives hidden states.");
}

async function openPart(model: Model, { device, threads }: RowGraphOptions): Promise<OpenedGraph> {
  const { file, dense } = denseGraph(model);
  const bytes = partFor(new Uint8Array(await readFile(join(model.folder, file))), dense);
  return openGraph({ bytes, folder: model.folder }, device, threads ?? availableParallelism());
}

/** An input that a graph may ask for, the same row `count` times. */
function inputTensor(name: string, row: readonly number[], count: number): Tensor {
  const value = (position: number): number => {
    switch (name) {
      case "input_ids":
        return row[position]!;
      case "attention_mask":
      case "pooling_mask":
        return 1;
      case "token_type_ids":
        return 0;
      case "position_ids":
        return position;
      default:
        throw new LightedgeError(
          "model/invalid",
          `The graph wants an input ${name}, which Lightedge does not know.`,
          { field: "graphs" },
        );
    }
  };
  const data = BigInt64Array.from({ length: count * row.length }, (_, at) => BigInt(value(at % row.length)));
  return new Tensor("int64", data, [count, row.length]);
}

/** All inputs have one length and no padding, so the last position is eos and a mean is over all. */
function pooled(
  data: Float32Array,
  count: number,
  length: number,
  hidden: number,
  pooling: Model["description"]["pooling"],
): PassRows {
  const stride = length * hidden;
  if (pooling === "cls") return { data, first: 0, stride };
  if (pooling === "eos") return { data, first: stride - hidden, stride };
  const means = new Float32Array(count * hidden);
  for (let at = 0; at < count; at++) {
    for (let j = 0; j < hidden; j++) {
      let sum = 0;
      for (let position = 0; position < length; position++) sum += data[at * stride + position * hidden + j]!;
      means[at * hidden + j] = sum / length;
    }
  }
  return { data: means, first: 0, stride: hidden };
}

function floatsOf(tensor: { readonly type: string; readonly data: unknown }, name: string): Float32Array {
  if (tensor.type === "float32") return tensor.data as Float32Array;
  throw new LightedgeError("model/invalid", `The output ${name} is ${tensor.type}; float32 is needed.`, {
    field: "graphs",
  });
}
