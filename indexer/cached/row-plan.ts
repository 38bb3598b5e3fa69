/**
 * Which rows a table of LightRetriever's kind has and what each of them is: for token t the pooled hidden state of
 * `[bos] prompt t [eos]`, as the graph gives it (docs/method.md, section 11). Nothing of it depends on a corpus.
 */
import { type Sha256, sha256OfJson } from "../../shared/hash.ts";
import type { Tokenizer } from "../../shared/tokenizer/tokenizer.ts";
import type { Model } from "../model/model.ts";

/** Token ids of a block, which is made, kept and sent as a whole: what a stop loses at most. */
export const BLOCK = 512;
/** Tokens of a pass at most: enough to fill the cores or a GPU, few enough for the memory of either. */
const PASS_TOKENS = 4096;

/** The rows of a model and task. */
export interface RowPlan {
  readonly model: Model;
  readonly task: string;
  /** Digest of all that rows depend on: two plans with the same one have the same rows. */
  readonly key: Sha256;
  /** Ids before a token and after it. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** Ids from this on belong to no token: graphs pad their embeddings. At most `vocabulary`. */
  readonly tokens: number;
  readonly vocabulary: number;
  /** Numbers of a row: the leading ones of a hidden state where the model cuts its vectors. */
  readonly dimension: number;
  readonly blocks: number;
  /** Tokens that never occur in a query and so have no row, ascending. */
  readonly without: readonly number[];
  /** Ids of one pass of the model at most. It is the same wherever rows are made: in some graphs a row changes with its batch. */
  readonly pass: number;
}

/**
 * Plans the rows of a task. `passTokens` is what a pass has at most; rows of graphs that change with the batch change with
 * it, those of all others may in their last bit. Throws `usage/invalid` for a task that the model lacks.
 */
export async function planRows(
  model: Model,
  tokenizer: Pick<Tokenizer, "vocabulary">,
  task: string,
  passTokens: number = PASS_TOKENS,
): Promise<RowPlan> {
  const { description, special, dimension, files } = model;
  const { vocabulary, pooling, special_tokens } = description;
  const before = [...(special.bos === null ? [] : [special.bos]), ...model.promptTokens(task, "query")];
  const after = special.eos === null ? [] : [special.eos];
  const length = inputTokens({ before, after });
  const tokens = Math.min(tokenizer.vocabulary, vocabulary);
  // The id that fills a batch is a token like any other where the model names none.
  const pad = special_tokens.pad === null ? null : special.pad;
  const without = [...new Set([special.bos, special.eos, pad])]
    .filter((id): id is number => id !== null)
    .sort((a, b) => a - b);
  const graphs = description.graphs.map(({ file, dense }) => [file, dense]);
  const key = await sha256OfJson({
    rows: 1,
    block: BLOCK,
    files: files.map(({ name, sha256 }) => [name, sha256]),
    ...{ graphs, pooling, dimension, vocabulary, tokens, before, after, without },
  });
  return {
    ...{ model, task, key, before, after, tokens, vocabulary, dimension, without },
    blocks: Math.ceil(tokens / BLOCK),
    pass: Math.max(1, Math.min(BLOCK, 2 ** Math.floor(Math.log2(passTokens / length)))),
  };
}

/** Tokens of the input that gives a row. */
export function inputTokens({ before, after }: Pick<RowPlan, "before" | "after">): number {
  return before.length + 1 + after.length;
}

/** Ids with a row in a block, ascending. */
export function idsOf({ tokens, without }: Pick<RowPlan, "tokens" | "without">, block: number): number[] {
  const first = block * BLOCK;
  const count = Math.min(BLOCK, tokens - first);
  return Array.from({ length: count }, (_, at) => first + at).filter((id) => !without.includes(id));
}
