/**
 * How soon each planted bug is caught: `node bench/faults/planted.ts`, or with `--json` one line for each.
 * Exits 1 where one is not caught within the schedules that it is given. `--quick` leaves out those that
 * only schedules over real indexes see, `--bug NAME` runs one; `--share 5000`
 * runs so many schedules whatever is caught, and prints how many of them did.
 */
import { parseArgs } from "node:util";
import { PLANTED } from "../../test/sim/planted/bugs.ts";
import { loadPlanted } from "../../test/sim/planted/load.ts";
import type { Planted } from "../../test/sim/planted/planted.ts";
import { digestInPlace } from "../../test/sim/sync-digest.ts";

/** What became of a planted bug. */
export interface Caught {
  readonly name: string;
  /** Schedules until a promise was seen broken, or null where none was. */
  readonly schedules: number | null;
  /** What was seen, or why the bug could not be planted. */
  readonly sentence: string;
}

const { values } = parseArgs({
  options: {
    json: { type: "boolean" },
    bug: { type: "string" },
    quick: { type: "boolean" },
    share: { type: "string" },
  },
});
digestInPlace();
for (const bug of PLANTED) {
  if (values.bug !== undefined && values.bug !== bug.name) continue;
  if (values.quick && bug.scene === "builds") continue;
  if (values.share !== undefined) {
    console.log(`${await count(bug, Number(values.share))} of ${values.share}  ${bug.name}`);
    continue;
  }
  const caught = await seek(bug);
  if (caught.schedules === null) process.exitCode = 1;
  console.log(
    values.json
      ? JSON.stringify(caught)
      : `${String(caught.schedules ?? "never").padStart(6)} of ${String(bug.within).padStart(6)}  ${bug.name}: ${caught.sentence}`,
  );
}

async function seek(bug: Planted): Promise<Caught> {
  const { name, within } = bug;
  try {
    const simulate = await loadPlanted(bug);
    for (let seed = 1; seed <= within; seed++) {
      const [sentence] = (await simulate(seed)).violations;
      if (sentence !== undefined) return { name, schedules: seed, sentence };
    }
    return { name, schedules: null, sentence: `nothing in ${within} schedules` };
  } catch (error) {
    return { name, schedules: null, sentence: String(error) };
  }
}

async function count(bug: Planted, schedules: number): Promise<number> {
  const simulate = await loadPlanted(bug);
  let caught = 0;
  for (let seed = 1; seed <= schedules; seed++) {
    if ((await simulate(seed)).violations.length > 0) caught++;
  }
  return caught;
}
