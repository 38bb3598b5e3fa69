/**
 * One schedule from a seed, in three acts: a past without accidents, which leaves old versions behind; everybody at
 * once with all that can go wrong; and calm, in which the books are compared.
 */
import { Random } from "../../indexer/random.ts";
import type { Actor, History, Job } from "./history.ts";
import { perform, succeeds } from "./perform.ts";
import { drawHistory, type Scene } from "./scenes.ts";
import { World } from "./world.ts";

/** What became of a schedule. */
export interface Simulated {
  readonly seed: number;
  /** Digest of all steps in order: equal for equal seeds, or the schedule cannot be repeated. */
  readonly trace: string;
  readonly steps: number;
  readonly versions: number;
  /** Objects that collections deleted. */
  readonly deleted: number;
  /** One sentence for each promise that was broken. */
  readonly violations: readonly string[];
}

const HOUR = 3_600_000;

/** How to run a schedule. */
export interface SimulateOptions {
  /** The kind of history; any when absent. */
  readonly scene?: Scene | undefined;
  /** Told every step. */
  readonly log?: ((line: string) => void) | undefined;
}

/** The one command that runs a schedule again and prints its steps; `which` says what kind it was. */
export function repeatCommand(seed: number, which = ""): string {
  return `node bench/faults/simulate.ts --seed ${seed}${which} --schedules 1 --verbose`;
}

/** Runs the schedule of this seed. */
export async function simulate(seed: number, { scene, log }: SimulateOptions = {}): Promise<Simulated> {
  const random = new Random(seed);
  const history = drawHistory(random, scene);
  const world = new World({ seed: random.bits(), ...history }, log);
  try {
    await past(world, history);
    await present(world, history);
    await afterwards(world, history);
  } catch (error) {
    world.broken(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  }
  const { scheduler, ledger } = world;
  return {
    seed,
    trace: scheduler.digest(),
    steps: scheduler.steps,
    versions: ledger.indexes.reduce((sum, index) => sum + ledger.history(index).length, 0),
    deleted: ledger.deletes,
    violations: ledger.violations,
  };
}

/** Somebody who makes no mistakes. */
function steady(name: string, jobs: readonly Job[]): Actor {
  return { name, jobs, skewMs: 0, faults: [], clean: true };
}

async function past(world: World, { past }: History): Promise<void> {
  world.scheduler.calm = true;
  const clock = {
    pause: async (milliseconds: number) => {
      world.scheduler.now += milliseconds;
    },
  };
  await perform(world, steady("past", past), clock);
}

async function present(world: World, { actors }: History): Promise<void> {
  world.scheduler.calm = false;
  for (const actor of actors) world.scheduler.start(actor.name, (life) => perform(world, actor, life));
  await world.scheduler.run();
}

/**
 * Every index can be written and read; one collection, once all is old, leaves what is needed and nothing
 * else; and all this holds after it as well.
 */
async function afterwards(world: World, { indexes, retention }: History): Promise<void> {
  const { scheduler, ledger, model } = world;
  scheduler.calm = true;
  const must = async (job: Job): Promise<void> => {
    if (!(await succeeds(world, steady("afterwards", []), job))) {
      world.broken(`Afterwards nobody could ${job.kind}.`);
    }
  };
  const useAll = async (word: string): Promise<void> => {
    for (const index of indexes) {
      await must({ kind: "publish", index, atMs: 0, change: { texts: new Map([["last", word]]) } });
      await must({ kind: "read", index, atMs: 0, dwellMs: 1 });
      const texts = model.contents(index).at(-1)?.documents;
      if (texts?.get("last") !== word) world.broken(`Afterwards ${index} did not say ${word}.`);
    }
  };
  await useAll("first");
  scheduler.now += 2 * retention.graceMs + HOUR;
  await must({ kind: "collect", atMs: 0 });
  const orphans = ledger.orphans(scheduler.now);
  if (orphans.length > 0) world.broken(`A collection left ${orphans.join(", ")}, which nothing needs.`);
  await useAll("second");
  for (const index of indexes) {
    await must({ kind: "roll back", index, atMs: 0, back: 1 });
    const texts = model.contents(index).at(-1)?.documents;
    if (texts?.get("last") !== "first") world.broken(`Afterwards ${index} could not go back.`);
  }
}
