/** What a graph is given: ids in rows of one length, and what is known of each position. */
import { Tensor } from "onnxruntime-node";
import { LightedgeError } from "../../shared/errors.ts";

/** An input of a model: its ids, and which positions may take part in a sparse maximum. */
export interface Input {
  readonly ids: readonly number[];
  readonly pooled: readonly boolean[];
}

/** The names of inputs that a graph may ask for. */
export const INPUT_NAMES = [
  "input_ids",
  "attention_mask",
  "token_type_ids",
  "position_ids",
  "pooling_mask",
] as const;

/** The inputs a graph asks for, int64 `[batch, sequence]`, filled up to the longest with `pad`. */
export function feedsFor(
  names: readonly string[],
  inputs: readonly Input[],
  pad: number,
): Readonly<Record<string, Tensor>> {
  const sequence = longestOf(inputs);
  const fill = (value: (input: Input, position: number) => number) => {
    const data = new BigInt64Array(inputs.length * sequence);
    inputs.forEach((input, row) => {
      for (let position = 0; position < sequence; position++)
        data[row * sequence + position] = BigInt(value(input, position));
    });
    return new Tensor("int64", data, [inputs.length, sequence]);
  };
  const feed = (name: string): Tensor => {
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
        throw new LightedgeError("internal", `The graph's input ${name} passed its check.`);
    }
  };
  return Object.fromEntries(names.map((name) => [name, feed(name)]));
}

/** Positions of the longest input. */
export function longestOf(inputs: readonly Input[]): number {
  return inputs.reduce((most, { ids }) => Math.max(most, ids.length), 0);
}
