import { asLightedgeError, LightedgeError, printable } from "../../shared/errors.ts";
import { type Config, type ConfigIndex, loadConfig } from "../config/config.ts";
import { type Progress, showProgress } from "../progress.ts";
import { regionFacts, regionSentence } from "../regions/replicate-all.ts";
import { openRegions } from "../regions/stores.ts";
import { openStore } from "../store/open.ts";
import { type Arguments, type Command, JSON_OPTION } from "./command.ts";
import { encoderSettings, openBareEncoder } from "./encoder.ts";
import { ENCODER_OPTIONS } from "./options.ts";
import { CANARY_OPTION, canaryNote, canaryOf, follow, VERIFY_OPTION, verifyOf } from "./regional.ts";
import type { RunChoices } from "./run-index.ts";
import { RUN_OPTIONS, runChoicesOf } from "./run-options.ts";
import {
  createRunner,
  outcomeFacts,
  outcomeSentences,
  type RunnerOptions,
  type RunnerPorts,
  type RunOutcome,
} from "./runner.ts";
import { RUNNER_OPTIONS, runnerOptionsOf } from "./runner-options.ts";

/** The config file that is read where none is named. */
const CONFIG_FILE = "lightedge.yaml";

/** `lightedge reindex`: every index of a config file brought up to date. */
export const reindexCommand: Command = {
  name: "reindex",
  summary: "Bring the indexes of a config file up to date; safe to run at any time, by anything",
  positionals: { usage: "[CONFIG]", least: 0, most: 1 },
  options: {
    config: { type: "string", value: "FILE", help: `the config file (default: ${CONFIG_FILE})` },
    index: {
      type: "string",
      value: "NAME",
      help: "an index of the config file to run (default: all)",
      multiple: true,
    },
    ...RUNNER_OPTIONS,
    ...RUN_OPTIONS,
    canary: CANARY_OPTION,
    verify: VERIFY_OPTION,
    force: ENCODER_OPTIONS.force,
    "batch-tokens": ENCODER_OPTIONS["batch-tokens"],
    json: JSON_OPTION,
  },
  notes: [
    "Where the config declares regions, each is brought to home's version after it was published.",
    "Exit codes: 0 all indexes are up to date or another run is at work on them, 1 at least one failed, or could",
    "not be brought to a region, 2 the command or the config file was not understood.",
  ].join("\n"),
  async run(args, output) {
    const runner = runnerOptionsOf(args);
    const progress = showProgress(process.stderr);
    const config = await configOf(args);
    const regions = openRegions(config, process.env);
    const canary = canaryOf(regions, args.text("canary"));
    const chosen = chosenIndexes(config, args.texts("index"));
    const { model, device } = config;
    const settings = { ...encoderSettings(args), model, device };
    const ports: RunnerPorts = {
      store: openStore(config.store),
      cache: config.cache,
      openEncoder: () => openBareEncoder(settings, progress),
      now: () => new Date(),
    };
    const results = await reindex(config, chosen, { ...runChoicesOf(args), runner }, ports, progress);
    const carried = await follow(regions, built(results), { verify: verifyOf(args), canary }, progress);
    const { file, name } = config;
    const facts = { config: file, name, indexes: results.map(factsOfResult) };
    output.result(regions === null ? facts : { ...facts, regions: carried.map(regionFacts) }, () =>
      [
        summaryOf(results),
        ...carried.map(regionSentence),
        ...canaryNote(built(results).length > 0 ? canary : undefined, file),
      ].join("\n"),
    );
    return [...results, ...carried].some(({ kind }) => kind === "failed") ? 1 : 0;
  },
};

/** What came of one index. */
export type IndexResult =
  | { readonly kind: "done"; readonly index: string; readonly outcome: RunOutcome }
  | { readonly kind: "failed"; readonly index: string; readonly error: LightedgeError };

/**
 * Runs indexes of a config, one after the other. Throws only where no index could be run: the store cannot be
 * reached, or the model cannot be loaded.
 */
