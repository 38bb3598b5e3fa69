import { LightedgeError, printable } from "../../shared/errors.ts";
import type { RowBits } from "../../shared/kernels/kernels.ts";
import { BUILD_DEFAULTS, buildIndex } from "../build.ts";
import { openInNode } from "../engine-node.ts";
import { readTestCollection } from "../evaluate/collection.ts";
import { evaluationOf, type Rankings, rankIndex } from "../evaluate/evaluate.ts";
import { type FullParts, fullRankings, openFullParts } from "../evaluate/full-encoder.ts";
import { measureRobustness } from "../evaluate/robustness/run.ts";
import { SPLIT, splitForTuning, tuneWeight } from "../evaluate/tune.ts";
import { SILENT, showProgress } from "../progress.ts";
import { openSource } from "../sources/open.ts";
import { type Command, JSON_OPTION } from "./command.ts";
import { cacheFolder, openEncoder } from "./encoder.ts";
import { renderEvaluation, renderRobustness, renderTuning } from "./eval-output.ts";
import { SPEC_OPTIONS } from "./index-options.ts";
import { ENCODER_OPTIONS, STORE_OPTION, storeOf } from "./options.ts";

/** `lightedge eval`: nDCG, recall and reciprocal rank on a collection with judgements. */
export const evalCommand: Command = {
  name: "eval",
  summary: "Measure search quality on a test collection in BEIR layout",
  positionals: { usage: "DIR", least: 1, most: 1 },
  options: {
    index: { type: "string", value: "NAME", help: "index to measure (default: one is built from DIR)" },
    store: STORE_OPTION,
    task: {
      type: "string",
      value: "TASK",
      help: "task whose query table is measured (default: the index's first; the model's for one that is built)",
    },
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
    "table-bytes": SPEC_OPTIONS["table-bytes"],
    weight: {
      type: "number",
      least: 0,
      most: 1,
      help: "share of the dense side in hybrid search (default: chosen on texts of the corpus)",
    },
    tune: {
      type: "string",
      value: `QUERIES|${SPLIT}`,
      help: `choose the weight on other judged queries than those reported: a folder, a .tsv of judgements, or ${SPLIT} for half of DIR's`,
    },
    robustness: {
      type: "boolean",
      help: "also measure typos, other writing and wording, word order, negation, hubs, poisoned passages and what compression costs",
    },
    sample: {
      type: "number",
      least: 1,
      integer: true,
      help: "queries that --robustness says in other ways, at most",
      default: 300,
    },
    seed: {
      type: "number",
      least: 0,
      most: 2 ** 32 - 1,
      integer: true,
      help: "what --robustness draws by",
      default: 1,
    },
    json: JSON_OPTION,
  },
  notes: "DIR holds corpus.jsonl, queries.jsonl and qrels.tsv (or qrels/test.tsv).",
  async run(args, output) {
    const progress = output.json && !process.stderr.isTTY ? SILENT : showProgress(process.stderr);
    const whole = await readTestCollection(args.positionals[0]!);
    const tune = args.text("tune");
    const task = args.text("task");
    const split = tune === undefined ? null : await splitForTuning(whole, tune);
    const collection = split?.reported ?? whole;
    const store = storeOf(args);
    const given = args.text("index");
    const name = given ?? nameOf(collection.name);
    const robust = args.flag("robustness");
    if (task !== undefined && (robust || tune !== undefined))
      throw new LightedgeError("usage/invalid", "--task goes with neither --tune nor --robustness.", {
        field: "task",
        value: printable(task),
      });
    const needsEncoder = given === undefined || args.flag("full") || robust;
    const encoder = needsEncoder ? await openEncoder(args, progress) : null;
    try {
      if (given === undefined && encoder !== null) {
        const options = {
          tasks: task === undefined ? [] : [task],
          // What is measured is this code's work, not what an older one left in the store.
          rebuild: "all" as const,
          allowShrink: true,
          overlapTokens: BUILD_DEFAULTS.overlapTokens,
          weight: args.number("weight"),
          now: () => new Date(),
        };
        const bits = Number(args.text("table-bits")) as RowBits;
        const tableBytes = args.number("table-bytes");
        await buildIndex(
          {
            index: name,
            source: await openSource([collection.folder], "beir"),
            encoder,
            store,
            bits,
            ...(tableBytes === undefined ? {} : { tableBytes }),
            cache: cacheFolder(args),
            ...options,
          },
          progress,
        );
      }
      const index = await openInNode(store, name);
      let rankings: Rankings = await rankIndex(index, collection, progress, task);
      let full: FullParts | null = null;
      if ((args.flag("full") || robust) && encoder !== null) {
        const source = await openSource([collection.folder], "beir");
        const from = { source, encoder, overlapTokens: BUILD_DEFAULTS.overlapTokens, task };
        full = await openFullParts(index, from, progress);
      }
      if (args.flag("full") && full !== null) {
        const stage = progress.stage("rank with the full encoder", 0);
        const texts = collection.queries.map(({ text }) => text);
        rankings = { ...rankings, ...(await fullRankings(texts, full)) };
        stage.done();
      }
      const evaluation = evaluationOf(collection, index.manifest, rankings);
      const tuning = split === null ? undefined : await tuneWeight(index, split, progress);
      const drawn = { seed: args.number("seed")!, sample: args.number("sample")! };
      const robustness =
        robust && full !== null
          ? await measureRobustness({ index, store, full }, collection, drawn, progress)
          : undefined;
      // What is undefined is left out of the JSON.
      output.result({ ...evaluation, tuning, robustness }, () =>
        [
          renderEvaluation(evaluation),
          ...(tuning === undefined ? [] : [renderTuning(tuning)]),
          ...(robustness === undefined ? [] : [renderRobustness(robustness)]),
        ].join("\n\n"),
      );
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
