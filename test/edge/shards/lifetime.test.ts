import { beforeAll, describe, expect, it } from "vitest";
import { Lifetime, LOOK_EVERY_MS } from "../../../edge/shards/lifetime.ts";
import { LightedgeError } from "../../../shared/errors.ts";
import { blobsOf, type Manifest } from "../../../shared/format/manifest.ts";
import type { Sha256 } from "../../../shared/hash.ts";
import { MemoryStore } from "../../../shared/store/memory.ts";
import type { ReadStore } from "../../../shared/store/store.ts";
import { buildTiny, TINY } from "../../helpers/tiny-build.ts";
import { sourceOf, tinyDocuments } from "../../helpers/tiny-corpus.ts";

const GRACE = 3 * LOOK_EVERY_MS;
const START = Date.parse("2026-01-31T12:00:00Z");

let old: Manifest;
let before: MemoryStore;
let after: MemoryStore;

beforeAll(async () => {
  ({ manifest: old, store: before } = await buildTiny());
  // All documents are others, so this version has none of the shards.
  ({ store: after } = await buildTiny({ source: sourceOf(tinyDocuments(40, 77)) }));
});

/** An object's storage and clock, in the hands of the test. */
function setUp(first: ReadStore) {
  const facts = new Map<string, string>();
  const state = {
    now: START,
    alarm: null as number | null,
    wiped: 0,
    forgotten: [] as Sha256[],
    store: first,
  };
  const lifetime = () =>
    new Lifetime({
      storage: {
        getAlarm: async () => state.alarm,
        setAlarm: async (at: number | Date) => {
          state.alarm = Number(at);
        },
        deleteAlarm: async () => {
          state.alarm = null;
        },
        deleteAll: async () => {
          facts.clear();
          state.wiped++;
        },
      },
      tier: {
        fact: (name) => facts.get(name) ?? null,
        setFact: (name, value) => {
          facts.set(name, value);
        },
      },
      graceMs: GRACE,
      storeOf: () => state.store,
      forget: (sha256) => {
        state.forgotten.push(sha256);
      },
      now: () => state.now,
    });
  /** Lets the alarm come, in an object that was woken for it. */
  const ring = async () => {
    state.now = state.alarm!;
    state.alarm = null;
    await lifetime().check();
  };
  return { state, lifetime, ring, facts };
}

const address = () => {
  const { sha256, ordinal } = blobsOf(old, "shard")[0]!;
  const manifest = { key: "", sha256, bytes: 0 };
  return { region: "weur", index: TINY, sha256, ordinal, manifest };
};

describe("the storage of a shard object", () => {
  it("is looked after from the first call on, by one alarm a day and no write for each call", async () => {
    const { state, lifetime, facts } = setUp(before);
    const one = lifetime();
    await one.note(address());
    expect(state.alarm).toBe(START + LOOK_EVERY_MS);
    state.now += 1000;
    facts.clear();
    await one.note(address());
    expect([state.alarm, facts.size]).toEqual([START + LOOK_EVERY_MS, 0]);
  });

  it("stays while the current version has the shard", async () => {
    const { state, lifetime, ring } = setUp(before);
    await lifetime().note(address());
    for (let day = 1; day < 20; day++) {
      await ring();
      expect([state.wiped, state.alarm]).toEqual([0, START + (day + 1) * LOOK_EVERY_MS]);
    }
  });

  it("goes when no version has had the shard for the grace, and no alarm comes after that", async () => {
    const { state, lifetime, ring } = setUp(before);
    await lifetime().note(address());
    await ring();
    state.store = after;
    await ring();
    const since = state.now;
    expect([state.wiped, state.alarm]).toEqual([0, since + GRACE]);
    await ring();
    expect([state.wiped, state.alarm, state.forgotten]).toEqual([1, null, [address().sha256]]);
  });

  it("stays where a rollback brings the shard back within the grace", async () => {
    const { state, lifetime, ring } = setUp(after);
    await lifetime().note(address());
    await ring();
    state.store = before;
    await ring();
    state.store = after;
    await ring();
    // The grace begins anew.
    expect([state.wiped, state.alarm]).toEqual([0, state.now + GRACE]);
  });

  it("goes with its index, and stays while the store does not answer", async () => {
    const down: ReadStore = {
      ...{ head: fail, getRange: fail },
      get: fail,
    };
    const { state, lifetime, ring } = setUp(down);
    await lifetime().note(address());
    await ring();
    await ring();
    expect([state.wiped, state.alarm]).toEqual([0, state.now + LOOK_EVERY_MS]);
    state.store = new MemoryStore();
    await ring();
    await ring();
    expect([state.wiped, state.alarm]).toEqual([1, null]);
  });
});

async function fail(): Promise<never> {
  throw new LightedgeError("store/unavailable", "Down.");
}
