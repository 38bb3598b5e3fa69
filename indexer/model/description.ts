/** `model.json`: all that both sides must agree on about an encoder, checked field by field. */
import { LightedgeError, printable } from "../../shared/errors.ts";
import { FORMAT_LIMITS, REQUEST_LIMITS } from "../../shared/limits.ts";

/** How hidden states become one vector: the last token's, the first token's, or the mean over all. */
export type Pooling = "eos" | "cls" | "mean";

/** Positions that may take no part in a sparse maximum. `special` and `pad` are always left out of a batch's maximum. */
export type MaskRule = "special" | "prompt" | "pad" | "first" | "last";

/** How the query table is made: fitted to texts of the corpus, or a pass of the model for every token, kept. */
export type QueryTable = "fitted" | "cached";

/** A graph file and the names of the outputs taken from it. */
export interface GraphDescription {
  readonly file: string;
  /** Output of `[batch, sequence, dimension]` hidden states, or null. */
  readonly dense: string | null;
  /** Output of `[batch, vocabulary]` impacts, or null. */
  readonly sparse: string | null;
}

/** What a task puts before texts. */
export interface TaskDescription {
  readonly query_prompt: string;
  readonly document_prompt: string;
}

/** The content of `model.json`. */
export interface ModelDescription {
  readonly format: 1;
  readonly name: string;
  readonly licence: string;
  readonly source: string;
  readonly tokenizer: {
    readonly file: string;
    /** Whether texts are lower-cased first, as the model was trained. */
    readonly lowercase: boolean;
  };
  readonly vocabulary: number;
  /** Numbers of a hidden state, as the graph gives it. */
  readonly dimension: number;
  /** Tokens of an input, special tokens and prompt included. */
  readonly max_tokens: number;
  /** Spellings in the vocabulary; null where the model has none. */
  readonly special_tokens: {
    readonly bos: string | null;
    readonly eos: string | null;
    readonly pad: string | null;
  };
  readonly graphs: readonly GraphDescription[];
  readonly pooling: Pooling;
  /** Whether vectors are brought to length 1. */
  readonly unit_length: boolean;
  /** By name, the default first. */
  readonly tasks: Readonly<Record<string, TaskDescription>>;
  /** Null for a model without a sparse output. */
  readonly sparse: {
    readonly mask: readonly MaskRule[];
    /** Impacts kept for a text, the greatest. */
    readonly top_k: number;
  } | null;
  /** File of the generic query table, or null. */
  readonly prior: string | null;
  /** `fitted` when absent. */
  readonly query_table?: QueryTable;
  /**
   * Leading numbers of a vector that are kept, a multiple of 8 below `dimension`, before it is brought to unit
   * length; for models trained so that these stand for the whole (Matryoshka, arXiv 2205.13147). All when absent.
   */
  readonly cut?: number;
  /** Tokens of a query that count; `REQUEST_LIMITS.queryTokens` when absent. */
  readonly max_query_tokens?: number;
}

type Check<T> = (value: unknown, where: string) => T;

function refuse(where: string, value: unknown, wanted: string): LightedgeError {
  const shown = typeof value === "object" ? JSON.stringify(value) : value;
  return new LightedgeError(
    "model/invalid",
    `model.json: ${where} must be ${wanted}, not ${printable(shown)}.`,
    {
      field: where,
      value: printable(shown),
    },
  );
}

const text: Check<string> = (value, where) => {
  if (typeof value === "string") return value;
  throw refuse(where, value, "a text");
};
const name: Check<string> = (value, where) => {
  const found = text(value, where);
  if (found.length >= 1 && found.length <= 128) return found;
  throw refuse(where, value, "a text of 1 to 128 characters");
};
/** As long as a manifest's may be: docs/format.md section 11. */
const prompt: Check<string> = (value, where) => {
  const found = text(value, where);
  if (found.length <= 2048) return found;
  throw refuse(where, value, "a text of at most 2048 characters");
};
const taskName: Check<string> = (value, where) => {
  const found = text(value, where);
  if (found.length >= 1 && found.length <= 64) return found;
  throw refuse(where, value, "named by 1 to 64 characters");
};
const flag: Check<boolean> = (value, where) => {
  if (typeof value === "boolean") return value;
  throw refuse(where, value, "true or false");
};
const integer =
  (least: number, most: number): Check<number> =>
  (value, where) => {
    if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
    throw refuse(where, value, `a whole number from ${least} to ${most}`);
  };
const oneOf =
  <const T extends string>(words: readonly T[]): Check<T> =>
  (value, where) => {
    const found = words.find((word) => word === value);
    if (found !== undefined) return found;
    throw refuse(where, value, `one of ${words.join(", ")}`);
  };
