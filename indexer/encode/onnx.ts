/** The encoder over onnxruntime: texts to ids, batches of like length, graphs, pooling. */
import { LightedgeError } from "../../shared/errors.ts";
import { loadTokenizer } from "../../shared/tokenizer/load.ts";
import { openRowGraph } from "../cached/row-graph.ts";
import type { MaskRule } from "../model/description.ts";
import type { Model } from "../model/model.ts";
import { BATCH_TOKENS, type BatchSize, foundSize, givenSize, inBatches } from "./batches.ts";
import type { Encoder, Encoding, Wanted } from "./encoder.ts";
import { type GraphOptions, openGraphs, type Sides } from "./graphs.ts";
import type { Input } from "./inputs.ts";
import { poolDense, topImpacts } from "./pool.ts";
import { probeGraphs } from "./probe.ts";

/** How to run a model. */
export interface OnnxOptions extends GraphOptions {
  /** Padded tokens of a batch; found while work is done when absent, on the CPU `BATCH_TOKENS`. */
  readonly batchTokens?: number | undefined;
  /** Milliseconds since any time, never going back. */
  readonly now?: () => number;
}

/** Values of a `[batch, vocabulary]` output, 4 bytes each. */
const BATCH_IMPACTS = 16 << 20;

/** Loads a model's graphs and tries them. Throws what `openGraphs` and `probeGraphs` throw. */
export async function createOnnxEncoder(model: Model, options: OnnxOptions): Promise<Encoder> {
  const { description } = model;
  const now = options.now ?? (() => performance.now());
  const tokenizer = loadTokenizer(model.tokenizer);
  const graphs = await openGraphs(model, options);
  try {
    await probeGraphs(graphs, model, tokenizer.vocabulary);
  } catch (error) {
    await graphs.close();
    throw error;
  }
  const dropped = new Set(Object.values(model.special).filter((id): id is number => id !== null));
  const { dimension, vocabulary, pooling, unit_length: unit } = description;
  const rules = { pooling, kept: model.dimension, unit };
  const onCpu = graphs.providers.every((provider) => provider === "cpu");
  const sizeFor = (): BatchSize =>
    options.batchTokens !== undefined || onCpu ? givenSize(options.batchTokens ?? BATCH_TOKENS) : foundSize();
  // With the sparse side a batch takes other memory and time than without.
  const sizes = { dense: sizeFor(), both: sizeFor() };

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

  async function runBatch(inputs: readonly Input[], sides: Sides): Promise<readonly Encoding[]> {
    const { dense, sparse, sequence } = await graphs.run(inputs, sides);
    return inputs.map(({ ids }, row) => ({
      dense: dense && poolDense({ data: dense, sequence, dimension }, row, ids.length, rules),
      sparse: sparse && topImpacts(sparse, row, vocabulary, description.sparse?.top_k ?? 0, dropped),
    }));
  }

  return {
    model,
    provider: graphs.providers.join(" and "),
    async encode(texts, wanted, onProgress = () => {}) {
      if (wanted.sparse && description.sparse === null)
        throw new LightedgeError("internal", "A sparse vector was asked of a model that gives none.");
      return inBatches(
        texts.map((text) => inputOf(text, wanted)),
        {
          size: wanted.sparse ? sizes.both : sizes.dense,
          rows: wanted.sparse ? Math.max(1, Math.floor(BATCH_IMPACTS / vocabulary)) : texts.length,
          lengthOf: ({ ids }) => ids.length,
          run: (batch) => runBatch(batch, wanted),
          now,
        },
        onProgress,
      );
    },
    openRows: (plan) => openRowGraph(plan, options),
    close: () => graphs.close(),
  };
}
