import { checkIndexName } from "../../shared/store/keys.ts";
import { showProgress } from "../progress.ts";
import { probeStore } from "../store/probe.ts";
import { PUBLISH_PORTS } from "../store/publish.ts";
import { rollback } from "../store/rollback.ts";
import { type Command, JSON_OPTION } from "./command.ts";
import { INDEX_OPTION, STORE_OPTION, storeOf } from "./options.ts";

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
    store: STORE_OPTION,
    json: JSON_OPTION,
  },
  notes:
    "What comes of it is a new version, so it can be undone in the same way. Servers notice it as they do any other.",
  async run(args, output) {
    const index = args.text("index")!;
    checkIndexName(index);
    const progress = showProgress(process.stderr);
    const ports = { ...PUBLISH_PORTS, note: (message: string) => progress.warn(message) };
    const store = storeOf(args);
    await probeStore(store, PUBLISH_PORTS.randomBytes);
    const { manifest, ...done } = await rollback(store, index, args.text("to")!, new Date(), ports);
    output.result({ index, ...done, ...manifest.counts }, () =>
      done.changed
        ? `${index} ${done.version} has the content of ${done.contentOf}: ${manifest.counts.documents} documents.`
        : `${index} ${done.version} is current and has the content of ${done.contentOf}; nothing was changed.`,
    );
    return 0;
  },
};
