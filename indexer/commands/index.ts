import { showProgress } from "../progress.ts";
import { type Command, JSON_OPTION } from "./command.ts";
import { cacheFolder, encoderSettings, openBareEncoder } from "./encoder.ts";
import { SPEC_OPTIONS, specOf } from "./index-options.ts";
import { ENCODER_OPTIONS, INDEX_OPTION, STORE_OPTION, storeOf } from "./options.ts";
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
    store: STORE_OPTION,
    ...ENCODER_OPTIONS,
    ...SPEC_OPTIONS,
    ...RUN_OPTIONS,
    ...RUNNER_OPTIONS,
    json: JSON_OPTION,
  },
  notes: "A run that is stopped can be started again: what was encoded is kept.",
  async run(args, output) {
    const spec = specOf(args.text("index")!, args.positionals, args);
    const progress = showProgress(process.stderr);
    const settings = encoderSettings(args);
    const ports: RunnerPorts = {
      store: storeOf(args),
      cache: cacheFolder(args),
      openEncoder: () => openBareEncoder(settings, progress),
      now: () => new Date(),
    };
    const runner = createRunner(runnerOptionsOf(args), ports, progress);
    try {
      const outcome = await runner.run(spec, runChoicesOf(args));
      if (outcome.kind === "busy") throw busyError(spec.index, outcome.holder);
      output.result(outcomeFacts(spec.index, outcome), () => outcomeSentences(spec.index, outcome));
    } finally {
      await runner.close();
    }
    return 0;
  },
};
