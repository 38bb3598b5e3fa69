/** Publishing, rolling back and collecting, dying at every operation of the store, and dying again while that is repaired. */
import { beforeAll, describe, expect, it } from "vitest";
import { checkStore } from "../../indexer/check-store.ts";
import { BLOB_PREFIX } from "../../shared/format/names.ts";
import { readClock } from "../../shared/versions/clock.ts";
import { readPointer } from "../../shared/versions/current.ts";
import { FRESH_MS } from "../../shared/versions/times.ts";
import {
  breakEverywhere,
  type CrashScenario,
  dieTwiceEverywhere,
  operationsOf,
} from "../helpers/crash-points.ts";
import { tinyDocuments } from "../helpers/tiny-corpus.ts";
import { type BuiltVersion, buildVersions, publishBuilt } from "../helpers/tiny-versions.ts";
import { audit, fileOf, HOUR, keyOf, MINUTE, OLD, VersionsWorld } from "../helpers/versions.ts";
import { digestInPlace } from "../sim/sync-digest.ts";

/** A store in which every part of a writer's work has something to do: an orphan that is no longer fresh, a collection that has just begun to delete. */
async function busyWorld(): Promise<VersionsWorld> {
  const world = new VersionsWorld();
  for (const text of ["one", "two", "three"]) await world.pass(HOUR).publish([text]);
  await world.pass(OLD).store.put(await keyOf("left over"), (await fileOf("left over")).bytes);
  await world.pass(FRESH_MS + MINUTE).collect({ keep: 2 });
  return world;
}

async function seqOf(world: VersionsWorld): Promise<number> {
  return (await readPointer(world.store, "docs"))?.pointer.seq ?? 0;
}

/** Expects that the index is whole and says one of two things. */
function verifyEither(before: readonly string[] | null, after: readonly string[]) {
  return async (world: VersionsWorld, where: string) => {
    expect(await audit(world.store), where).toEqual([]);
    expect([before, after], where).toContainEqual(await world.texts());
  };
}

const SCENARIOS: Readonly<Record<string, CrashScenario<VersionsWorld>>> = {
  "the first publication": {
    prepare: async () => new VersionsWorld(),
    work: (world, store) => world.publish(["one", "two"], "docs", store),
    verify: verifyEither(null, ["one", "two"]),
    async verifyDone(world, where) {
      expect(await audit(world.store), where).toEqual([]);
      expect(await world.texts(), where).toEqual(["one", "two"]);
      expect(await seqOf(world), where).toBe(1);
    },
  },
  "a publication": {
    prepare: busyWorld,
    work: (world, store) => world.publish(["three", "left over"], "docs", store),
    verify: verifyEither(["three"], ["three", "left over"]),
    async verifyDone(world, where) {
      expect(await audit(world.store), where).toEqual([]);
      expect(await world.texts(), where).toEqual(["three", "left over"]);
      // Once, however often it was begun.
      expect(await seqOf(world), where).toBe(4);
    },
  },
  "a rollback": {
    prepare: busyWorld,
    work: (world, store) => world.rollback("2", "docs", store),
    verify: verifyEither(["three"], ["two"]),
    async verifyDone(world, where) {
      expect(await audit(world.store), where).toEqual([]);
      expect(await world.texts(), where).toEqual(["two"]);
      expect(await seqOf(world), where).toBe(4);
    },
  },
  "a collection": {
    async prepare() {
      const world = new VersionsWorld();
      for (const text of ["one", "two", "three"]) await world.pass(HOUR).publish([text, "both"]);
      await world.store.put(await keyOf("left over"), (await fileOf("left over")).bytes);
      return world.pass(OLD);
    },
    work: (world, store) => world.collect({}, store),
    verify: verifyEither(["three", "both"], ["three", "both"]),
    async verifyDone(world, where) {
      expect(await audit(world.store), where).toEqual([]);
      expect(await world.texts(), where).toEqual(["three", "both"]);
      expect(await world.keys(BLOB_PREFIX), where).toHaveLength(6);
      expect(await world.keys("indexes/docs/manifests/"), where).toHaveLength(1);
      expect((await readClock(world.store)).released, where).toEqual({ docs: 2 });
    },
  },
};

beforeAll(() => digestInPlace());

describe.each(Object.entries(SCENARIOS))("%s", (name, scenario) => {
  it("leaves a store whole whatever one operation of it breaks, and comes to its end when it is repeated", async () => {
    const operations = await operationsOf(scenario);
    const breaks = await breakEverywhere(scenario);
    expect(breaks).toBeGreaterThanOrEqual(4 * operations.length);
  });

  it("leaves a store whole when it dies twice, at any two operations", async () => {
    const operations = await operationsOf(scenario);
    const pairs = await dieTwiceEverywhere(scenario);
    expect(pairs).toBeGreaterThan(operations.length ** 2 / 4);
    if (process.env.LIGHTEDGE_FIGURES)
      console.log(`${name}: ${operations.length} operations, ${pairs} pairs`);
  });
});

describe("versions of real documents", () => {
  let built: readonly BuiltVersion[];
  beforeAll(async () => {
    const documents = tinyDocuments(20);
    built = await buildVersions(documents, documents.slice(1, 19), tinyDocuments(18, 2));
  });

  /** Two versions, the first long replaced. */
  async function realWorld(): Promise<VersionsWorld> {
    const world = new VersionsWorld();
    await publishBuilt(world, built[0]!);
    await publishBuilt(world.pass(HOUR), built[1]!);
    return world.pass(OLD);
  }

  /** Expects that every byte is sound, that documents are searched as `counts` says, and nothing is lost. */
  async function expectSound(
    world: VersionsWorld,
    where: string,
    counts: readonly number[],
    versions?: number,
  ) {
    const report = await checkStore(world.store);
    expect(report.problems, where).toEqual([]);
    expect(counts, where).toContain(report.indexes[0]?.documents);
    if (versions !== undefined) expect(report.versions, where).toBe(versions);
  }

  it.each<[string, CrashScenario<VersionsWorld>]>([
    [
      "published",
      {
        prepare: realWorld,
        work: (world, store) => publishBuilt(world, built[2]!, "docs", store),
        verify: (world, where) => expectSound(world, where, [18]),
        verifyDone: async (world, where) => {
          await expectSound(world, where, [18], 3);
          expect(await seqOf(world), where).toBe(3);
        },
      },
    ],
    [
      "rolled back",
      {
        prepare: realWorld,
        work: (world, store) => world.rollback("1", "docs", store),
        verify: (world, where) => expectSound(world, where, [18, 20]),
        verifyDone: (world, where) => expectSound(world, where, [20], 3),
      },
    ],
    [
      "collected",
      {
        prepare: realWorld,
        work: (world, store) => world.collect({}, store),
        verify: (world, where) => expectSound(world, where, [18]),
        verifyDone: (world, where) => expectSound(world, where, [18], 1),
      },
    ],
  ])("are sound to the last byte whatever breaks while they are %s", async (_, scenario) => {
    expect(await breakEverywhere(scenario)).toBeGreaterThan(40);
  });
});
