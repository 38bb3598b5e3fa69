/**
 * A model tried before a run is begun: with the tokenizer's last token, which another tokenizer's graph may not
 * know, and with a text as long as `max_tokens`, which may be beyond its positions or the device's memory.
 */
import { LightedgeError } from "../../shared/errors.ts";
import type { Model } from "../model/model.ts";
import { firstLine, isOutOfMemory } from "./device.ts";
import type { Graphs } from "./graphs.ts";
import type { Input } from "./inputs.ts";
import { poolDense, topImpacts } from "./pool.ts";

/** Throws `model/invalid` or `device/unavailable` for a model that would fail in the middle of a run. Cost: two runs of one text. */
export async function probeGraphs(graphs: Graphs, model: Model, tokens: number): Promise<void> {
  const { max_tokens } = model.description;
  const last = tokens - 1;
  await probe(
    graphs,
    model,
    inputOf(Array.from({ length: 4 }, () => last)),
    `does not take token ${last}, the last of its tokenizer`,
    {
      field: "tokenizer",
      limit: last,
    },
  );
  await probe(
    graphs,
    model,
    inputOf(Array.from({ length: max_tokens }, (_, at) => at % tokens)),
    `does not take a text of ${max_tokens} tokens, which max_tokens in model.json allows`,
    { field: "max_tokens", limit: max_tokens },
  );
}

function inputOf(ids: readonly number[]): Input {
  return { ids, pooled: ids.map(() => true) };
}

async function probe(
  graphs: Graphs,
  { description, dimension: kept }: Model,
  input: Input,
  what: string,
  details: { readonly field: string; readonly limit: number },
): Promise<void> {
  const { name, dimension, vocabulary, pooling, unit_length: unit, sparse: rule } = description;
  try {
    const { dense, sparse, sequence } = await graphs.run([input], { dense: true, sparse: rule !== null });
    poolDense({ data: dense!, sequence, dimension }, 0, sequence, { pooling, kept, unit });
    if (sparse !== null) topImpacts(sparse, 0, vocabulary, 1, new Set());
  } catch (error) {
    if (error instanceof LightedgeError) throw error;
    throw new LightedgeError(
      isOutOfMemory(error) ? "device/unavailable" : "model/invalid",
      `The model ${name} ${what}: ${firstLine(error)}.`,
      details,
      error,
    );
  }
}
