import { beforeAll, describe, expect, it } from "vitest";
import { readPointer } from "../../../indexer/store/publish.ts";
import { MemoryStore } from "../../../shared/store/memory.ts";
import { readClock } from "../../../shared/versions/clock.ts";
import { history } from "../../../shared/versions/history.ts";
import { HookStore } from "../../helpers/hook-store.ts";
import { RegionWorld, shortly } from "../../helpers/regions.ts";
import { audit, HOUR, keyOf, MINUTE, OLD } from "../../helpers/versions.ts";
import { digestInPlace } from "../../sim/sync-digest.ts";

beforeAll(() => digestInPlace());

/** A home with versions of these texts, an hour between, and a region without any. */
async function worldOf(...versions: readonly (readonly string[])[]): Promise<RegionWorld> {
  const world = new RegionWorld();
  for (const texts of versions) {
    world.home.pass(HOUR);
    await world.home.publish(texts);
  }
  return world;
}

describe("a region", () => {
  it("gets home's version whole, under the same number, and the next one by what is new of it", async () => {
    const world = await worldOf(["one", "two"]);
    expect(shortly(await world.replicate())).toBe("1 moved, 6 copied, 0 repaired");
    await world.expectSame("first");
    await world.home.publish(["one", "three"]);
    const next = await world.replicate();
    expect(shortly(next)).toBe("2 moved, 2 copied, 0 repaired");
    expect(next.from).toMatch(/^1-/u);
    expect(next.verified).toBe(next.bytes);
    await world.expectSame("second");
    expect((await readClock(world.store)).released).toEqual({});
  });

  it("is left as it is where it has the version, at the cost of a look at each blob", async () => {
    const world = await worldOf(["one"]);
    await world.replicate();
    const store = new HookStore(world.store);
    expect(shortly(await world.replicate(store))).toBe("1 kept, 0 copied, 0 repaired");
    expect(store.log.filter((line) => !/^(?:get indexes|head )/u.test(line))).toEqual([]);
    expect(store.log).toHaveLength(6);
  });

  it("that was away for several versions gets the last, keeps the chain, and notes what it was not given", async () => {
    const world = await worldOf(["one"]);
    await world.replicate();
    for (const text of ["two", "three", "four"]) await world.home.pass(MINUTE).publish([text]);
    expect(shortly(await world.replicate())).toBe("4 moved, 2 copied, 0 repaired");
    await world.expectSame("after");
    const links: string[] = [];
    for await (const link of history(world.store, "docs")) links.push(`${link.seq} ${link.kind}`);
    expect(links).toEqual(["4 version", "3 version", "2 version", "1 version"]);
    expect((await readClock(world.store)).released).toEqual({ docs: 3 });
  });

  it("that is new beside an old home notes that there is nothing before", async () => {
    const world = await worldOf(["one"], ["two"], ["three"]);
    await world.replicate();
    await world.expectSame("after");
    expect((await readClock(world.store)).released).toEqual({ docs: 2 });
    // And a collection is content with that, however many versions it is to keep.
    await world.home.pass(OLD);
    expect((await world.collect({ keep: 5 })).deleted).toEqual([]);
  });

  it("follows a rollback with what it has, and writes nothing but manifest and pointer while all is young", async () => {
    const world = await worldOf(["one"]);
    await world.replicate();
    await world.home.pass(MINUTE).publish(["two"]);
    await world.replicate();
    await world.home.pass(MINUTE).rollback("1");
    const store = new HookStore(world.store);
    const report = await world.replicate(store);
    expect(shortly(report)).toBe("3 moved, 0 copied, 0 repaired");
    expect(store.log.filter((line) => line.startsWith("put")).map((line) => line.split("/")[0])).toEqual([
      "put indexes",
      "putIfMatch indexes",
    ]);
    await world.expectSame("after");
  });

  it("follows a rollback to a version it was never given by copying it", async () => {
    const world = await worldOf(["one"], ["two"], ["three"]);
    await world.replicate();
    await world.home.rollback("1");
    expect(shortly(await world.replicate())).toBe("4 moved, 2 copied, 0 repaired");
    await world.expectSame("after");
  });

  it("has no index that home has not", async () => {
    const world = new RegionWorld();
    await expect(world.replicate()).rejects.toMatchObject({ code: "index/not-found" });
    expect(await world.texts()).toBeNull();
  });
});

