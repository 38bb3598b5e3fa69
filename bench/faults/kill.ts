/**
 * Real index runs killed without warning: `node bench/faults/kill.ts --kills 500 --seed 1`. Prints what was
 * killed and what was left, and exits 1 where a version was lost, doubled or half visible.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { killCampaign } from "../../test/sim/kill/campaign.ts";

/** Kills over one folder. Every check reads every version, so that a long campaign over one would be a slow one. */
const AT_ONCE = 50;

const { values } = parseArgs({
  options: { kills: { type: "string", default: "500" }, seed: { type: "string", default: "1" } },
});
const wanted = Number(values.kills);
const sum = { kills: 0, committed: 0, completed: 0, violations: 0 };
const started = performance.now();
for (let seed = Number(values.seed); sum.kills < wanted; seed++) {
  const folder = await mkdtemp(join(tmpdir(), "lightedge-kills-"));
  const found = await killCampaign(folder, Math.min(AT_ONCE, wanted - sum.kills), seed);
  sum.kills += found.kills;
  sum.committed += found.committed;
  sum.completed += found.completed;
  sum.violations += found.violations.length;
  for (const violation of found.violations) console.log(`Seed ${seed}, ${folder}: ${violation}`);
  // What is left of a violation is there to be looked at.
  if (found.violations.length === 0) await rm(folder, { recursive: true });
}
const seconds = ((performance.now() - started) / 1000).toFixed(0);
console.log(
  `${sum.kills} kills from seed ${values.seed}, ${sum.committed} of them after the commit; ${sum.completed} runs to the end; ${sum.violations} violations, ${seconds} s.`,
);
process.exitCode = sum.violations === 0 ? 0 : 1;
