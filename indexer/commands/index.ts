import { showProgress } from "../progress.ts";
import { regionFacts, regionSentence } from "../regions/replicate-all.ts";
import { type Command, JSON_OPTION } from "./command.ts";
import { cacheFolder, encoderSettings, openBareEncoder } from "./encoder.ts";
import { SPEC_OPTIONS, specOf } from "./index-options.ts";
import { ENCODER_OPTIONS, INDEX_OPTION } from "./options.ts";
import {
  CANARY_OPTION,
  canaryOf,
  follow,
  STORE_OR_CONFIG,
  targetOf,
  VERIFY_OPTION,
  verifyOf,
} from "./regional.ts";
import { RUN_OPTIONS, runChoicesOf } from "./run-options.ts";
import { busyError, createRunner, outcomeFacts, outcomeSentences, type RunnerPorts } from "./runner.ts";
import { RUNNER_OPTIONS, runnerOptionsOf } from "./runner-options.ts";

/** `lightedge index`: a source into a new version of an index. */
export const indexCommand: Command = {
  name: "index",
  summary: "Build an index from documents and publish it",
  positionals: { usage: "SOURCE...", least: 1, most: 1000 },
  options: {
    index: INDEX_OPTION,
    ...STORE_OR_CONFIG,
    ...ENCODER_OPTIONS,
    ...SPEC_OPTIONS,
    ...RUN_OPTIONS,
    ...RUNNER_OPTIONS,
    canary: CANARY_OPTION,
    verify: VERIFY_OPTION,
    json: JSON_OPTION,
  },
  notes: "A run that is stopped can be started again: what was encoded is kept.",
  async run(args, output) {
    const spec = specOf(args.text("index")!, args.positionals, args);
    const progress = showProgress(process.stderr);
    const settings = encoderSettings(args);
    const { store, regions } = await targetOf(args);
    const canary = canaryOf(regions, args.text("canary"));
    const ports: RunnerPorts = {
      store,
      cache: cacheFolder(args),
      openEncoder: () => openBareEncoder(settings, progress),
      now: () => new Date(),
    };
    const runner = createRunner(runnerOptionsOf(args), ports, progress);
    try {
      const outcome = await runner.run(spec, runChoicesOf(args));
      if (outcome.kind === "busy") throw busyError(spec.index, outcome.holder);
      const indexes = outcome.kind === "built" ? [spec.index] : [];
      const carried = await follow(regions, indexes, { verify: verifyOf(args), canary }, progress);
      const facts = outcomeFacts(spec.index, outcome);
      output.result(regions === null ? facts : { ...facts, regions: carried.map(regionFacts) }, () =>
        [outcomeSentences(spec.index, outcome), ...carried.map(regionSentence)].join("\n"),
      );
      return carried.some(({ kind }) => kind === "failed") ? 1 : 0;
    } finally {
      await runner.close();
    }
  },
};
