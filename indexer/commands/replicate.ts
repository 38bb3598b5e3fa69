import { showProgress } from "../progress.ts";
import { regionFacts, regionSentence } from "../regions/replicate-all.ts";
import { type Command, JSON_OPTION } from "./command.ts";
import {
  CANARY_OPTION,
  canaryNote,
  canaryOf,
  declaredRegions,
  follow,
  INDEX_OPTION,
  regionsOfConfig,
  VERIFY_OPTION,
  verifyOf,
} from "./regional.ts";
import { chosenIndexes, configOf } from "./reindex.ts";

/** `lightedge replicate`: regions brought to what home has. */
export const replicateCommand: Command = {
  name: "replicate",
  summary: "Bring the regions of a config file to the versions that home has",
  positionals: { usage: "[CONFIG]", least: 0, most: 1 },
  options: {
    index: INDEX_OPTION,
    region: {
      type: "string",
      value: "REGION",
      help: "a region to bring forward (default: all)",
      multiple: true,
    },
    canary: CANARY_OPTION,
    verify: VERIFY_OPTION,
    json: JSON_OPTION,
  },
  notes: [
    "Blobs are copied and read back, then the pointer is moved: a region serves the old version whole or the new one.",
    "Safe to repeat and to run twice at once; what was copied is not copied again. A damaged region is mended by --verify full.",
    "Exit codes: 0 the regions have home's versions, 1 at least one has not, 2 the command or the config file was not understood.",
  ].join("\n"),
  async run(args, output) {
    const config = await configOf(args);
    const regions = regionsOfConfig(config);
    const indexes = chosenIndexes(config, args.texts("index")).map(({ spec }) => spec.index);
    const only = declaredRegions(regions, args.texts("region"), "region");
    const canary = canaryOf(regions, args.text("canary"));
    const progress = showProgress(process.stderr);
    const results = await follow(regions, indexes, { verify: verifyOf(args), canary, only }, progress);
    const home = regions.home.region.name;
    output.result({ config: config.file, home, regions: results.map(regionFacts) }, () =>
      [...results.map(regionSentence), ...canaryNote(canary, config.file)].join("\n"),
    );
    return results.some(({ kind }) => kind === "failed") ? 1 : 0;
  },
};
