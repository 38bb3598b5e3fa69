import { showProgress } from "../progress.ts";
import { type Command, JSON_OPTION } from "./command.ts";
import { openEncoder } from "./encoder.ts";
import { SPEC_OPTIONS, specOf } from "./index-options.ts";
import { ENCODER_OPTIONS, INDEX_OPTION, STORE_OPTION, storeOf } from "./options.ts";
import { factsOf, openSources, runIndex, sentencesOf } from "./run-index.ts";
import { RUN_OPTIONS, runChoicesOf } from "./run-options.ts";

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
    json: JSON_OPTION,
  },
  notes: "A run that is stopped can be started again: what was encoded is kept.",
  async run(args, output) {
    const spec = specOf(args.text("index")!, args.positionals, args);
    const progress = showProgress(process.stderr);
    const store = storeOf(args);
    const source = await openSources(spec, progress);
    const encoder = await openEncoder(args, progress);
    try {
      const run = await runIndex(
        spec,
        { ...runChoicesOf(args), source, store, encoder, now: () => new Date() },
        progress,
      );
      output.result(factsOf(spec.index, run), () => sentencesOf(spec.index, run));
    } finally {
      await encoder.close();
    }
    return 0;
  },
};
