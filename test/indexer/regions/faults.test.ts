/** Replication that dies, or is refused, at every operation of either store, and beside whatever else may happen in between. */
import { beforeAll, describe, expect, it } from "vitest";
import { LightedgeError } from "../../../shared/errors.ts";
import { blobsOf } from "../../../shared/format/manifest.ts";
import type { WriteStore } from "../../../shared/store/store.ts";
import { readPointer } from "../../../shared/versions/current.ts";
import { readManifest } from "../../../shared/versions/history.ts";
import { SWEEP_OVER_MS } from "../../../shared/versions/times.ts";
import {
  breakEverywhere,
  type CrashScenario,
  dieTwiceEverywhere,
  operationsOf,
} from "../../helpers/crash-points.ts";
import { breakAt } from "../../helpers/fault-plan.ts";
import { FaultStore } from "../../helpers/fault-store.ts";
import { HookStore } from "../../helpers/hook-store.ts";
import { RegionWorld } from "../../helpers/regions.ts";
import { fileOf, HOUR, keyOf, MINUTE, OLD } from "../../helpers/versions.ts";
import { digestInPlace } from "../../sim/sync-digest.ts";

beforeAll(() => digestInPlace());

const ONE = ["one", "both"] as const;

/** A region with the first of several versions, in which every step of replication has something to do: a blob that lies there old, one damaged, a collection just over. */
async function lagging(): Promise<RegionWorld> {
  const world = new RegionWorld();
  await world.home.publish(ONE);
  await world.replicate();
  for (const text of ["two", "three"]) await world.home.pass(HOUR).publish([text, "both"]);
  await world.store.put(await keyOf("four"), (await fileOf("four")).bytes);
  await world.store.put(await keyOf("shard of four"), new Uint8Array(64));
  await world.home.pass(OLD).publish(["four", "both"]);
  await world.home.pass(OLD).publish(["five", "four"]);
  return world;
}

/** The same, and home has let go of all between. */
async function cutOff(): Promise<RegionWorld> {
  const world = await lagging();
  world.home.pass(OLD);
  await world.home.collect();
  return world;
}

async function fresh(): Promise<RegionWorld> {
  const world = new RegionWorld();
  for (const text of ["one", "two"]) await world.home.publish([text, "both"]);
  return world;
}

async function rolledBack(): Promise<RegionWorld> {
  const world = await lagging();
  await world.replicate();
  await world.home.pass(OLD).rollback("1");
  return world;
}

function scenario(
  prepare: () => Promise<RegionWorld>,
  before: readonly string[] | null,
): CrashScenario<RegionWorld> {
  return {
    prepare,
    work: (world, store) => world.replicate(store),
    verify: async (world, where) => world.expectSound(where, [before, await world.home.texts()]),
    verifyDone: (world, where) => world.expectSame(where),
  };
}

const SCENARIOS: Readonly<Record<string, CrashScenario<RegionWorld>>> = {
  "a first replication": scenario(fresh, null),
  "a replication over several versions": scenario(lagging, ONE),
  "a replication over versions that home has let go of": scenario(cutOff, ONE),
  "a replication of a rollback": scenario(rolledBack, ["five", "four"]),
  "a replication of what is there": scenario(async () => {
    const world = await lagging();
    await world.replicate();
    await world.store.delete(await keyOf("five"));
    return world;
    // What was lost by other hands is not whole before it is mended, so only the end is looked at.
  }, null),
};

describe.each(Object.entries(SCENARIOS))("%s", (name, whole) => {
  const mends = name === "a replication of what is there";
  const used = mends ? { ...whole, verify: async () => {} } : whole;

  it("leaves the region whole whatever one operation of it breaks, and comes to its end when it is repeated", async () => {
    const operations = await operationsOf(used);
    expect(await breakEverywhere(used)).toBeGreaterThanOrEqual(4 * operations.length);
  });

  // All five take a minute; the others differ in what comes before, which one death tells as well.
  const all = process.env.LIGHTEDGE_FIGURES !== undefined;
  it.runIf(all || mends || name === "a replication over several versions")(
    "leaves the region whole when it dies twice, at any two operations",
    async () => {
      const operations = await operationsOf(used);
      const pairs = await dieTwiceEverywhere(used);
      expect(pairs).toBeGreaterThan(operations.length);
      if (process.env.LIGHTEDGE_FIGURES)
        console.log(`${name}: ${operations.length} operations, ${pairs} pairs`);
    },
  );

  it("changes nothing of what the region serves when home cannot be read at any step, and reads only", async () => {
    for (let at = 0; ; at++) {
      const world = await used.prepare();
      const before = await readPointer(world.store, "docs");
      const home = new FaultStore(world.home.store, breakAt(at, "crash"));
      const error: unknown = await world
        .replicate(world.store, "new", home)
        .catch((thrown: unknown) => thrown);
      expect(home.log.filter((line) => /^(?:put|delete)/u.test(line))).toEqual([]);
      if (home.struck.length === 0) break;
      expect(error).toBeInstanceOf(LightedgeError);
      expect((await readPointer(world.store, "docs"))?.pointer.seq).toBe(before?.pointer.seq);
      await world.replicate();
      await world.expectSame(`${at}`);
    }
  });
});

