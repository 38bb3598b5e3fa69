/**
 * Schedules over real indexes: a source that changes, runs that bring the index up to date with it, writes at the
 * edge, rollbacks, collections and readers, every version audited. Slower than artificial versions by a
 * hundred, so there are fewer of them.
 */
import { Random } from "../../../indexer/random.ts";
import { LightedgeError } from "../../../shared/errors.ts";
import type { Life } from "../life.ts";
import type { Simulated, SimulateOptions } from "../simulate.ts";
import { World } from "../world.ts";
import { INDEX, Museum } from "./museum.ts";
import { drawPlan, type Plan, type Task, type Worker } from "./plan.ts";
import { build, collect, readNow, rollBack, write } from "./tasks.ts";

const HOUR = 3_600_000;
/** Tries of one task whose process dies or fails. */
const TRIES = 3;

/** A schedule with what its processes share. */
export interface Scene {
  readonly world: World;
  readonly museum: Museum;
  readonly plan: Plan;
  readonly random: Random;
  /** What readers were told: version, query, answer. */
  readonly told: { readonly seq: number; readonly q: string; readonly answer: string }[];
}

/** Runs the schedule of this seed. */
export async function simulateBuilds(
  seed: number,
  { log }: Pick<SimulateOptions, "log"> = {},
): Promise<Simulated> {
  const random = new Random(seed);
  const plan = drawPlan(random);
  const world = new World({ seed: random.bits(), ...plan }, log);
  const scene: Scene = { world, museum: new Museum(world.ledger), plan, random, told: [] };
  const { scheduler, ledger } = world;
  try {
    for (const worker of plan.workers) scheduler.start(worker.name, (life) => perform(scene, worker, life));
    await scheduler.run();
    await afterwards(scene);
    await scene.museum.audit();
    for (const { seq, q, answer } of scene.told) {
      if ((await scene.museum.answer(seq, q)) !== answer)
        world.broken(`Version ${seq} was read otherwise than it is.`);
    }
  } catch (error) {
    world.broken(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  }
  return {
    seed,
    trace: scheduler.digest(),
    steps: scheduler.steps,
    versions: ledger.history(INDEX).length,
    deleted: ledger.deletes,
    violations: ledger.violations,
  };
}

async function perform(scene: Scene, worker: Worker, clock: Life): Promise<void> {
  const started = scene.world.scheduler.now;
  for (const task of worker.tasks) {
    await clock.pause(Math.max(0, started + task.atMs - scene.world.scheduler.now));
    for (let attempt = 0; attempt < TRIES; attempt++) {
      if (await succeeds(scene, worker, task)) break;
      await clock.pause(1000);
    }
  }
}

/** Does a task once. False where its process died or the product said no. */
async function succeeds(scene: Scene, worker: Worker, task: Task): Promise<boolean> {
  const { world } = scene;
  const outcome = await world.scheduler.live(worker.name, async (life) => {
    const store = world.storeOf(life, worker.faults);
    try {
      switch (task.kind) {
        case "build":
          await build(scene, life, store, task);
          return true;
        case "roll back":
          await rollBack(scene, life, store, task.back);
          return true;
        case "write":
          await write(scene, store, task);
          return true;
        case "collect":
          await collect(scene, life, store);
          return true;
        case "read":
          await readNow(scene, store, task.q);
          return true;
      }
    } catch (error) {
      if (!(error instanceof LightedgeError) || error.code === "internal") throw error;
      world.scheduler.note(`${life.name} fails: ${error.message}`);
      return false;
    }
  });
  return outcome === true;
}

/** Without accidents the index can be brought up to date, collected and read, and lacks nothing that was acknowledged. */
async function afterwards(scene: Scene): Promise<void> {
  const { world, plan } = scene;
  world.scheduler.calm = true;
  const steady: Worker = { name: "afterwards", tasks: [], faults: [] };
  const must = async (task: Task): Promise<void> => {
    if (!(await succeeds(scene, steady, task))) world.broken(`Afterwards nobody could ${task.kind}.`);
  };
  await must({ kind: "build", atMs: 0, rebuild: undefined });
  world.scheduler.now += 2 * plan.retention.graceMs + HOUR;
  await must({ kind: "collect", atMs: 0 });
  const orphans = world.ledger.orphans(world.scheduler.now);
  if (orphans.length > 0) world.broken(`A collection left ${orphans.join(", ")}, which nothing needs.`);
  await must({ kind: "read", atMs: 0, q: "harbour" });
  await must({ kind: "build", atMs: 0, rebuild: "documents" });
}