describe("what is wrong in a region", () => {
  it("is mended where a blob is gone or has another length, even if the version is there", async () => {
    const world = await worldOf(["one"]);
    await world.replicate();
    await world.store.delete(await keyOf("one"));
    await world.store.put(await keyOf("shard of one"), new Uint8Array(3));
    expect(shortly(await world.replicate())).toBe("1 kept, 1 copied, 1 repaired");
    await world.expectSame("after");
  });

  it("is mended where a bit is wrong, if all is read back", async () => {
    const world = await worldOf(["one"]);
    await world.replicate();
    const key = await keyOf("one");
    const { body } = (await world.store.get(key))!;
    body[5]! ^= 1;
    await world.store.put(key, body);
    expect(shortly(await world.replicate(world.store, "new"))).toBe("1 kept, 0 copied, 0 repaired");
    const report = await world.replicate(world.store, "full");
    expect(shortly(report)).toBe("1 kept, 0 copied, 1 repaired");
    expect(report.verified).toBe(4 * 64);
    await world.expectSame("after");
  });

  it("is mended where the manifest is gone or damaged", async () => {
    const world = await worldOf(["one"]);
    await world.replicate();
    const { key } = (await readPointer(world.store, "docs"))!.pointer.manifest;
    await world.store.delete(key);
    await world.replicate();
    await world.expectSame("gone");
    const { body } = (await world.store.get(key))!;
    body[9]! ^= 1;
    await world.store.put(key, body);
    await world.replicate(world.store, "full");
    await world.expectSame("damaged");
  });

  it("is found before the pointer moves where a run that died left a blob with a wrong bit", async () => {
    const world = await worldOf(["one"]);
    const half = new Uint8Array(64).fill(7);
    await world.store.put(await keyOf("one"), half);
    expect(shortly(await world.replicate())).toBe("1 moved, 3 copied, 1 repaired");
    await world.expectSame("after");
  });

  it("is said where the store gives back what it was not given, and nothing is moved", async () => {
    const world = await worldOf(["one"]);
    const bad = await keyOf("one");
    class Liar extends MemoryStore {
      override async getRange(key: string, offset: number, length: number) {
        const found = await super.getRange(key, offset, length);
        if (key === bad && found !== null) found[0]! ^= 1;
        return found;
      }
    }
    const liar = new Liar(() => world.home.now);
    await expect(world.replicate(liar)).rejects.toMatchObject({
      code: "blob/corrupt",
      details: { blob: bad },
    });
    expect(await readPointer(liar, "docs")).toBeNull();
    // By length alone it passes, which is what that is worth.
    expect(shortly(await world.replicate(liar, "head"))).toBe("1 moved, 0 copied, 0 repaired");
  });

  it("is said where home itself is damaged, and nothing is moved", async () => {
    const world = await worldOf(["one"], ["two"]);
    const [gone, bad] = [await keyOf("two"), await keyOf("shard of two")];
    await world.home.store.delete(gone);
    await expect(world.replicate()).rejects.toMatchObject({ code: "blob/missing", details: { blob: gone } });
    expect(await world.texts()).toBeNull();
    const other = await worldOf(["one"], ["two"]);
    await other.home.store.put(bad, new Uint8Array(64));
    await expect(other.replicate()).rejects.toMatchObject({ code: "blob/corrupt", details: { blob: bad } });
    expect(await other.texts()).toBeNull();
    expect(await other.store.head(bad)).toBeNull();
  });
});