/** What a process that lives says of work that broke. */
async function tried(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (!(error instanceof LightedgeError) || error.code === "internal") throw error;
    return false;
  }
}

/** The pointer's blobs, all of them, at this moment. */
async function expectNoHoles(store: WriteStore, where: string): Promise<void> {
  const stored = await readPointer(store, "docs");
  if (stored === null) return;
  const found = await readManifest(store, "docs", stored.pointer.manifest.sha256);
  expect(found, where).not.toBeNull();
  for (const blob of blobsOf(found!.manifest, "documents"))
    expect((await store.head(blob.key))?.bytes, `${where}: ${blob.key}`).toBe(blob.bytes);
}

describe("a pointer of a region", () => {
  it("is never there before its blobs and its manifest, after any operation of a replication", async () => {
    for (const prepare of [fresh, lagging, cutOff, rolledBack])
      for (let at = 0; ; at++) {
        const world = await prepare();
        const work = () => expectNoHoles(world.store, `${prepare.name} ${at}`);
        const store = new HookStore(world.store, { at, after: true, work });
        await world.replicate(store);
        if (at >= store.log.length) break;
      }
  });

  it("goes forward only, whatever is published, rolled back and replicated in between", async () => {
    const events: readonly ((world: RegionWorld) => Promise<unknown>)[] = [
      async (world) => world.home.publish(["six"]),
      async (world) => world.home.rollback("1"),
      async (world) => {
        await world.home.publish(["six"]);
        await world.replicate();
      },
      async (world) => {
        await world.replicate();
        await world.home.rollback("1");
        await world.replicate();
      },
    ];
    for (const [number, event] of events.entries())
      for (let at = 0; ; at++) {
        const world = await lagging();
        const seen = [await world.seq()];
        const work = async () => {
          await event(world);
          seen.push(await world.seq());
        };
        const store = new HookStore(world.store, { at, work });
        await world.replicate(store);
        seen.push(await world.seq());
        expect(seen, `${number}, ${at}`).toEqual(seen.toSorted((a, b) => a - b));
        await world.expectSound(`${number}, ${at}`, [["five", "four"], await world.home.texts()]);
        if (at >= store.log.length) break;
        await world.replicate();
        await world.expectSame(`${number}, ${at}`);
      }
  });
});

/**
 * A replication that is begun, and gets as far as it does without a pause: a collection that it waits for has deleted within
 * two minutes what it is about to delete, and the replication waits for four.
 */
function untilPause(world: RegionWorld): Promise<{ readonly end: () => Promise<boolean> }> {
  return new Promise((resolve) => {
    let wake = () => {};
    const { pause } = world.home.ports;
    world.home.ports.pause = (milliseconds) =>
      new Promise((awake) => {
        wake = () => {
          world.home.ports.pause = pause;
          world.home.pass(milliseconds);
          awake();
        };
        resolve(handle);
      });
    const done = tried(world.replicate());
    const handle = {
      end: () => {
        wake();
        return done;
      },
    };
    void done.then(() => resolve(handle));
  });
}

describe("a collection in the region", () => {
  it("at any moment of a replication takes nothing that is needed", async () => {
    for (const prepare of [lagging, cutOff, rolledBack])
      for (const after of [false, true])
        for (let at = 0; ; at++) {
          const world = await prepare();
          const where = `${prepare.name}, ${after ? "after" : "before"} ${at}`;
          const work = async () => void (await tried(world.collect()));
          const store = new HookStore(world.store, { at, after, work });
          await tried(world.replicate(store));
          await world.expectSound(where, [ONE, ["five", "four"], await world.home.texts()]);
          if (at >= store.log.length) break;
          await world.home.pass(SWEEP_OVER_MS);
          await world.replicate();
          await world.expectSame(where);
        }
  });

  it("that a replication falls into at any moment takes nothing that is needed", async () => {
    let waited = 0;
    for (const prepare of [lagging, cutOff, rolledBack])
      for (let at = 0; ; at++) {
        const world = await prepare();
        const where = `${prepare.name} ${at}`;
        let begun: Awaited<ReturnType<typeof untilPause>> | undefined;
        const work = async () => {
          begun = await untilPause(world);
        };
        const store = new HookStore(world.store, { at, work });
        await tried(world.collect({}, store));
        const before = world.home.now;
        await begun?.end();
        if (world.home.now >= before + SWEEP_OVER_MS) waited++;
        await world.expectSound(where, [ONE, ["five", "four"], await world.home.texts()]);
        if (at >= store.log.length) break;
        await world.home.pass(SWEEP_OVER_MS + MINUTE);
        await world.replicate();
        await world.expectSame(where);
      }
    // Those who come while deletes are under way.
    expect(waited).toBeGreaterThan(0);
  });

  it("goes on where a first replication has died, once it was repeated", async () => {
    const world = await fresh();
    await tried(world.replicate(new FaultStore(world.store, breakAt(8, "crash"))));
    await expect(world.collect()).rejects.toMatchObject({ code: "index/not-found" });
    await world.replicate();
    await world.home.pass(OLD);
    await world.collect();
    await world.expectSame("after");
  });
});