export async function reindex(
  config: Config,
  indexes: readonly ConfigIndex[],
  { runner: options, ...choices }: Omit<RunChoices, "origin"> & { readonly runner: RunnerOptions },
  ports: RunnerPorts,
  progress: Progress,
): Promise<readonly IndexResult[]> {
  let broken: unknown;
  const openEncoder = () =>
    ports.openEncoder().catch((error: unknown) => {
      broken = error;
      throw error;
    });
  const runner = createRunner(options, { ...ports, openEncoder }, progress);
  const results: IndexResult[] = [];
  try {
    // One error, and not one for each index.
    await runner.reach();
    for (const { spec } of indexes) {
      const { index } = spec;
      try {
        const outcome = await runner.run(spec, { ...choices, origin: config.name });
        results.push({ kind: "done", index, outcome });
      } catch (thrown) {
        if (broken !== undefined) throw thrown;
        const error = asLightedgeError(thrown);
        progress.warn(`${index} failed: ${error.message}`);
        results.push({ kind: "failed", index, error });
      }
    }
  } finally {
    await runner.close();
  }
  return results;
}

/** The indexes of a config with these names, all where none is given. Throws `usage/invalid` for a name that is not there. */
export function chosenIndexes({ file, indexes }: Config, names: readonly string[]): readonly ConfigIndex[] {
  const known = indexes.map(({ spec }) => spec.index);
  for (const name of names) {
    if (known.includes(name)) continue;
    throw new LightedgeError(
      "usage/invalid",
      `${file} has no index ${printable(name)}; it has ${known.join(", ")}.`,
      { field: "index", value: printable(name), file },
    );
  }
  return names.length === 0 ? indexes : indexes.filter(({ spec }) => names.includes(spec.index));
}

/** The config that a command names. Throws as `loadConfig`, and `usage/invalid` where it names two. */
export function configOf(args: Pick<Arguments, "positionals" | "text">): Promise<Config> {
  return loadConfig(fileOf(args.positionals[0], args.text("config")), process.env);
}

/** The indexes that are as they should be at home: what was published, now or before, goes to the regions. */
export function built(results: readonly IndexResult[]): readonly string[] {
  return results.filter((result) => isDone(result, "built")).map(({ index }) => index);
}

function fileOf(positional: string | undefined, option: string | undefined): string {
  if (positional === undefined) return option ?? CONFIG_FILE;
  if (option === undefined || option === positional) return positional;
  throw new LightedgeError(
    "usage/invalid",
    `Two config files are named, ${printable(positional)} and ${printable(option)}; name one.`,
    { field: "config", value: printable(option) },
  );
}

function factsOfResult(result: IndexResult): Readonly<Record<string, unknown>> {
  if (result.kind === "done") return outcomeFacts(result.index, result.outcome);
  const { code, message, details } = result.error;
  return { index: result.index, error: { code, message, ...details } };
}

/** What came of indexes, in a few lines each and one for all. */
export function summaryOf(results: readonly IndexResult[]): string {
  const lines = results.map((result) =>
    result.kind === "done"
      ? outcomeSentences(result.index, result.outcome)
      : `${result.index} failed: ${result.error.message}`,
  );
  const count = (wanted: (result: IndexResult) => boolean) => results.filter(wanted).length;
  const counts = [
    [count((result) => isBuilt(result, true)), "published"],
    [count((result) => isBuilt(result, false)), "up to date"],
    [count((result) => isDone(result, "part")), "encoded in part"],
    [count((result) => isDone(result, "dry")), "looked at"],
    [count((result) => isDone(result, "busy")), "left to another run"],
    [count((result) => result.kind === "failed"), "failed"],
  ] as const;
  const said = counts.filter(([number]) => number > 0).map(([number, what]) => `${number} ${what}`);
  return [...lines, `${said.join(", ")}.`].join("\n");
}

function isDone(result: IndexResult, kind: RunOutcome["kind"]): boolean {
  return result.kind === "done" && result.outcome.kind === kind;
}

function isBuilt(result: IndexResult, changed: boolean): boolean {
  return (
    result.kind === "done" && result.outcome.kind === "built" && result.outcome.run.report.changed === changed
  );
}
