/** Collections while the store changes under them, by publications and by other collections. */
import { beforeEach, describe, expect, it } from "vitest";
import { serializeManifest } from "../../../shared/format/manifest.ts";
import { GC_CLOCK_KEY, manifestKey, REGISTRY_KEY } from "../../../shared/format/names.ts";
import { serializePointer, withCheck } from "../../../shared/format/pointer.ts";
import { sha256 } from "../../../shared/hash.ts";
import { readExisting } from "../../../shared/versions/current.ts";
import { history, type Version } from "../../../shared/versions/history.ts";
import { register } from "../../../shared/versions/registry.ts";
import { SWEEP_WINDOW_MS } from "../../../shared/versions/times.ts";
import { FaultStore } from "../../helpers/fault-store.ts";
import { HookStore } from "../../helpers/hook-store.ts";
import { audit, fileOf, HOUR, keyOf, keysOf, MINUTE, OLD, VersionsWorld } from "../../helpers/versions.ts";

let world: VersionsWorld;
beforeEach(() => {
  world = new VersionsWorld();
});

describe("rounds", () => {
  it("begin anew when time has run out, and end when all is gone", async () => {
    await world.publishAll(["a", "b", "c", "d"], ["e"]);
    const { monotonic } = world.gcPorts;
    let late = 0;
    // Every look at the clock takes longer than a sweep may.
    world.gcPorts.monotonic = () => {
      late += SWEEP_WINDOW_MS / 3;
      return monotonic() + late;
    };
    const { deleted } = await world.collect();
    expect(deleted).toHaveLength(9);
    expect(await world.blobs()).toEqual(await keysOf("e"));
    expect(world.pauses.length).toBeGreaterThan(2);
    expect(await audit(world.store)).toEqual([]);
  });

  it("begin anew when a version was published meanwhile, which stays whole", async () => {
    await world.publishAll(["a"], ["b"], ["c"]);
    const list = new HookStore(world.store);
    await world.collect({ dryRun: true }, list);
    const at = list.log.findIndex((line) => line.startsWith("list blobs/"));
    const hooked = new HookStore(world.store, { at, work: async () => void (await world.publish(["a"])) });
    const { deleted } = await world.collect({}, hooked);
    expect(deleted).not.toEqual([]);
    expect(await world.texts()).toEqual(["a"]);
    expect(await audit(world.store)).toEqual([]);
  });

  it.each([
    ["docs", HOUR],
    // Its pointer is young, so nobody is locked out of it.
    ["docs", 10 * MINUTE],
    ["news", HOUR],
  ] as const)(
    "begin anew when %s came to name what was to go, by whoever knows no better: %d ms after its last version",
    async (name, age) => {
      await world.publishAll(["a"], ["b"], ["c"]);
      await world.publish(["d"]);
      world.pass(age);
      const old = await readExisting(world.store, "docs");
      const { manifest } = (await history(world.store, "docs").next()).value as Version;
      const careless = async () => {
        // As a version of this program would that knows of no collections: nothing is made young.
        const body = serializeManifest({
          ...manifest,
          index: name,
          parent: name === "docs" ? old.pointer.manifest.sha256 : null,
          blobs: await Promise.all(
            manifest.blobs.map(async (blob) => {
              const text = blob.role === "documents" ? "a" : blob.role === "shard" ? "shard of a" : blob.role;
              const { sha256: digest } = await fileOf(text);
              return { ...blob, key: `blobs/${digest}`, sha256: digest };
            }),
          ),
        });
        const digest = await sha256(body);
        const reference = { key: manifestKey(name, digest), sha256: digest, bytes: body.length };
        await world.store.put(reference.key, body);
        if (name === "news") await register(world.store, "news", world.ports);
        const seq = name === "docs" ? 5 : 1;
        const parent = seq === 1 ? null : old.pointer.manifest.sha256;
        const pointer = withCheck({ format: 1, seq, commit_id: "7".repeat(32), parent, manifest: reference });
        await world.store.put(`indexes/${name}/current.json`, serializePointer(pointer));
      };
      const alone = new HookStore(world.store);
      await world.collect({ dryRun: true }, alone);
      // Right before the clock is written.
      const hooked = new HookStore(world.store, { at: alone.log.length, work: careless });
      await world.collect({}, hooked);
      expect(hooked.log[alone.log.length]).toBe(`putIfAbsent ${GC_CLOCK_KEY}`);
      expect(await world.texts(name)).toEqual(["a"]);
      expect(await audit(world.store)).toEqual([]);
    },
  );

  it("begin anew when a version came between the plan and the lock-out of those who sleep", async () => {
    await world.publishAll(["a"], ["b"], ["c"]);
    world.pass(OLD);
    const alone = new HookStore(world.store);
    await world.collect({ dryRun: true }, alone);
    const work = async () => void (await world.publish(["a", "d"]));
    const hooked = new HookStore(world.store, { at: alone.log.length + 1, work });
    await world.collect({}, hooked);
    expect(hooked.log[alone.log.length + 1]).toBe("putIfMatch indexes/docs/current.json");
    expect(world.pauses).not.toEqual([]);
    expect(await world.texts()).toEqual(["a", "d"]);
    expect(await audit(world.store)).toEqual([]);
  });

  it("end with an error when the store never stands still, and nothing is deleted", async () => {
    await world.publishAll(["a"], ["b"]);
    const before = await world.blobs();
    let count = 0;
    const restless = new FaultStore(world.store, () => null);
    const { head } = restless;
    restless.head = async (key) => {
      if (key === REGISTRY_KEY) await world.publish([`text ${++count}`], "news");
      return head.call(restless, key);
    };
    await expect(world.collect({}, restless)).rejects.toMatchObject({ code: "store/conflict" });
    expect(count).toBe(5);
    expect(await world.blobs()).toEqual(expect.arrayContaining([...before]));
    expect(await audit(world.store)).toEqual([]);
  });

  it("stop at an object that was written again since it was found", async () => {
    await world.publishAll(["a"], ["b"]);
    const key = await keyOf("a");
    const list = new HookStore(world.store);
    await world.collect({ dryRun: true }, list);
    const hooked = new HookStore(world.store, {
      at: list.log.length,
      work: async () => void (await world.store.put(key, (await fileOf("a")).bytes)),
    });
    const { deleted } = await world.collect({}, hooked);
    expect(deleted.map((object) => object.key)).not.toContain(key);
    expect(await world.blobs()).toContain(key);
    expect(deleted.length).toBeGreaterThan(0);
  });
});

describe("two collections at once", () => {
  it("delete the same, and nothing else, however they overlap", async () => {
    const prepare = async () => {
      world = new VersionsWorld();
      await world.publishAll(["a", "b"], ["b"], ["c"]);
    };
    await prepare();
    const alone = new HookStore(world.store);
    await world.collect({}, alone);
    const left = await world.keys();
    for (let at = 0; at < alone.log.length; at++) {
      await prepare();
      const hooked = new HookStore(world.store, { at, work: async () => void (await world.collect()) });
      await world.collect({}, hooked);
      expect(await world.keys(), `at ${alone.log[at]}`).toEqual(left);
      expect(await audit(world.store)).toEqual([]);
    }
  });
});
