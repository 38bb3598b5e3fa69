import type { RowBits } from "../../shared/kernels/kernels.ts";
import { checkIndexName } from "../../shared/store/keys.ts";
import { BUILD_DEFAULTS } from "../build.ts";
import { showProgress } from "../progress.ts";
import { FORMATS } from "../sources/open.ts";
import { type Arguments, type Command, JSON_OPTION } from "./command.ts";
import { openEncoder } from "./encoder.ts";
import { ENCODER_OPTIONS, INDEX_OPTION, STORE_OPTION, storeOf } from "./options.ts";
import { factsOf, type IndexSpec, openSources, runIndex, sentencesOf } from "./run-index.ts";

/** `lightedge index`: a source into a new version of an index. */
export const indexCommand: Command = {
  name: "index",
  summary: "Build an index from documents and publish it",
  positionals: { usage: "SOURCE...", least: 1, most: 1000 },
  options: {
    index: INDEX_OPTION,
    store: STORE_OPTION,
    ...ENCODER_OPTIONS,
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
    json: JSON_OPTION,
  },
  notes: "A run that is stopped can be started again: what was encoded is kept.",
  async run(args, output) {
    const spec = specOf(args);
    const progress = showProgress(process.stderr);
    const store = storeOf(args);
    const source = await openSources(spec, progress);
    const encoder = await openEncoder(args, progress);
    try {
      const run = await runIndex(spec, { source, store, encoder, now: () => new Date() }, progress);
      output.result(factsOf(spec.index, run), () => sentencesOf(spec.index, run));
    } finally {
      await encoder.close();
    }
    return 0;
  },
};

function specOf(args: Arguments): IndexSpec {
  const index = args.text("index")!;
  checkIndexName(index);
  const shardChunks = args.number("shard-chunks");
  const fields = {
    idField: args.text("id-field"),
    titleField: args.text("title-field"),
    textField: args.text("text-field"),
  };
  return {
    index,
    sources: args.positionals,
    format: FORMATS.find((format) => format === args.text("format")),
    fields: Object.fromEntries(Object.entries(fields).filter(([, name]) => name !== undefined)),
    onError: args.text("on-error") === "skip" ? "skip" : "fail",
    tasks: args.texts("task"),
    bits: Number(args.text("table-bits")) as RowBits,
    overlapTokens: args.number("overlap")!,
    weight: args.number("weight"),
    ...(shardChunks === undefined ? {} : { shardChunks }),
  };
}
