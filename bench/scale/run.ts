/**
 * Runs the measurements at scale: `node bench/scale/run.ts [--only dense,bandwidth,sparse,search,load,million]
 * [--peers DIR] [--full-text] [--json]`. `million` is left out unless it is named: its index takes minutes and gigabytes.
 * Pin the others to one core (`taskset -c 1`); `--rebuild` makes the index anew from cached encodings.
 */
import { parseArgs } from "node:util";
import { showProgress } from "../../indexer/progress.ts";
import { report } from "../report.ts";
import type { Result } from "../result.ts";
import { measureBandwidth } from "./bandwidth.ts";
import { measureDense } from "./dense.ts";
import { measureLoad, measureMillion } from "./million.ts";
import { prepareScale } from "./prepare.ts";
import { measureSearch } from "./search.ts";
import { measureSparse } from "./sparse.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "dense,bandwidth,sparse,search,load" },
    peers: { type: "string" },
    "full-text": { type: "boolean", default: false },
    folder: { type: "string" },
    store: { type: "string" },
    rebuild: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const progress = showProgress(process.stderr);
const scale = await prepareScale(values, progress);
const measures = new Map<string, () => Promise<readonly Result[]>>([
  ["dense", () => measureDense(scale, values.peers)],
  ["bandwidth", () => measureBandwidth((message) => progress.warn(message))],
  ["sparse", () => measureSparse(scale, values["full-text"])],
  ["search", () => measureSearch(scale)],
  ["load", () => measureLoad(scale)],
  ["million", () => measureMillion(scale, values.rebuild)],
]);
const results: Result[] = [];
for (const name of values.only.split(",")) {
  const measure = measures.get(name);
  if (measure === undefined) throw new Error(`--only takes ${[...measures.keys()].join(", ")}, not ${name}.`);
  const stage = progress.stage(`measure ${name}`, 0);
  results.push(...(await measure()));
  stage.done("");
}
await scale.encoder.close();
report(results, values.json);
