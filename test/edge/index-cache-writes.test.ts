/** Writes that wait, as a cache lays them over what is loaded. */
import { describe, expect, test, vi } from "vitest";
import { STALE_FACTOR } from "../../edge/index-cache.ts";
import type { OpenIndex, WaitingWrite } from "../../shared/engine/api.ts";
import { LightedgeError } from "../../shared/errors.ts";
import { packOverlay } from "../../shared/format/overlay.ts";
import { MAX_AGE, setUp } from "../helpers/index-cache.ts";
import { entryOf, writeId } from "../helpers/writes.ts";

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
