import { describe, expect, test, vi } from "vitest";
import { IndexCache, STALE_FACTOR } from "../../edge/index-cache.ts";
import type { OpenIndex } from "../../shared/engine/api.ts";
import { LightedgeError } from "../../shared/errors.ts";
import { fakeIndex } from "../helpers/fake-index.ts";

const MAX_AGE = 10_000;
const PATIENCE = 60;

/** A cache over a store that the test holds in its hands: sizes, versions, failures, a clock. */
function setUp(options: { budgetBytes?: number; slots?: number } = {}) {
  const { budgetBytes = 1000, slots = 8 } = options;
  const state = {
    time: 0,
    versions: new Map<string, number>(),
    bytes: new Map<string, number>(),
    opened: [] as string[],
    pointerReads: 0,
    greatest: 0,
    /** Bytes that loaded indexes take beyond what was foreseen. */
    surplus: 0,
    failure: undefined as Error | undefined,
    /** When set, loads wait for it. */
    gate: undefined as Promise<unknown> | undefined,
    background: [] as Promise<unknown>[],
  };
  const check = (name: string): number => {
    if (state.failure !== undefined) throw state.failure;
    const seq = state.versions.get(name);
    if (seq === undefined) throw new LightedgeError("index/not-found", "None.");
    return seq;
  };
  const cache = new IndexCache(
    {
      async open(name, room) {
        state.opened.push(name);
        const { gate } = state;
        await (gate ?? Promise.resolve());
        const seq = check(name);
        const residentBytes = state.bytes.get(name) ?? 100;
        if (residentBytes > room) throw new LightedgeError("index/too-large", "No room.");
        state.greatest = Math.max(state.greatest, budgetBytes - room + residentBytes);
        return fakeIndex({ name, seq, residentBytes: residentBytes + state.surplus });
      },
      neededBytes: async (name) => state.bytes.get(name) ?? 100,
      async currentVersion(name) {
        state.pointerReads++;
        return fakeIndex({ name, seq: check(name) }).version;
      },
      withWaiting: async (index) => index,
    },
    {
      budgetBytes,
      waitingBytes: 1000,
      slots,
      pointerMaxAgeMs: MAX_AGE,
      patienceMs: PATIENCE,
      now: () => state.time,
    },
  );
  const background = { waitUntil: (work: Promise<unknown>) => void state.background.push(work) };
  const get = (name: string): Promise<OpenIndex> => cache.get(name, background);
  /** Lets all background work end. */
  const settle = async () => {
    await Promise.all(state.background.splice(0));
    await new Promise((resolve) => setTimeout(resolve));
  };
  const names = () => cache.loaded().map(({ name }) => name);
  for (const name of ["a", "b", "c", "d"]) state.versions.set(name, 1);
  return { cache, state, get, settle, names };
}

describe("loading", () => {
  test("happens once for a thousand requests at the same time", async () => {
    const { state, get } = setUp();
    const all = await Promise.all(Array.from({ length: 1000 }, () => get("a")));
    expect(state.opened).toEqual(["a"]);
    expect(new Set(all).size).toBe(1);
  });

  test("goes on in the background of the request that began it", async () => {
    const { state, get } = setUp();
    await get("a");
    expect(state.background).toHaveLength(1);
  });

  test("that fails is not remembered, and fails all that waited", async () => {
    const { state, get } = setUp();
    state.failure = new LightedgeError("store/unavailable", "Down.");
    const outcomes = await Promise.allSettled([get("a"), get("a")]);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(state.opened).toEqual(["a"]);
    state.failure = undefined;
    expect((await get("a")).name).toBe("a");
  });

  test("that never ends is begun anew by those whose patience ends", async () => {
    const { state, get } = setUp();
    state.gate = new Promise(() => undefined);
    void get("a");
    await vi.waitFor(() => expect(state.opened).toEqual(["a"]));
    state.gate = undefined;
    const waiting = [get("a"), get("a"), get("a")];
    expect((await Promise.all(waiting)).map(({ name }) => name)).toEqual(["a", "a", "a"]);
    expect(state.opened).toEqual(["a", "a"]);
  });

  test("of one index does not hold up another for longer than patience when it never ends", async () => {
    const { state, get } = setUp();
    state.gate = new Promise(() => undefined);
    void get("a");
    await vi.waitFor(() => expect(state.opened).toEqual(["a"]));
    state.gate = undefined;
    expect((await get("b")).name).toBe("b");
  });
});

