/** Garbage collections beside writers, other collections and writers that sleep, meeting at every operation of either. */
import { beforeAll, describe, expect, it } from "vitest";
import { LightedgeError } from "../../shared/errors.ts";
import type { WriteStore } from "../../shared/store/store.ts";
import { readPointer } from "../../shared/versions/current.ts";
import { FRESH_MS, SWEEP_OVER_MS } from "../../shared/versions/times.ts";
import { HookStore } from "../helpers/hook-store.ts";
import { audit, fileOf, HOUR, keyOf, OLD, VersionsWorld } from "../helpers/versions.ts";
import { digestInPlace } from "../sim/sync-digest.ts";

beforeAll(() => digestInPlace());

/** What a writer does: publishes a text whose blobs are garbage as things stand, or goes back to a version that is. */
type Write = (world: VersionsWorld, store?: WriteStore) => Promise<unknown>;
const WRITES: Readonly<Record<string, { readonly write: Write; readonly after: readonly string[] }>> = {
  "publishes what lies there as garbage": {
    write: (world, store) => world.publish(["left over"], "docs", store),
    after: ["left over"],
  },
  "rolls back to a version that is being let go of": {
    write: (world, store) => world.rollback("1", "docs", store),
    after: ["one"],
  },
  "publishes an index for the first time": {
    write: (world, store) => world.publish(["left over", "one"], "news", store),
    after: ["left over", "one"],
  },
};

/** Two versions, the first long replaced, and the parts of another that a run left behind long ago. */
async function prepared(): Promise<VersionsWorld> {
  const world = new VersionsWorld();
  await world.publish(["one"]);
  for (const text of ["left over", "shard of left over"])
    await world.store.put(await keyOf(text), (await fileOf(text)).bytes);
  await world.pass(HOUR).publish(["two"]);
  return world.pass(OLD);
}

/** Runs work that may be refused, but not for a defect. True where it was done. */
async function tried(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (!(error instanceof LightedgeError) || error.code === "internal") throw error;
    return false;
  }
}

/** Expects that all is whole, and that what was acknowledged is what is there. */
async function expectWhole(world: VersionsWorld, done: boolean, after: readonly string[], where: string) {
  expect(await audit(world.store), where).toEqual([]);
  const news = (await readPointer(world.store, "news")) !== null;
  if (done) expect(await world.texts(news ? "news" : "docs"), where).toEqual(after);
  else expect([["two"], after], where).toContainEqual(await world.texts());
}

/** How many operations the work has where nothing comes between. */
async function lengthOf(
  work: (world: VersionsWorld, store: WriteStore) => Promise<unknown>,
): Promise<number> {
  const world = await prepared();
  const store = new HookStore(world.store);
  await work(world, store);
  expect(await audit(world.store)).toEqual([]);
  return store.log.length;
}

/**
 * A writer that is begun, and gets as far as it does without a pause: whoever it waits for has deleted
 * within two minutes what it is about to delete, and the writer waits for four.
 */
function begun(world: VersionsWorld, write: Write): Promise<{ readonly end: () => Promise<boolean> }> {
  return new Promise((resolve) => {
    let wake = () => {};
    const { pause } = world.ports;
    world.ports.pause = (milliseconds) =>
      new Promise((awake) => {
        wake = () => {
          world.ports.pause = pause;
          world.pass(milliseconds);
          awake();
        };
        resolve(handle);
      });
    const done = tried(write(world));
    const handle = {
      end: () => {
        wake();
        return done;
      },
    };
    void done.then(() => resolve(handle));
  });
}

