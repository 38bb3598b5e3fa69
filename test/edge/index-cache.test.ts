import { describe, expect, test, vi } from "vitest";
import { LightedgeError } from "../../shared/errors.ts";
import { MAX_AGE, setUp } from "../helpers/index-cache.ts";

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
