import { fileURLToPath } from "node:url";
import { BUILD_DEFAULTS, buildIndex } from "../build.ts";
import { openInNode } from "../engine-node.ts";
import { SPAN_PLAN } from "../fit/spans.ts";
import { showProgress } from "../progress.ts";
import { serve } from "../serve.ts";
import { openSource } from "../sources/open.ts";
import type { Command } from "./command.ts";
import { openEncoder } from "./encoder.ts";
import { ENCODER_OPTIONS, STORE_OPTION, storeOf } from "./options.ts";
import { PORT_OPTION, untilStopped } from "./serve.ts";

const COLLECTION = fileURLToPath(new URL("../../examples/nq-qed", import.meta.url));
const INDEX = "demo";
const EXAMPLES = [
  "who won the first nobel prize in physics",
  "how many seasons of game of thrones are there",
  "where does the water in the dead sea come from",
  "song about a lonely astronaut",
] as const;

/** Half the spans of a usual index: whoever tries the demo waits for it, and `lightedge index` is no further away. */
const QUICK_SPANS = { ...SPAN_PLAN, shortPerSentence: 2, longPerDocument: 1 };

/** `lightedge demo`: the shipped collection, indexed and served. */
export const demoCommand: Command = {
  name: "demo",
  summary: "Index the shipped Wikipedia collection and serve it with the search page",
  positionals: { usage: "", least: 0, most: 0 },
  options: {
    store: STORE_OPTION,
    port: PORT_OPTION,
    cache: ENCODER_OPTIONS.cache,
    device: ENCODER_OPTIONS.device,
  },
  async run(args) {
    const progress = showProgress(process.stderr);
    const store = storeOf(args);
    const encoder = await openEncoder(args, progress);
    try {
      const source = await openSource([COLLECTION], "beir");
      const options = { ...BUILD_DEFAULTS, tasks: [], spans: QUICK_SPANS, now: () => new Date() };
      await buildIndex({ index: INDEX, source, encoder, store, ...options }, progress);
    } finally {
      await encoder.close();
    }
    // Fails here, with a reason, rather than in the Worker, should anything be wrong.
    await openInNode(store, INDEX);
    const stage = progress.stage("start workerd", 0);
    const serving = await serve({
      store,
      host: "127.0.0.1",
      port: args.number("port")!,
      indexes: [INDEX],
      examples: EXAMPLES,
      pointerMaxAge: 2,
    });
    stage.done();
    process.stdout.write(`\nOpen ${serving.url} and type. Ctrl-C stops the server.\n`);
    await untilStopped(serving);
    return 0;
  },
};