describe.each(Object.entries(WRITES))("a writer that %s", (_, { write, after }) => {
  it("is whole or refused, with a collection at any moment of it", async () => {
    const length = await lengthOf(write);
    let refused = 0;
    for (let at = 0; at < length; at++)
      for (const moment of [false, true]) {
        const world = await prepared();
        const work = async () => void (await tried(world.collect()));
        const done = await tried(write(world, new HookStore(world.store, { at, after: moment, work })));
        await expectWhole(world, done, after, `${at}, ${moment ? "after" : "before"}`);
        if (!done) refused++;
        await tried(write(world));
        await expectWhole(
          world,
          true,
          (await world.texts("news")) ?? (await world.texts()) ?? [],
          `${at} again`,
        );
      }
    expect(refused).toBeLessThan(2 * length);
  });

  it("is whole or refused, begun at any moment of a collection", async () => {
    const length = await lengthOf((world, store) => world.collect({}, store));
    let waited = 0;
    for (let at = 0; at < length; at++)
      for (const moment of [false, true]) {
        const world = await prepared();
        let writer: Awaited<ReturnType<typeof begun>> | undefined;
        const work = async () => {
          writer = await begun(world, write);
        };
        await tried(world.collect({}, new HookStore(world.store, { at, after: moment, work })));
        const before = world.now;
        const done = await writer!.end();
        if (world.now >= before + SWEEP_OVER_MS) waited++;
        await expectWhole(world, done, after, `${at}, ${moment ? "after" : "before"}`);
      }
    // Those who come while deletes are under way, and no others.
    expect(waited).toBeGreaterThan(0);
    expect(waited).toBeLessThan(2 * length);
  });

  it("is whole or refused, begun at any moment of a collection that another one has overtaken", async () => {
    const length = await lengthOf((world, store) => world.collect({}, store));
    for (let at = 0; at < length; at++) {
      const world = await prepared();
      let writer: Awaited<ReturnType<typeof begun>> | undefined;
      const work = async () => {
        await tried(world.collect());
        writer = await begun(world, write);
      };
      await tried(world.collect({}, new HookStore(world.store, { at, work })));
      const done = await writer!.end();
      await expectWhole(world, done, after, `at ${at}`);
    }
  });

  it("is whole or refused when it sleeps at any moment until collections have taken what it counted on", async () => {
    const length = await lengthOf(write);
    for (let at = 0; at < length; at++)
      for (const moment of [false, true])
        for (const naps of [1, 3]) {
          const world = await prepared();
          const work = async () => {
            for (let nap = 0; nap < naps; nap++) await tried(world.pass(OLD).collect());
          };
          const hooked = new HookStore(world.store, { at, after: moment, work });
          const done = await tried(write(world, hooked));
          await expectWhole(world, done, after, `${at}, ${naps} naps, ${moment ? "after" : "before"}`);
        }
  });

  it("is refused when it wakes and others have published", async () => {
    const length = await lengthOf(write);
    for (let at = 0; at < length; at++) {
      const world = await prepared();
      const work = async () => {
        await world.publish(["theirs"]);
        await tried(world.pass(OLD).collect());
      };
      await tried(write(world, new HookStore(world.store, { at, work })));
      expect(await audit(world.store), `at ${at}`).toEqual([]);
      expect([["theirs"], after], `at ${at}`).toContainEqual(await world.texts());
    }
  });
});

describe("a writer's delete-proof window", () => {
  it("begins with the last write of each blob, so that one which was fresh a moment ago is written again", async () => {
    const world = await prepared();
    const [a, b] = [await keyOf("left over"), await keyOf("shard of left over")];
    await world.store.put(a, (await fileOf("left over")).bytes);
    world.pass(FRESH_MS - 1);
    await world.store.put(b, (await fileOf("shard of left over")).bytes);
    world.pass(1);
    const store = new HookStore(world.store);
    await world.publish(["left over"], "docs", store);
    expect(store.log).not.toContain(`put ${a}`);
    const later = await prepared();
    for (const key of [a, b]) await later.store.put(key, (await world.store.get(key))!.body);
    const hooked = new HookStore(later.pass(FRESH_MS + 1).store);
    await later.publish(["left over"], "docs", hooked);
    expect(hooked.log).toEqual(expect.arrayContaining([`put ${a}`, `put ${b}`]));
  });
});
