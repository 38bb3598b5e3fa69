/** Work that dies at every operation of its store, and again while it is being repeated. */
import { LightedgeError } from "../../shared/errors.ts";
import type { WriteStore } from "../../shared/store/store.ts";
import { breakAt } from "./fault-plan.ts";
import { type Fault, FaultStore } from "./fault-store.ts";

/** What is done and what must hold. W is the world it is done in, which must be the same every time. */
export interface CrashScenario<W extends { readonly store: WriteStore }> {
  prepare(): Promise<W>;
  work(world: W, store: WriteStore): Promise<unknown>;
  /** Expects all that must hold at any moment. `where` says what died. */
  verify(world: W, where: string): Promise<void>;
  /** Expects what must be once the work was done to its end. */
  verifyDone(world: W, where: string): Promise<void>;
}

/** A request that is lost, and an answer that is lost: for a read they are the same. */
const DEATHS = ["crash", "crash after"] as const satisfies readonly Fault[];
/** The same, and the process lives. */
const FAILURES = ["fail before", "fail after"] as const satisfies readonly Fault[];

/** Operations of the work where nothing breaks. */
export async function operationsOf<W extends { readonly store: WriteStore }>(
  scenario: CrashScenario<W>,
): Promise<readonly string[]> {
  const world = await scenario.prepare();
  const store = new FaultStore(world.store);
  await scenario.work(world, store);
  await scenario.verifyDone(world, "nowhere");
  return store.log;
}

/** Breaks at every operation in every way, then does the work again. Gives the number of breaks. */
export async function breakEverywhere<W extends { readonly store: WriteStore }>(
  scenario: CrashScenario<W>,
): Promise<number> {
  let breaks = 0;
  for (const fault of [...DEATHS, ...FAILURES]) {
    for (let at = 0; ; at++) {
      const world = await scenario.prepare();
      const where = await attempt(scenario, world, at, fault);
      if (where === null) break;
      breaks++;
      await scenario.verify(world, where);
      await scenario.work(world, world.store);
      await scenario.verifyDone(world, where);
    }
  }
  return breaks;
}

/** Dies at every operation, and at every operation of the repetition, then does the work to its end. Gives the number of pairs. */
export async function dieTwiceEverywhere<W extends { readonly store: WriteStore }>(
  scenario: CrashScenario<W>,
): Promise<number> {
  let pairs = 0;
  for (const first of points()) {
    const before = await attempt(scenario, await scenario.prepare(), first.at, first.fault);
    if (before === null) break;
    // The death after a read leaves what the death before it leaves.
    if (first.fault === "crash after" && isRead(before)) continue;
    for (const second of points()) {
      const world = await scenario.prepare();
      await attempt(scenario, world, first.at, first.fault);
      const after = await attempt(scenario, world, second.at, second.fault);
      if (after === null) break;
      if (second.fault === "crash after" && isRead(after)) continue;
      pairs++;
      const where = `${before}, then ${after}`;
      await scenario.verify(world, where);
      await scenario.work(world, world.store);
      await scenario.verifyDone(world, where);
    }
  }
  return pairs;
}

function* points(): Generator<{ readonly at: number; readonly fault: Fault }, void, undefined> {
  for (let at = 0; ; at++) for (const fault of DEATHS) yield { at, fault };
}

function isRead(struck: string): boolean {
  return /^\d+ (?:get|getRange|head|list) /u.test(struck);
}

/** Does the work with one operation broken. Which one that was, or null where the work has fewer operations. */
async function attempt<W extends { readonly store: WriteStore }>(
  { work }: CrashScenario<W>,
  world: W,
  at: number,
  fault: Fault,
): Promise<string | null> {
  const store = new FaultStore(world.store, breakAt(at, fault));
  try {
    await work(world, store);
  } catch (error) {
    // Only what the product says on purpose: a defect of ours must not pass for a dead process.
    if (!(error instanceof LightedgeError) || error.code === "internal") throw error;
  }
  return store.struck[0] ?? null;
}