describe("memory", () => {
  test("never exceeds the budget, whatever is asked for at once", async () => {
    const { state, cache, get } = setUp({ budgetBytes: 250 });
    await Promise.all(["a", "b", "c", "d", "a", "c"].map(get));
    expect(state.greatest).toBeLessThanOrEqual(250);
    expect(cache.residentBytes).toBeLessThanOrEqual(250);
  });

  test("is freed of the least recently used first", async () => {
    const { get, names } = setUp({ budgetBytes: 250 });
    await get("a");
    await get("b");
    await get("a");
    await get("c");
    expect(names()).toEqual(["a", "c"]);
  });

  test("holds no more indexes than slots", async () => {
    const { get, names } = setUp({ slots: 2 });
    for (const name of ["a", "b", "c"]) await get(name);
    expect(names()).toEqual(["b", "c"]);
  });

  test("refuses an index above the whole budget, and evicts nothing for it", async () => {
    const { state, get, names } = setUp({ budgetBytes: 250 });
    state.bytes.set("d", 251);
    await get("a");
    await expect(get("d")).rejects.toMatchObject({ code: "index/too-large" });
    expect(names()).toEqual(["a"]);
  });

  test("is freed when an index turns out to take more than was foreseen", async () => {
    const { cache, state, get, names } = setUp({ budgetBytes: 250 });
    await get("a");
    await get("b");
    state.bytes.set("c", 50);
    state.surplus = 120;
    await get("c");
    expect(names()).toEqual(["c"]);
    expect(cache.residentBytes).toBe(170);
  });

  test("swaps an index above half the budget by dropping the old version first", async () => {
    const { state, get, settle, cache } = setUp({ budgetBytes: 250 });
    state.bytes.set("a", 200);
    await get("a");
    state.versions.set("a", 2);
    state.time += MAX_AGE;
    await get("a");
    await settle();
    expect(cache.loaded().map(({ version }) => version.split("-")[0])).toEqual(["2"]);
    expect(state.greatest).toBeLessThanOrEqual(250);
  });
});

describe("freshness", () => {
  test("costs no read while the pointer is young", async () => {
    const { state, get } = setUp();
    await get("a");
    state.time += MAX_AGE - 1;
    await get("a");
    expect(state.pointerReads).toBe(0);
  });

  test("is looked after in the background, once, while the loaded version is served", async () => {
    const { state, get, settle } = setUp();
    const first = await get("a");
    state.versions.set("a", 2);
    state.time += MAX_AGE;
    expect(await Promise.all([get("a"), get("a"), get("a")])).toEqual([first, first, first]);
    await settle();
    expect(state.pointerReads).toBe(1);
    expect((await get("a")).version).toMatch(/^2-/);
    expect(state.opened).toEqual(["a", "a"]);
  });

  test("is waited for above the bound of staleness", async () => {
    const { state, get } = setUp();
    await get("a");
    state.versions.set("a", 2);
    state.time += MAX_AGE * STALE_FACTOR;
    expect((await get("a")).version).toMatch(/^2-/);
  });

  test("keeps the last good version when it cannot be had, and asks again only after a while", async () => {
    const { state, get, settle } = setUp();
    const first = await get("a");
    state.failure = new LightedgeError("store/unavailable", "Down.");
    state.time += MAX_AGE * STALE_FACTOR;
    expect(await get("a")).toBe(first);
    expect(await get("a")).toBe(first);
    expect(state.pointerReads).toBe(1);
    state.failure = undefined;
    state.versions.set("a", 2);
    state.time += MAX_AGE;
    expect((await get("a")).version).toMatch(/^2-/);
    await settle();
  });

  test("keeps the last good version when the new one does not load", async () => {
    const { state, get, settle } = setUp();
    const first = await get("a");
    state.versions.set("a", 2);
    state.bytes.set("a", 5000);
    state.time += MAX_AGE;
    await get("a");
    state.failure = new LightedgeError("blob/corrupt", "Broken.");
    await settle();
    expect(await get("a")).toBe(first);
  });

  test("tells a rollback to the same manifest, since every answer names the version", async () => {
    const { state, get, settle } = setUp();
    await get("a");
    state.versions.set("a", 3);
    state.time += MAX_AGE;
    await get("a");
    await settle();
    expect((await get("a")).version).toMatch(/^3-/);
  });

  test("drops an index that is gone", async () => {
    const { state, get, settle, names } = setUp();
    await get("a");
    state.versions.delete("a");
    state.time += MAX_AGE;
    await get("a");
    await settle();
    expect(names()).toEqual([]);
    await expect(get("a")).rejects.toMatchObject({ code: "index/not-found" });
  });
});
