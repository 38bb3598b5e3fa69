import { checkIndexName } from "../../shared/store/keys.ts";
import { showProgress } from "../progress.ts";
import { regionFacts, regionSentence } from "../regions/replicate-all.ts";
import { probeStore } from "../store/probe.ts";
import { PUBLISH_PORTS } from "../store/publish.ts";
import { rollback } from "../store/rollback.ts";
import { type Command, JSON_OPTION } from "./command.ts";
import { INDEX_OPTION } from "./options.ts";
import {
  CANARY_OPTION,
  canaryOf,
  follow,
  STORE_OR_CONFIG,
  targetOf,
  VERIFY_OPTION,
  verifyOf,
} from "./regional.ts";

/** `lightedge rollback`: an older version's content, current again. */
export const rollbackCommand: Command = {
  name: "rollback",
  summary: "Make the content of an older version current again",
  positionals: { usage: "", least: 0, most: 0 },
  options: {
    index: INDEX_OPTION,
    to: {
      type: "string",
      value: "VERSION",
      help: "version to go back to: 7-1a2b3c4d, 7, or the first digits of its digest",
      required: true,
    },
    ...STORE_OR_CONFIG,
    canary: CANARY_OPTION,
    // What a region had before was read back when it came, and whoever rolls back is in a hurry.
    verify: { ...VERIFY_OPTION, default: "head" },
    json: JSON_OPTION,
  },
  notes: [
    "What comes of it is a new version, so it can be undone in the same way. Servers notice it as they do any other.",
    "With --config the regions follow home: their blobs are there, so it takes little more than their pointers.",
  ].join("\n"),
  async run(args, output) {
    const index = args.text("index")!;
    checkIndexName(index);
    const progress = showProgress(process.stderr);
    const ports = { ...PUBLISH_PORTS, note: (message: string) => progress.warn(message) };
    const { store, regions } = await targetOf(args);
    const canary = canaryOf(regions, args.text("canary"));
    await probeStore(store, PUBLISH_PORTS.randomBytes);
    const { manifest, ...done } = await rollback(store, index, args.text("to")!, new Date(), ports);
    const carried = await follow(regions, [index], { verify: verifyOf(args), canary }, progress);
    const facts = { index, ...done, ...manifest.counts };
    const sentence = done.changed
      ? `${index} ${done.version} has the content of ${done.contentOf}: ${manifest.counts.documents} documents.`
      : `${index} ${done.version} is current and has the content of ${done.contentOf}; nothing was changed.`;
    output.result(regions === null ? facts : { ...facts, regions: carried.map(regionFacts) }, () =>
      [sentence, ...carried.map(regionSentence)].join("\n"),
    );
    return carried.some(({ kind }) => kind === "failed") ? 1 : 0;
  },
};
