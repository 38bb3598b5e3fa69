/** A model's graphs at work: rows of ids in, hidden states and impacts out. */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Tensor } from "onnxruntime-node";
import type { GraphDescription } from "../model/description.ts";
import type { Model } from "../model/model.ts";
import { type Device, type OpenedGraph, openGraph, type Provider } from "./device.ts";
import { checkGraph, checkOutput } from "./graph-check.ts";
import { feedsFor, type Input, longestOf } from "./inputs.ts";
import { type Output, tensorOutput } from "./outputs.ts";

/** Which outputs are wanted. */
export interface Sides {
  readonly dense: boolean;
  readonly sparse: boolean;
}

/** What the graphs give for a batch; null where a side was not wanted. */
export interface BatchOutputs {
  /** Positions of the longest input, to which the others were filled up. */
  readonly sequence: number;
  /** `[batch, sequence, dimension]` */
  readonly dense: Output | null;
  /** `[batch, vocabulary]` */
  readonly sparse: Output | null;
}

/** Graphs, loaded and checked. */
export interface Graphs {
  /** What they run on, each once. */
  readonly providers: readonly Provider[];
  /** Throws `model/invalid` for outputs of a wrong shape, and what onnxruntime throws. */
  run(inputs: readonly Input[], sides: Sides): Promise<BatchOutputs>;
  close(): Promise<void>;
}

/** How to run a model. */
export interface GraphOptions {
  readonly device: Device;
  /** Threads of one graph; the number of cores when absent. */
  readonly threads?: number;
  /** Told when the device is not the one that `auto` would rather have. */
  readonly warn?: (message: string) => void;
}

/**
 * Loads a model's graphs and checks them against its description. Throws `model/invalid` or
 * `device/unavailable`. Cost: the files are read.
 */
export async function openGraphs(model: Model, options: GraphOptions): Promise<Graphs> {
  const threads = options.threads ?? availableParallelism();
  const { description } = model;
  const opened = new Map<string, OpenedGraph>();
  const close = async () => {
    for (const { session } of opened.values()) await session.release();
  };
  try {
    for (const graph of description.graphs) {
      const found =
        opened.get(graph.file) ?? (await openGraph(join(model.folder, graph.file), options.device, threads));
      opened.set(graph.file, found);
      checkGraph(found.session, graph, description);
    }
    const [fellBack] = [...opened.values()].flatMap((graph) => graph.fellBack ?? []);
    if (fellBack !== undefined) options.warn?.(`The model runs on the CPU: ${fellBack}`);
  } catch (error) {
    await close();
    throw error;
  }
  const { dimension, vocabulary } = description;
  return {
    providers: [...new Set([...opened.values()].map(({ provider }) => provider))],
    async run(inputs, sides) {
      const sequence = longestOf(inputs);
      // The runtime computes outputs that nobody asked for. A mask of nothing spares a decoder's head over the
      // vocabulary, most of a small model's work (docs/export.md).
      const given = sides.sparse ? inputs : inputs.map(({ ids }) => ({ ids, pooled: [] }));
      let dense: Output | null = null;
      let sparse: Output | null = null;
      for (const graph of description.graphs) {
        const names = [sides.dense ? graph.dense : null, sides.sparse ? graph.sparse : null].filter(
          (name) => name !== null,
        );
        if (names.length === 0) continue;
        const { session } = opened.get(graph.file)!;
        const outputs = await session.run(feedsFor(session.inputNames, given, model.special.pad), names);
        const take = (side: "dense" | "sparse", shape: readonly number[]) =>
          sides[side] && graph[side] !== null ? outputOf(graph, side, outputs[graph[side]]!, shape) : null;
        dense ??= take("dense", [inputs.length, sequence, dimension]);
        sparse ??= take("sparse", [inputs.length, vocabulary]);
      }
      return { sequence, dense, sparse };
    },
    close,
  };
}

function outputOf(
  graph: GraphDescription,
  side: "dense" | "sparse",
  tensor: Tensor,
  shape: readonly number[],
): Output {
  checkOutput(graph, side, tensor, shape);
  return tensorOutput(tensor);
}
