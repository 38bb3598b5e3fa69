import { describe, expect, test, vi } from "vitest";
import { IndexCache, STALE_FACTOR } from "../../edge/index-cache.ts";
import type { OpenIndex, WaitingWrite } from "../../shared/engine/api.ts";
import { LightedgeError } from "../../shared/errors.ts";
import { type OverlayFile, packOverlay } from "../../shared/format/overlay.ts";
import { fakeIndex } from "../helpers/fake-index.ts";
import { entryOf, writeId } from "../helpers/writes.ts";

const MAX_AGE = 10_000;
const PATIENCE = 60;

/** A cache over a store that the test holds in its hands: sizes, versions, failures, a clock. */
function setUp(
  options: { budgetBytes?: number; slots?: number; maxStaleMs?: number; inboxIsElsewhere?: boolean } = {},
) {
  const { budgetBytes = 1000, slots = 8, inboxIsElsewhere = false } = options;
  const state = {
    time: 0,
    versions: new Map<string, number>(),
    bytes: new Map<string, number>(),
    opened: [] as string[],
    pointerReads: 0,
    greatest: 0,
    /** Bytes that the last look left for writes. */
    room: 0,
    /** Bytes that loaded indexes take beyond what was foreseen. */
    surplus: 0,
    failure: undefined as Error | undefined,
    /** What looks at inboxes fail with. */
    inboxFailure: undefined as Error | undefined,
    /** When set, loads wait for it. */
    gate: undefined as Promise<unknown> | undefined,
    background: [] as Promise<unknown>[],
    /** The writes that wait, by index, and how often they were looked for. */
    inbox: new Map<string, readonly WaitingWrite[]>(),
    looks: 0,
    overlay: undefined as OverlayFile | undefined,
    /** When set, looks at inboxes wait for it after they have seen what is there. */
    inboxGate: undefined as Promise<unknown> | undefined,
  };
  const check = (name: string): number => {
    if (state.failure !== undefined) throw state.failure;
    const seq = state.versions.get(name);
    if (seq === undefined) throw new LightedgeError("index/not-found", "None.");
    return seq;
  };
  const cache = new IndexCache(
    {
      async open(name, roomFor) {
        state.opened.push(name);
        const { gate } = state;
        await (gate ?? Promise.resolve());
        const seq = check(name);
        const residentBytes = state.bytes.get(name) ?? 100;
        const room = roomFor(residentBytes);
        if (residentBytes > room) throw new LightedgeError("index/too-large", "No room.");
        state.greatest = Math.max(state.greatest, budgetBytes - room + residentBytes);
        const overlay = state.overlay === undefined ? {} : { overlay: state.overlay };
        return fakeIndex({ name, seq, residentBytes: residentBytes + state.surplus, ...overlay });
      },
      async currentVersion(name) {
        state.pointerReads++;
        return fakeIndex({ name, seq: check(name) }).version;
      },
      async withWaiting(index, _, capBytes) {
        state.looks++;
        const { inboxGate } = state;
        const writes = state.inbox.get(index.name) ?? [];
        await (inboxGate ?? Promise.resolve());
        const failure = state.failure ?? state.inboxFailure;
        if (failure !== undefined) throw failure;
        state.room = capBytes;
        return writes.length === 0 && index.waiting.length === 0 ? index : index.withWrites(writes, capBytes);
      },
      inboxIsElsewhere: () => inboxIsElsewhere,
    },
    {
      budgetBytes,
      waitingBytes: 1000,
      slots,
      ...(options.maxStaleMs === undefined ? {} : { maxStaleMs: options.maxStaleMs }),
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
  return { cache, state, get, settle, names, background };
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

describe("writes that wait", () => {
  const write = (number: number, index = "a"): WaitingWrite => ({
    entry: entryOf(number, `d${number}`, { text: "x" }, index),
    bytes: 100,
  });
  const numbers = (index: OpenIndex) => index.waiting.map(({ entry }) => Number(entry.id.slice(1)));

  test("are laid over an index when it is loaded, and looked for again with its pointer", async () => {
    const { state, get, settle } = setUp();
    state.inbox.set("a", [write(1)]);
    expect(numbers(await get("a"))).toEqual([1]);
    state.inbox.set("a", [write(1), write(2)]);
    state.time = MAX_AGE - 1;
    expect(numbers(await get("a"))).toEqual([1]);
    state.time = MAX_AGE;
    await get("a");
    await settle();
    expect(numbers(await get("a"))).toEqual([1, 2]);
    expect(state.opened).toEqual(["a"]);
  });

  test("that were noted are in the next answer, before any look", async () => {
    const { state, cache, get } = setUp();
    await get("a");
    const looks = state.looks;
    cache.note("a", write(2));
    cache.note("a", write(1));
    expect(numbers(await get("a"))).toEqual([1, 2]);
    expect(state.looks).toBe(looks);
  });

  test.each(["loaded", "looked at again"])(
    "that are noted while the index is %s stay, though that look had not seen them",
    async (how) => {
      const { state, cache, get, settle } = setUp();
      if (how === "looked at again") await get("a");
      const gate = Promise.withResolvers<void>();
      state.inboxGate = gate.promise;
      state.time = MAX_AGE;
      const looks = state.looks;
      const flight = get("a");
      await vi.waitFor(() => expect(state.looks).toBe(looks + 1));
      cache.note("a", write(7));
      gate.resolve();
      await flight;
      await settle();
      expect(numbers(await get("a"))).toEqual([7]);
      // The next look has seen it, or knows that it is folded: what is noted is not kept for ever.
      state.time = 2 * MAX_AGE;
      await get("a");
      await settle();
      expect(numbers(await get("a"))).toEqual([]);
    },
  );

  test("are not laid over a version that holds them, and not twice", async () => {
    const overlay = packOverlay({ entries: [], folded: [writeId(1)] });
    const { state, cache, get } = setUp();
    state.overlay = overlay;
    await get("a");
    cache.note("a", write(1));
    cache.note("a", write(2));
    cache.note("a", write(2));
    expect(numbers(await get("a"))).toEqual([2]);
  });

  test("of an index that is not loaded are none of the cache's business", async () => {
    const { state, cache, get } = setUp();
    cache.note("a", write(1));
    expect(cache.hasRoom("a", write(1))).toBe(true);
    expect(numbers(await get("a"))).toEqual([]);
    expect(state.opened).toEqual(["a"]);
  });

  test("share the room for them over all indexes", async () => {
    const { state, get, settle } = setUp();
    state.inbox.set("a", [write(1), write(2)]);
    await get("a");
    // The budget is all of the 1000 bytes that writes may have, and nothing was loaded yet.
    expect(state.room).toBe(1000);
    await get("b");
    expect(state.room).toBe(700);
    // An index's own writes are not in its way when they are looked for again.
    state.time = MAX_AGE;
    await get("a");
    await settle();
    expect(state.room).toBe(800);
  });

  test("have a quarter of their room even where indexes fill the budget", async () => {
    const { state, get } = setUp();
    state.bytes.set("a", 1000);
    await get("a");
    state.time = MAX_AGE * STALE_FACTOR;
    await get("a");
    expect(state.room).toBe(250);
  });

  test("do not bring an index back that was evicted while they were looked for", async () => {
    const { state, get, settle, names } = setUp({ slots: 1 });
    await get("a");
    const gate = Promise.withResolvers<void>();
    state.inboxGate = gate.promise;
    state.time = MAX_AGE;
    await get("a");
    await vi.waitFor(() => expect(state.looks).toBe(2));
    state.inboxGate = undefined;
    await get("b");
    gate.resolve();
    await settle();
    expect(names()).toEqual(["b"]);
  });

  test("that cannot be looked for leave what is loaded as it is, and fail a load", async () => {
    const { state, get, settle } = setUp();
    state.inbox.set("a", [write(1)]);
    await get("a");
    state.failure = new LightedgeError("store/unavailable", "Down.");
    state.time = MAX_AGE;
    await get("a");
    await settle();
    expect(numbers(await get("a"))).toEqual([1]);
    await expect(get("b")).rejects.toMatchObject({ code: "store/unavailable" });
  });
});

describe("an index that has to pass a test", () => {
  test("is given at once where it passes", async () => {
    const { state, cache, background } = setUp();
    await cache.get("a", background);
    const reads = state.pointerReads;
    const { index } = await cache.getWhere("a", background, ({ index: { version } }) =>
      version.startsWith("1-"),
    );
    expect([index.version, state.pointerReads]).toEqual(["1-00000001", reads]);
  });

  test("is looked for at once where it does not, however young what is loaded is", async () => {
    const { state, cache, background } = setUp();
    await cache.get("a", background);
    state.versions.set("a", 2);
    const { index } = await cache.getWhere("a", background, ({ index: { version } }) =>
      version.startsWith("2-"),
    );
    expect(index.version).toBe("2-00000002");
  });

  test("is looked for twice at most, since the first look may have begun before", async () => {
    const { state, cache, background } = setUp();
    await cache.get("a", background);
    const reads = state.pointerReads;
    const { index, provenAt } = await cache.getWhere("a", background, () => false);
    expect([index.version, provenAt, state.pointerReads - reads]).toEqual(["1-00000001", 0, 2]);
  });

  test("is proven by a look that succeeds, not by one that fails", async () => {
    const { state, cache, background } = setUp();
    await cache.get("a", background);
    state.time = 5000;
    state.failure = new LightedgeError("store/unavailable", "Down.");
    expect((await cache.getWhere("a", background, () => false)).provenAt).toBe(0);
    state.failure = undefined;
    expect((await cache.getWhere("a", background, ({ provenAt }) => provenAt >= 5000)).provenAt).toBe(5000);
  });
});

describe("an index whose store cannot be asked", () => {
  test("is served for as long as may be, said to be unproven, and not a moment longer", async () => {
    const { state, cache, get, background } = setUp({ maxStaleMs: 10 * MAX_AGE });
    await get("a");
    state.failure = new LightedgeError("store/unavailable", "Down.");
    state.time += 10 * MAX_AGE - 1;
    const any = () => true;
    expect(await cache.getWhere("a", background, any)).toMatchObject({ unreadable: true, provenAt: 0 });
    state.time += 1;
    await expect(get("a")).rejects.toMatchObject({ code: "store/unavailable" });
    // It is still there, so that a look is all it takes when the store is back.
    expect(cache.loaded()).toHaveLength(1);
    state.failure = undefined;
    expect(await cache.getWhere("a", background, any)).toMatchObject({
      ...{ unreadable: false, provenAt: state.time },
    });
    expect(state.opened).toEqual(["a"]);
  });

  test("whose inbox is elsewhere is served without it, with the writes that were known", async () => {
    const { state, cache, get, background } = setUp({ inboxIsElsewhere: true });
    const write = { entry: entryOf(5, "x", { text: "new" }, "a"), bytes: 10 };
    state.inbox.set("a", [write]);
    await get("a");
    state.inboxFailure = new LightedgeError("store/unavailable", "Home is down.");
    state.versions.set("a", 2);
    state.time += MAX_AGE * STALE_FACTOR;
    const found = await cache.getWhere("a", background, () => true);
    expect(found).toMatchObject({ provenAt: state.time, inboxAt: 0, unreadable: false });
    expect(found.index.version).toMatch(/^2-/);
    expect(found.index.waiting).toEqual([write]);
    // Of an index that was not loaded before none are known, and that is no reason to refuse it.
    expect((await get("b")).waiting).toEqual([]);
  });
});
