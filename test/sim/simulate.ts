/** One schedule from a seed: a random history, everybody at once, then calm, and the books compared. */
import { Random } from "../../indexer/random.ts";
import { LightedgeError } from "../../shared/errors.ts";
import type { Change } from "./content.ts";
import { type Actor, drawHistory, type History, type Job } from "./history.ts";
import { publish, read } from "./jobs.ts";
import type { Life } from "./life.ts";
import { World } from "./world.ts";

/** What became of a schedule. */
export interface Simulated {
  readonly seed: number;
  /** Digest of all steps in order: equal for equal seeds, or the schedule cannot be repeated. */
  readonly trace: string;
  readonly steps: number;
  readonly versions: number;
  readonly violations: readonly string[];
}

/** Tries of one job whose process dies or fails. */
const TRIES = 4;

/** The one command that runs a schedule again and prints its steps. */
export function repeatCommand(seed: number): string {
  return `node bench/faults/simulate.ts --seed ${seed} --schedules 1 --verbose`;
}

/** Runs the schedule of this seed. `log` is told every step. */
export async function simulate(seed: number, log?: (line: string) => void): Promise<Simulated> {
  const random = new Random(seed);
  const history = drawHistory(random);
  const world = new World({ seed: random.bits(), ...history }, log);
  try {
    for (const actor of history.actors) {
      world.scheduler.start(actor.name, (life) => perform(world, life, actor));
    }
    await world.scheduler.run();
    await calmDown(world, history);
  } catch (error) {
    world.broken(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  }
  const { scheduler, ledger } = world;
  return {
    seed,
    trace: scheduler.digest(),
    steps: scheduler.steps,
    versions: ledger.indexes.reduce((sum, index) => sum + ledger.history(index).length, 0),
    violations: ledger.violations,
  };
}

/** An actor's jobs, each in a process of its own, as a schedule starts them. */
async function perform(world: World, life: Life, actor: Actor): Promise<void> {
  for (const job of actor.jobs) {
    await life.pause(job.waitMs);
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const outcome = await world.scheduler.live(actor.name, (own) => attemptJob(world, own, actor, job));
      if (outcome === "done") break;
      await life.pause(1000);
    }
  }
}

/** Does a job once. Whatever the product says no with is an answer; what it does not mean to throw is a fault of ours. */
async function attemptJob(world: World, life: Life, actor: Actor, job: Job): Promise<"done" | "failed"> {
  const store = world.storeOf(life, actor.faults);
  const localTime = () => new Date(world.scheduler.now + actor.skewMs);
  try {
    switch (job.kind) {
      case "publish":
        return await publish(world, life, store, job.index, job.change, localTime);
      case "read":
        await read(world, life, store, job.index, () => job.dwellMs, actor.clean);
        return "done";
    }
  } catch (error) {
    if (!(error instanceof LightedgeError) || error.code === "internal") throw error;
    world.scheduler.note(`${life.name} fails: ${error.message}`);
    return "failed";
  }
}

/** Ends faults and checks that every index can be written, read and collected. */
async function calmDown(world: World, history: History): Promise<void> {
  world.scheduler.calm = true;
  world.scheduler.start("epilogue", async (life) => {
    for (const index of history.indexes) {
      const change: Change = { texts: new Map([["last", "word"]]) };
      const actor: Actor = { name: "epilogue", jobs: [], skewMs: 0, faults: [], clean: true };
      const jobs: readonly Job[] = [
        { kind: "publish", index, waitMs: 0, change },
        { kind: "read", index, waitMs: 0, dwellMs: 1 },
      ];
      for (const job of jobs) {
        const outcome = await world.scheduler.live("epilogue", (own) => attemptJob(world, own, actor, job));
        if (outcome !== "done") world.broken(`Afterwards ${index} could not ${job.kind}.`);
      }
      const texts = world.model.contents(index).at(-1)?.documents;
      if (texts?.get("last") !== "word") world.broken(`Afterwards ${index} did not say its last word.`);
    }
    await life.pause(1);
  });
  await world.scheduler.run();
}
