/**
 * Runs the measurements at scale: `node bench/scale/run.ts [--only dense,bandwidth,sparse] [--peers DIR] [--full-text] [--json]`.
 * Pin it to one core (`taskset -c 1`) where something else runs; `--rebuild` makes the index anew from cached encodings.
 */
import { parseArgs } from "node:util";
import { showProgress } from "../../indexer/progress.ts";
import { report } from "../report.ts";
import type { Result } from "../result.ts";
import { measureBandwidth } from "./bandwidth.ts";
import { measureDense } from "./dense.ts";
import { prepareScale } from "./prepare.ts";
import { measureSparse } from "./sparse.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    peers: { type: "string" },
    "full-text": { type: "boolean", default: false },
    folder: { type: "string" },
    store: { type: "string" },
    rebuild: { type: "boolean" },
    json: { type: "boolean", default: false },
  },
});
const progress = showProgress(process.stderr);
const scale = await prepareScale(values, progress);
const all = {
  dense: () => measureDense(scale, values.peers),
  bandwidth: () => measureBandwidth((message) => progress.warn(message)),
  sparse: () => measureSparse(scale, values["full-text"]),
};
const wanted = values.only?.split(",") ?? Object.keys(all);
const results: Result[] = [];
for (const name of wanted) {
  const measure = all[name as keyof typeof all];
  if (measure === undefined) throw new Error(`--only takes ${Object.keys(all).join(", ")}, not ${name}.`);
  results.push(...(await measure()));
}
await scale.encoder.close();
report(results, values.json);
