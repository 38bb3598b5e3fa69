import { LightedgeError } from "../../shared/errors.ts";
import type { RowBits } from "../../shared/kernels/kernels.ts";
import { checkIndexName } from "../../shared/store/keys.ts";
import { BUILD_DEFAULTS, type BuildReport, buildIndex } from "../build.ts";
import { showProgress } from "../progress.ts";
import { checked, FORMATS, openSource } from "../sources/open.ts";
import { type Arguments, type Command, JSON_OPTION } from "./command.ts";
import { openEncoder } from "./encoder.ts";
import { ENCODER_OPTIONS, INDEX_OPTION, STORE_OPTION, storeOf } from "./options.ts";

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
    const index = args.text("index")!;
    checkIndexName(index);
    const progress = showProgress(process.stderr);
    const store = storeOf(args);
    const source = checked(await openSource(args.positionals, formatOf(args), fieldsOf(args)), {
      onRejected: args.text("on-error") === "skip" ? "skip" : "fail",
      report: (record) => progress.warn(record.reason.message),
    });
    const encoder = await openEncoder(args, progress);
    try {
      const shardChunks = args.number("shard-chunks");
      const report = await buildIndex(
        {
          index,
          source,
          encoder,
          store,
          tasks: args.texts("task"),
          bits: Number(args.text("table-bits")) as RowBits,
          overlapTokens: args.number("overlap")!,
          weight: args.number("weight"),
          now: () => new Date(),
          ...(shardChunks === undefined ? {} : { shardChunks }),
        },
        progress,
      );
      const { manifest, ...rest } = report;
      output.result(
        {
          index,
          ...rest,
          ...manifest.counts,
          provider: encoder.provider,
          encoded: encoder.counts.misses,
          cached: encoder.counts.hits,
        },
        () => render(index, report, encoder.counts),
      );
    } finally {
      await encoder.close();
    }
    return 0;
  },
};

function formatOf(args: Arguments) {
  return FORMATS.find((format) => format === args.text("format"));
}

function fieldsOf(args: Arguments) {
  const named = {
    idField: args.text("id-field"),
    titleField: args.text("title-field"),
    textField: args.text("text-field"),
  };
  const given = Object.entries(named).filter((entry): entry is [string, string] => entry[1] !== undefined);
  if (given.some(([, name]) => name === ""))
    throw new LightedgeError("usage/invalid", "A field name must not be empty.", { field: "fields" });
  return Object.fromEntries(given);
}

function render(
  index: string,
  { version, changed, manifest, bytesWritten }: BuildReport,
  counts: { readonly hits: number; readonly misses: number },
): string {
  const { documents, chunks, rejected } = manifest.counts;
  const bad = rejected > 0 ? `, ${rejected} rejected` : "";
  return [
    changed ? `Published ${index} ${version}.` : `${index} ${version} is up to date; nothing was published.`,
    `${documents} documents in ${chunks} chunks${bad}; ${counts.misses} texts encoded, ${counts.hits} from the cache; ${bytesWritten} bytes written.`,
  ].join("\n");
}
