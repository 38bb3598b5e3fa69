import type { RowBits } from "../../shared/kernels/kernels.ts";
import { BUILD_DEFAULTS, buildIndex } from "../build.ts";
import { openInNode } from "../engine-node.ts";
import { readTestCollection } from "../evaluate/collection.ts";
import { type Evaluation, evaluateFull, evaluateIndex } from "../evaluate/evaluate.ts";
import { SILENT, showProgress } from "../progress.ts";
import { openSource } from "../sources/open.ts";
import { type Command, JSON_OPTION } from "./command.ts";
import { openEncoder } from "./encoder.ts";
import { ENCODER_OPTIONS, STORE_OPTION, storeOf } from "./options.ts";

/** `lightedge eval`: nDCG, recall and reciprocal rank on a collection with judgements. */
export const evalCommand: Command = {
  name: "eval",
  summary: "Measure search quality on a test collection in BEIR layout",
  positionals: { usage: "DIR", least: 1, most: 1 },
  options: {
    index: { type: "string", value: "NAME", help: "index to measure (default: one is built from DIR)" },
    store: STORE_OPTION,
    ...ENCODER_OPTIONS,
    full: {
      type: "boolean",
      help: "also measure the full encoder and plain BM25, and what the table keeps of them",
    },
    "table-bits": {
      type: "string",
      choices: ["2", "3", "4", "8"],
      help: "bits of a table value",
      default: String(BUILD_DEFAULTS.bits),
    },
    weight: {
      type: "number",
      least: 0,
      most: 1,
      help: "share of the dense side in hybrid search",
      default: BUILD_DEFAULTS.weight,
    },
    json: JSON_OPTION,
  },
  notes: "DIR holds corpus.jsonl, queries.jsonl and qrels.tsv (or qrels/test.tsv).",
  async run(args, output) {
    const progress = output.json && !process.stderr.isTTY ? SILENT : showProgress(process.stderr);
    const collection = await readTestCollection(args.positionals[0]!);
    const store = storeOf(args);
    const given = args.text("index");
    const name = given ?? nameOf(collection.name);
    const encoder = given === undefined || args.flag("full") ? await openEncoder(args, progress) : null;
    try {
      if (given === undefined && encoder !== null) {
        const options = {
          tasks: [],
          overlapTokens: BUILD_DEFAULTS.overlapTokens,
          weight: args.number("weight")!,
          now: () => new Date(),
        };
        const bits = Number(args.text("table-bits")) as RowBits;
        await buildIndex(
          {
            index: name,
            source: await openSource([collection.folder], "beir"),
            encoder,
            store,
            bits,
            ...options,
          },
          progress,
        );
      }
      const index = await openInNode(store, name);
      let evaluation = await evaluateIndex(index, collection, progress);
      if (args.flag("full") && encoder !== null) {
        const parts = {
          source: await openSource([collection.folder], "beir"),
          encoder,
          overlapTokens: BUILD_DEFAULTS.overlapTokens,
        };
        evaluation = await evaluateFull(evaluation, index, collection, parts, progress);
      }
      output.result(evaluation, () => render(evaluation));
    } finally {
      await encoder?.close();
    }
    return 0;
  },
};

/** The index of a collection that none was named for. */
function nameOf(collection: string): string {
  return `eval-${collection.toLowerCase().replaceAll(/[^a-z0-9_-]/gu, "-")}`.slice(0, 60);
}

function render({ collection, queries, documents, modes, kept }: Evaluation): string {
  const rows = Object.entries(modes).map(
    ([mode, scores]) =>
      `  ${mode.padEnd(12)} ${Object.values(scores)
        .map((value: number) => value.toFixed(4).padStart(10))
        .join(" ")}`,
  );
  const ratios =
    kept === undefined
      ? []
      : [
          `  kept: dense ${kept.dense.toFixed(3)}, hybrid ${kept.hybrid.toFixed(3)}; hybrid against full dense ${kept["hybrid/full-dense"].toFixed(3)}`,
        ];
  return [
    `${collection}: ${queries} queries, ${documents} documents`,
    "                  ndcg@10 recall@100     mrr@10",
    ...rows,
    ...ratios,
  ].join("\n");
}
