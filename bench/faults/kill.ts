/**
 * Real index runs killed without warning: `node bench/faults/kill.ts --kills 500 --seed 1`. Prints what was
 * killed and what was left, and exits 1 where a version was lost, doubled or half visible.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { killCampaign } from "../../test/sim/kill/campaign.ts";

const { values } = parseArgs({
  options: { kills: { type: "string", default: "500" }, seed: { type: "string", default: "1" } },
});
const folder = await mkdtemp(join(tmpdir(), "lightedge-kills-"));
const started = performance.now();
const { kills, committed, completed, violations } = await killCampaign(
  folder,
  Number(values.kills),
  Number(values.seed),
);
await rm(folder, { recursive: true });
const seconds = ((performance.now() - started) / 1000).toFixed(0);
for (const violation of violations) console.log(violation);
console.log(
  `${kills} kills from seed ${values.seed}, ${committed} of them after the commit; ${completed} runs to the end; ${violations.length} violations, ${seconds} s.`,
);
process.exitCode = violations.length === 0 ? 0 : 1;