const nullable =
  <T>(check: Check<T>): Check<T | null> =>
  (value, where) =>
    value === null || value === undefined ? null : check(value, where);
/** Leaves an absent field absent: no default may stand in a description, or the hashes of older models would change. */
const optional =
  <T>(check: Check<T>): Check<T | undefined> =>
  (value, where) =>
    value === undefined ? undefined : check(value, where);
const list =
  <T>(check: Check<T>, least: number): Check<readonly T[]> =>
  (value, where) => {
    if (Array.isArray(value) && value.length >= least)
      return value.map((item, at) => check(item, `${where}[${at}]`));
    throw refuse(where, value, `a list of at least ${least}`);
  };

function record(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw refuse(where, value, "an object");
}

/** What a check may give for a field that may be absent. */
type Missing<T, K extends keyof T> = Record<string, never> extends Pick<T, K> ? undefined : never;

/** An object with these fields and no others. */
function object<T>(checks: { readonly [K in keyof T]-?: Check<T[K] | Missing<T, K>> }): Check<T> {
  const names = Object.keys(checks);
  return (value, where) => {
    const fields = record(value, where);
    const strange = Object.keys(fields).find((field) => !names.includes(field));
    if (strange !== undefined) {
      throw new LightedgeError(
        "model/invalid",
        `model.json: ${where} has the unknown field ${printable(strange)}; it may have ${names.join(", ")}.`,
        { field: strange },
      );
    }
    const entries = names.map((field) => {
      const path = where === "the description" ? field : `${where}.${field}`;
      return [field, checks[field as keyof T](fields[field], path)] as const;
    });
    return Object.fromEntries(entries.filter(([, found]) => found !== undefined)) as T;
  };
}

const tasks: Check<Readonly<Record<string, TaskDescription>>> = (value, where) => {
  const entries = Object.entries(record(value, where));
  if (entries.length === 0) throw refuse(where, value, "an object with at least one task");
  if (entries.length > 64) throw refuse(where, `${entries.length} tasks`, "at most 64 tasks");
  const check = object<TaskDescription>({ query_prompt: prompt, document_prompt: prompt });
  return Object.fromEntries(
    entries.map(([task, item]) => [taskName(task, where), check(item, `${where}.${task}`)]),
  );
};

const description = object<ModelDescription>({
  format: (value, where) => {
    if (value === 1) return 1;
    throw refuse(where, value, "1, the only format this version reads");
  },
  name,
  licence: name,
  source: text,
  tokenizer: object<ModelDescription["tokenizer"]>({ file: name, lowercase: flag }),
  vocabulary: integer(1, FORMAT_LIMITS.vocabulary),
  dimension: integer(2, FORMAT_LIMITS.dimension),
  max_tokens: integer(8, 1 << 17),
  special_tokens: object<ModelDescription["special_tokens"]>({
    bos: nullable(name),
    eos: nullable(name),
    pad: nullable(name),
  }),
  graphs: list(object<GraphDescription>({ file: name, dense: nullable(name), sparse: nullable(name) }), 1),
  pooling: oneOf(["eos", "cls", "mean"]),
  unit_length: flag,
  tasks,
  sparse: nullable(
    object<NonNullable<ModelDescription["sparse"]>>({
      mask: list(oneOf(["special", "prompt", "pad", "first", "last"]), 0),
      top_k: integer(1, 65_536),
    }),
  ),
  prior: nullable(name),
  query_table: optional(oneOf(["fitted", "cached"])),
  cut: optional(integer(8, FORMAT_LIMITS.dimension)),
  max_query_tokens: optional(integer(1, REQUEST_LIMITS.queryTokens)),
});

/** The description in a `model.json`. Throws `model/invalid` naming field, value and what is allowed. */
export function parseDescription(json: string): ModelDescription {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new LightedgeError("model/invalid", "model.json is not JSON.", {}, error);
  }
  const found = description(value, "the description");
  const dense = found.graphs.filter((graph) => graph.dense !== null).length;
  const sparse = found.graphs.filter((graph) => graph.sparse !== null).length;
  if (dense !== 1)
    throw refuse(
      "graphs",
      found.graphs.map((graph) => graph.file).join(", "),
      "graphs of which exactly one gives dense",
    );
  if (sparse !== (found.sparse === null ? 0 : 1))
    throw refuse("sparse", found.sparse, "given exactly when one graph gives sparse");
  if (found.cut !== undefined && (found.cut % 8 !== 0 || found.cut >= found.dimension))
    throw refuse("cut", found.cut, `a multiple of 8 below dimension, which is ${found.dimension}`);
  if (found.pooling === "eos" && found.special_tokens.eos === null)
    throw refuse("special_tokens.eos", null, "given for eos pooling");
  return found;
}
