/** Whether a loaded graph is what `model.json` says of it: names, kinds and shapes of inputs and outputs. */
import type { InferenceSession } from "onnxruntime-node";
import { LightedgeError, printable } from "../../shared/errors.ts";
import type { GraphDescription, ModelDescription } from "../model/description.ts";
import { INPUT_NAMES } from "./inputs.ts";

/** What a graph says of its inputs and outputs before it is run. */
export type GraphFacts = Pick<InferenceSession, "inputMetadata" | "outputMetadata">;

type Metadata = InferenceSession.ValueMetadata;
type Side = "dense" | "sparse";

/** Kinds of numbers that outputs may be in. */
const OUTPUT_TYPES: readonly string[] = ["float32", "float16"];

/**
 * Throws `model/invalid`, naming the graph, the input or output, what it is and what it must be, for a graph that
 * could not be run. A size that the graph leaves open is checked when it runs.
 */
export function checkGraph(
  { inputMetadata, outputMetadata }: GraphFacts,
  graph: GraphDescription,
  description: ModelDescription,
): void {
  const names = inputMetadata.map(({ name }) => name);
  if (!names.includes("input_ids")) throw refuse(graph, `has no input input_ids; it has ${listed(names)}`);
  for (const input of inputMetadata) {
    const { name } = input;
    if (!INPUT_NAMES.some((known) => known === name))
      throw refuse(
        graph,
        `wants an input ${printable(name)}; Lightedge can give ${listed(INPUT_NAMES)}`,
        name,
      );
    checkValue(graph, "input", input, ["int64"], [null, null]);
  }
  const { dimension, vocabulary } = description;
  const shapes = { dense: [null, null, dimension], sparse: [null, vocabulary] } as const;
  for (const side of ["dense", "sparse"] as const) {
    const name = graph[side];
    if (name === null) continue;
    const output = outputMetadata.find((each) => each.name === name);
    if (output === undefined) {
      const there = listed(outputMetadata.map((each) => each.name));
      throw refuse(
        graph,
        `has no output ${printable(name)}, which graphs.${side} names; it has ${there}`,
        name,
      );
    }
    checkValue(graph, `${side} output`, output, OUTPUT_TYPES, shapes[side]);
  }
}

/** Throws unless a value is of one of these types and of this shape; null is a size that must be open. */
function checkValue(
  graph: GraphDescription,
  what: string,
  value: Metadata,
  types: readonly string[],
  shape: readonly (number | null)[],
): void {
  const name = `${what} ${printable(value.name)}`;
  if (!value.isTensor) throw refuse(graph, `has the ${name}, which is no tensor`, value.name);
  if (!types.includes(value.type))
    throw refuse(graph, `has the ${name} of ${value.type}; ${types.join(" or ")} is needed`, value.name);
  const names = ["batch", "sequence"];
  const wanted = `[${shape.map((size, at) => size ?? names[at]).join(", ")}]`;
  const given = `[${value.shape.join(", ")}]`;
  // A graph that says nothing of a shape has none: what it gives is checked as it comes.
  if (value.shape.length === 0) return;
  if (value.shape.length !== shape.length)
    throw refuse(graph, `has the ${name} of shape ${given}; ${wanted} is needed`, value.name);
  value.shape.forEach((size, at) => {
    if (typeof size !== "number" || size < 0 || size === shape[at]) return;
    const fixed = shape[at] === null;
    throw refuse(
      graph,
      fixed
        ? `has the ${name} of shape ${given}: ${names[at]} is fixed to ${size}. Export it with a dynamic ${names[at]} axis`
        : `has the ${name} of shape ${given}; ${wanted} is needed, as model.json says`,
      value.name,
    );
  });
}

/** Throws unless an output that has been computed is numbers of this shape. */
export function checkOutput(
  graph: GraphDescription,
  side: Side,
  { type, dims }: { readonly type: string; readonly dims: readonly number[] },
  wanted: readonly number[],
): void {
  const same = dims.length === wanted.length && dims.every((size, at) => size === wanted[at]);
  if (same && OUTPUT_TYPES.includes(type)) return;
  throw refuse(
    graph,
    `gave its ${side} output ${printable(graph[side])} as ${type} of shape [${dims.join(", ")}]; ${OUTPUT_TYPES.join(" or ")} of shape [${wanted.join(", ")}] was needed`,
    String(graph[side]),
  );
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? "none" : names.join(", ");
}

function refuse({ file }: GraphDescription, what: string, value?: string): LightedgeError {
  return new LightedgeError("model/invalid", `The graph ${file} ${what}.`, {
    field: "graphs",
    file,
    ...(value === undefined ? {} : { value: printable(value) }),
  });
}
