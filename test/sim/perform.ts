/** Doing the jobs of a history, each in a process of its own, as a schedule starts them. */
import { LightedgeError } from "../../shared/errors.ts";
import type { Actor, Job } from "./history.ts";
import { collect, goBack, publish, read } from "./jobs.ts";
import type { Life } from "./life.ts";
import type { World } from "./world.ts";

/** Tries of one job whose process dies or fails. */
const TRIES = 4;
/** Between two tries, in ms. */
const RETRY_MS = 1000;

/** An actor's jobs one after the other; `clock` is whose time passes between them. */
export async function perform(world: World, actor: Actor, clock: Pick<Life, "pause">): Promise<void> {
  const started = world.scheduler.now;
  for (const job of actor.jobs) {
    await clock.pause(Math.max(0, started + job.atMs - world.scheduler.now));
    for (let attempt = 0; attempt < TRIES; attempt++) {
      if (await succeeds(world, actor, job)) break;
      await clock.pause(RETRY_MS);
    }
  }
}

/** Does a job once. False where its process died or the product said no. */
export async function succeeds(world: World, actor: Actor, job: Job): Promise<boolean> {
  const outcome = await world.scheduler.live(actor.name, (life) => attempt(world, life, actor, job));
  return outcome === true;
}

/** What the product says no with is an answer; what it does not mean to throw ends the schedule. */
async function attempt(world: World, life: Life, actor: Actor, job: Job): Promise<boolean> {
  const store = world.storeOf(life, actor.faults);
  const localTime = () => new Date(world.scheduler.now + actor.skewMs);
  try {
    switch (job.kind) {
      case "publish":
        await publish(world, life, store, job.index, job.change, localTime);
        return true;
      case "roll back":
        await goBack(world, life, store, job.index, job.back, localTime);
        return true;
      case "collect":
        await collect(world, life, store);
        return true;
      case "read":
        await read(world, life, store, job.index, job.dwellMs, actor.clean);
        return true;
    }
  } catch (error) {
    if (!(error instanceof LightedgeError) || error.code === "internal") throw error;
    world.scheduler.note(`${life.name} fails: ${error.message}`);
    return false;
  }
}
