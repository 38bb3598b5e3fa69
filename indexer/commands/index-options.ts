/** The options that say how an index is made: of `lightedge index`, and keys of an index in a config file. */
import type { RowBits } from "../../shared/kernels/kernels.ts";
import { checkIndexName } from "../../shared/store/keys.ts";
import { BUILD_DEFAULTS } from "../build.ts";
import { FORMATS } from "../sources/open.ts";
import type { Arguments, Option } from "./command.ts";
import type { IndexSpec } from "./run-index.ts";

/** By name, as they follow `--`. */
export const SPEC_OPTIONS = {
  task: {
    type: "string",
    value: "NAME",
    help: "task to make a query table for, the default first (default: the model's first)",
    multiple: true,
  },
  format: { type: "string", choices: FORMATS, help: "what SOURCE is (default: found out)" },
  "id-field": { type: "string", value: "NAME", help: "field or column of the id" },
  "title-field": { type: "string", value: "NAME", help: "field or column of the title" },
  "text-field": { type: "string", value: "NAME", help: "field or column of the text" },
  "on-error": {
    type: "string",
    choices: ["fail", "skip"],
    help: "what to do about a bad record",
    default: "fail",
  },
  overlap: {
    type: "number",
    integer: true,
    least: 0,
    most: 128,
    help: "tokens a chunk repeats from the one before",
    default: BUILD_DEFAULTS.overlapTokens,
  },
  "table-bits": {
    type: "string",
    choices: ["2", "3", "4", "8"],
    help: "bits of a table value",
    default: String(BUILD_DEFAULTS.bits),
  },
  "table-bytes": {
    type: "number",
    integer: true,
    least: 1,
    most: 2 ** 40,
    help: "bytes of a table at most; rows that are used less get fewer bits (default: 20,000,000, or two bits a value where that is too little)",
  },
  "shard-chunks": {
    type: "number",
    integer: true,
    least: 1,
    most: 65_536,
    help: "chunks of a shard (default: what fits)",
  },
  weight: {
    type: "number",
    least: 0,
    most: 1,
    help: "share of the dense side in hybrid search (default: chosen on texts of the corpus)",
  },
} as const satisfies Readonly<Record<string, Option>>;

/** The index that these options ask for. Throws `request/invalid` for a name that no index can have. */
export function specOf(
  index: string,
  sources: readonly string[],
  args: Pick<Arguments, "text" | "texts" | "number">,
): IndexSpec {
  checkIndexName(index);
  const shardChunks = args.number("shard-chunks");
  const tableBytes = args.number("table-bytes");
  const fields = {
    idField: args.text("id-field"),
    titleField: args.text("title-field"),
    textField: args.text("text-field"),
  };
  return {
    index,
    sources,
    format: FORMATS.find((format) => format === args.text("format")),
    fields: Object.fromEntries(Object.entries(fields).filter(([, name]) => name !== undefined)),
    onError: args.text("on-error") === "skip" ? "skip" : "fail",
    tasks: args.texts("task"),
    bits: Number(args.text("table-bits")) as RowBits,
    overlapTokens: args.number("overlap")!,
    weight: args.number("weight"),
    ...(shardChunks === undefined ? {} : { shardChunks }),
    ...(tableBytes === undefined ? {} : { tableBytes }),
  };
}
