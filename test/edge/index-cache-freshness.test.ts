/** When a cache looks for another version, and what it serves where it cannot. */
import { describe, expect, test } from "vitest";
import { STALE_FACTOR } from "../../edge/index-cache.ts";
import { LightedgeError } from "../../shared/errors.ts";
import { MAX_AGE, setUp } from "../helpers/index-cache.ts";
import { entryOf } from "../helpers/writes.ts";

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
