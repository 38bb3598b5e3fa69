/**
 * Schedules by the number: `node bench/faults/simulate.ts --schedules 100000 --seed 1`.
 * `--builds` runs schedules over real indexes, `--scene` one kind of the others only (test/sim/scenes.ts). A schedule that breaks a promise is printed with the command that repeats it, step by step.
 */
import { parseArgs } from "node:util";
import { simulateBuilds } from "../../test/sim/builds/simulate.ts";
import { isScene } from "../../test/sim/scenes.ts";
import { repeatCommand, simulate } from "../../test/sim/simulate.ts";
import { digestInPlace } from "../../test/sim/sync-digest.ts";

/** Violations that are printed; one bug breaks many schedules. */
const SHOWN = 5;

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    builds: { type: "boolean", default: false },
    scene: { type: "string" },
    schedules: { type: "string", default: "1000" },
    verbose: { type: "boolean", default: false },
  },
});
const { scene } = values;
if (scene !== undefined && !isScene(scene)) throw new Error(`There is no scene ${scene}.`);
const log = values.verbose ? console.log : undefined;
digestInPlace();
const started = performance.now();
const first = Number(values.seed);
const count = Number(values.schedules);
let steps = 0;
let versions = 0;
let deleted = 0;
let broken = 0;
for (let seed = first; seed < first + count; seed++) {
  const found = await (values.builds ? simulateBuilds(seed, { log }) : simulate(seed, { scene, log }));
  steps += found.steps;
  versions += found.versions;
  deleted += found.deleted;
  if (found.violations.length === 0) continue;
  broken++;
  if (broken > SHOWN) continue;
  console.log(`Seed ${seed} breaks ${found.violations.length} promises:`);
  for (const violation of found.violations) console.log(`  ${violation}`);
  console.log(`  Repeat: ${repeatCommand(seed, values.builds ? " --builds" : scene && ` --scene ${scene}`)}`);
}
const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(
  `${count} schedules from seed ${first}: ${steps} steps, ${versions} versions, ${deleted} objects deleted, ${broken} with violations, ${seconds} s.`,
);
process.exitCode = broken === 0 ? 0 : 1;
