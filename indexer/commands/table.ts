import { LightedgeError, printable } from "../../shared/errors.ts";
import { loadTokenizer } from "../../shared/tokenizer/load.ts";
import { makeRows, type RowCounts } from "../cached/make-rows.ts";
import { checkRows } from "../cached/row-check.ts";
import { rowFolder } from "../cached/row-folder.ts";
import { openRowGraph } from "../cached/row-graph.ts";
import { planRows, type RowPlan } from "../cached/row-plan.ts";
import { parsePart } from "../encode/part.ts";
import { loadModel } from "../model/model.ts";
import { type Progress, showProgress } from "../progress.ts";
import { openStore } from "../store/open.ts";
import { type Command, JSON_OPTION } from "./command.ts";
import { cacheFolder, type EncoderSettings, encoderSettings } from "./encoder.ts";
import { EMBEDDED_MODEL, ENCODER_OPTIONS } from "./options.ts";

/** `lightedge table`: the rows of a model's own query tables, once for every index of that model. */
export const tableCommand: Command = {
  name: "table",
  summary: "Make the rows of a model's own query table, a pass of the model for every token",
  positionals: { usage: "", least: 0, most: 0 },
  options: {
    ...ENCODER_OPTIONS,
    task: {
      type: "string",
      value: "NAME",
      help: "task to make rows for (default: the model's first)",
      multiple: true,
    },
    part: { type: "string", value: "N/OF", help: "make this part of the rows, as 3/8" },
    store: {
      type: "string",
      value: "URL",
      help: "take rows from this store, and put those there that it lacks (default: the folder of caches alone)",
    },
    json: JSON_OPTION,
  },
  notes: [
    'For models whose model.json says "query_table": "cached". Rows do not depend on any index: lightedge index takes',
    "them from the cache or its store, and makes what is missing. A run that is stopped can be started again. Parts",
    "meet in the store, or by copying the folders that are printed into one.",
  ].join("\n"),
  async run(args, output) {
    const progress = showProgress(process.stderr);
    const settings = encoderSettings(args);
    const part = args.text("part") === undefined ? null : parsePart(args.text("part")!);
    const store = args.text("store") === undefined ? undefined : openStore(args.text("store")!);
    const model = await loadModel(settings.model ?? EMBEDDED_MODEL);
    if (model.queryTable !== "cached") {
      throw new LightedgeError(
        "usage/invalid",
        `${printable(model.description.name)} has no query table of its own: lightedge index fits one to the documents. A model that was trained with one says "query_table": "cached" in its model.json.`,
        { field: "model", value: printable(model.description.name) },
      );
    }
    const tokenizer = loadTokenizer(model.tokenizer);
    const [first] = Object.keys(model.description.tasks);
    const tasks = args.texts("task").length > 0 ? args.texts("task") : [first!];
    const plans: RowPlan[] = [];
    for (const task of tasks) plans.push(await planRows(model, tokenizer, task, settings.batchTokens));
    const cache = cacheFolder(args);
    const ports = { cache, store, share: true, open: opener(settings, progress) };
    const made: Made[] = [];
    for (const plan of plans)
      made.push({
        plan,
        counts: await makeRows(plan, part, ports, progress),
        folder: rowFolder(cache, plan),
      });
    const name = part === null ? {} : { part: `${part.number}/${part.of}` };
    output.result({ model: model.description.name, ...name, tasks: made.map(factsOf) }, () =>
      made.map(sentencesOf).join("\n"),
    );
    return 0;
  },
};

interface Made {
  readonly plan: RowPlan;
  readonly counts: RowCounts;
  readonly folder: string;
}

/** Opens the part of the model that rows need, and checks that they do not change with their pass. */
function opener({ device, force }: EncoderSettings, progress: Progress) {
  return async (plan: RowPlan) => {
    const stage = progress.stage("load model", 0);
    const graph = await openRowGraph(plan, { device, warn: progress.warn });
    try {
      const warning = await checkRows(graph, plan, force);
      stage.done(`${plan.model.description.name} on ${graph.provider}`);
      if (warning !== null) progress.warn(warning);
      return graph;
    } catch (error) {
      await graph.close();
      throw error;
    }
  };
}

function factsOf({ plan, counts, folder }: Made): Readonly<Record<string, unknown>> {
  return { task: plan.task, key: plan.key, folder, ...counts };
}

function sentencesOf({ plan, counts, folder }: Made): string {
  const { own, made, fetched, shared, rows } = counts;
  return `${plan.task}: ${own} of ${plan.blocks} blocks are in ${folder}; ${rows} rows in ${made} blocks made, ${fetched} blocks from the store, ${shared} put there.`;
}