describe("a pointer", () => {
  it("is never taken back to a home that is behind", async () => {
    const world = await worldOf(["one"], ["two"]);
    await world.replicate();
    const old = await worldOf(["one"]);
    await expect(world.replicate(world.store, "new", old.home.store)).rejects.toMatchObject({
      code: "store/conflict",
      message: expect.stringMatching(/has docs 2-.* and home has docs 1-|docs 2-.*never taken back/u),
    });
    expect(await world.seq()).toBe(2);
  });

  it("is not laid over a version that home never had, under its number or a lower one", async () => {
    const world = await worldOf(["one"]);
    await world.home.publish(["by hand"], "docs", world.store);
    await expect(world.replicate()).rejects.toMatchObject({
      code: "store/conflict",
      message: expect.stringContaining("somebody published into its store"),
    });
    await world.home.publish(["two"]);
    await expect(world.replicate()).rejects.toMatchObject({ code: "store/conflict" });
    expect(await world.texts()).toEqual(["by hand"]);
    // The way out that the message names.
    await world.store.delete("indexes/docs/current.json");
    await world.replicate();
    await world.expectSame("after");
  });

  it("that has moved on while a run slept stays where it is, whenever the run slept", async () => {
    for (let at = 0; ; at++) {
      const world = await worldOf(["one"]);
      await world.replicate();
      await world.home.publish(["two"]);
      const work = async () => {
        await world.home.publish(["three"]);
        await world.home.pass(HOUR).publish(["four"]);
        await world.replicate();
      };
      const store = new HookStore(world.store, { at, work });
      await world.replicate(store);
      expect(await world.seq(), `${at}`).toBe(at < store.log.length ? 4 : 2);
      if (at >= store.log.length) break;
      await world.expectSame(`${at}`);
    }
  });

  it("is moved once by two runs at once, wherever they meet", async () => {
    for (let at = 0; ; at++) {
      const world = await worldOf(["one"], ["two"]);
      const store = new HookStore(world.store, { at, work: async () => void (await world.replicate()) });
      await world.replicate(store);
      await world.expectSame(`${at}`);
      if (at >= store.log.length) break;
    }
  });
});

describe("a region that lags", () => {
  it("is collected without loss at any distance behind home, and brought forward after", async () => {
    for (let behind = 0; behind < 4; behind++)
      for (const keep of [1, 3]) {
        const world = await worldOf(["one"]);
        await world.replicate();
        for (let version = 0; version < behind; version++)
          await world.home.pass(HOUR).publish([`v${version}`]);
        world.home.pass(OLD);
        await world.home.collect();
        await world.collect({ keep });
        await world.expectSound(`${behind} behind`, [["one"]]);
        await world.replicate();
        await world.expectSame(`${behind}, brought forward`);
        await world.home.pass(OLD);
        await world.collect({ keep });
        await world.expectSame(`${behind}, collected`);
      }
  });

  it("keeps the version that it leaves for those who still read it, though home has let go of those between", async () => {
    const world = await worldOf(["one"]);
    await world.replicate();
    for (const text of ["two", "three", "four"]) await world.home.pass(HOUR).publish([text]);
    await world.home.pass(OLD).collect();
    await world.replicate();
    await world.collect();
    expect(await world.hasText("one")).toBe(true);
    await world.home.pass(OLD);
    await world.collect();
    expect(await world.hasText("one")).toBe(false);
    await world.expectSame("after");
  });

  it("keeps the version that it leaves where the chain leads to it, too", async () => {
    const world = await worldOf(["one"]);
    await world.replicate();
    for (const text of ["two", "three", "four"]) await world.home.pass(HOUR).publish([text]);
    await world.home.pass(OLD);
    await world.replicate();
    await world.collect();
    expect(await world.hasText("one")).toBe(true);
    await world.home.pass(OLD);
    await world.collect();
    expect(await world.hasText("one")).toBe(false);
    expect(await audit(world.store)).toEqual([]);
  });
});
