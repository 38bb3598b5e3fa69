import { beforeEach, describe, expect, it } from "vitest";
import { GC_CLOCK_KEY, GC_NOW_KEY } from "../../../shared/format/names.ts";
import { sha256 } from "../../../shared/hash.ts";
import { readClock } from "../../../shared/versions/clock.ts";
import { readExisting } from "../../../shared/versions/current.ts";
import { bytes } from "../../contract/store-reads.ts";
import { FaultStore } from "../../helpers/fault-store.ts";
import {
  audit,
  fileOf,
  GRACE,
  HOUR,
  keyOf,
  keysOf,
  MINUTE,
  OLD,
  VersionsWorld,
} from "../../helpers/versions.ts";

let world: VersionsWorld;
beforeEach(() => {
  world = new VersionsWorld();
});

describe("collecting garbage", () => {
  it("leaves what the current version needs, and nothing of older ones", async () => {
    await world.publishAll(["a", "b"], ["b", "c"], ["c"]);
    const before = await world.keys();
    const { deleted, bytes: sum, kept, dryRun } = await world.collect();
    expect(await world.blobs()).toEqual(await keysOf("c"));
    expect(await world.keys("indexes/docs/manifests/")).toHaveLength(1);
    expect(kept).toMatchObject([{ index: "docs", seq: 3 }]);
    expect(dryRun).toBe(false);
    // a, b, their shards, two manifests.
    expect(deleted).toHaveLength(6);
    expect(sum).toBe(deleted.reduce((total, { bytes: one }) => total + one, 0));
    const gone = before.filter((key) => !deleted.some((object) => object.key === key));
    expect(await world.keys()).toEqual([...gone, GC_CLOCK_KEY, GC_NOW_KEY].sort());
    expect(await world.texts()).toEqual(["c"]);
    expect(await audit(world.store)).toEqual([]);
  });

  it("deletes a version's blobs before its manifest, and the oldest manifest first", async () => {
    await world.publishAll(["a"], ["b"], ["c"]);
    const { deleted } = await world.collect();
    const kinds = deleted.map(({ key }) => key.split("/")[0]);
    expect(kinds).toEqual([...kinds].sort());
    const manifests = deleted.slice(-2).map(({ key }) => key);
    expect((await readClock(world.store)).released).toEqual({ docs: 2 });
    world = new VersionsWorld();
    await world.publishAll(["a"]);
    const { pointer } = await readExisting(world.store, "docs");
    expect(manifests[0]).toBe(pointer.manifest.key);
  });

  it("does nothing the second time, and does not even say that it is about to", async () => {
    await world.publishAll(["a"], ["b"]);
    await world.collect();
    const watched = new FaultStore(world.store);
    expect((await world.collect({}, watched)).deleted).toEqual([]);
    expect(watched.log.filter((line) => /^put|^delete/u.test(line))).toEqual([`put ${GC_NOW_KEY}`]);
  });

  it("says what it would do, and writes nothing but a look at the time", async () => {
    await world.publishAll(["a"], ["b"]);
    const watched = new FaultStore(world.store);
    const { deleted, dryRun } = await world.collect({ dryRun: true }, watched);
    expect(watched.log.filter((line) => /^put|^delete/u.test(line))).toEqual([`put ${GC_NOW_KEY}`]);
    expect(dryRun).toBe(true);
    expect((await world.collect()).deleted).toEqual(deleted);
  });

  it("goes by the store's clock alone, however wrong its own is", async () => {
    await world.publishAll(["a"], ["b"]);
    const { monotonic } = world.gcPorts;
    for (const skew of [-48 * HOUR, 48 * HOUR]) {
      world.gcPorts.monotonic = () => monotonic() + skew;
      await world.publish([`skewed by ${skew}`]);
      expect(await world.texts()).toEqual([`skewed by ${skew}`]);
      await world.collect();
      // Replaced a moment ago.
      expect(await world.blobs()).toContain(await keyOf("b"));
    }
  });

  it("frees what a run left behind that died, once it is old enough", async () => {
    await world.publishAll(["a"]);
    await world.store.put(await keyOf("orphan"), (await fileOf("orphan")).bytes);
    expect((await world.pass(OLD - MINUTE).collect()).deleted).toEqual([]);
    expect((await world.pass(2 * MINUTE).collect()).deleted).toEqual([
      { key: await keyOf("orphan"), bytes: 64 },
    ]);
  });

  it("retires versions of one index only where it is told which", async () => {
    await world.publishAll(["a"], ["b"]);
    for (const text of ["x", "y"]) {
      await world.publish([text], "news");
      world.pass(HOUR);
    }
    const { kept } = await world.collect({ index: "news" });
    expect(kept.map(({ index, seq }) => `${index} ${seq}`)).toEqual(["docs 2", "docs 1", "news 2"]);
    expect(await world.blobs()).toEqual((await keysOf("a", "b", "y")).toSorted());
    expect((await readClock(world.store)).released).toEqual({ news: 1 });
    await world.collect({ index: "docs" });
    expect((await readClock(world.store)).released).toEqual({ docs: 1, news: 1 });
    expect(await audit(world.store)).toEqual([]);
  });

  it("never touches a key whose shape it does not know", async () => {
    await world.publishAll(["a"], ["b"]);
    const digest = await sha256("x");
    const strange = [
      "blobs/short",
      `blobs/${digest}.tmp`,
      `blobs/deeper/${digest}`,
      `blobs2/${digest}`,
      `encodings/0123456789abcdef/${digest}.pack`,
      "gc/other.json",
      "indexes/docs/lease.json",
      "indexes/docs/inbox/not-a-write.json",
      `indexes/docs/manifests/${digest}`,
      `indexes/docs/manifests/${digest}.json.bak`,
      `indexes/docs/manifests/deeper/${digest}.json`,
      `indexes/docs/other/${digest}.json`,
      `indexes/docs.v2/manifests/${digest}.json`,
      `indexes/${digest}.json`,
      `${digest}`,
    ];
    for (const key of strange) await world.store.put(key, bytes("x"));
    world.pass(HOUR * 1000);
    await world.collect();
    expect(await world.keys()).toEqual(expect.arrayContaining(strange));
  });
});

describe("bad input", () => {
  it("is refused before anything is written", async () => {
    await world.publishAll(["a"], ["b"]);
    const before = await world.keys();
    const wrong = [
      { graceMs: GRACE - 1 },
      { graceMs: Number.NaN },
      { keep: 0 },
      { keep: 1.5 },
      { keep: Number.NaN },
    ];
    for (const options of wrong)
      await expect(world.collect(options)).rejects.toMatchObject({ code: "usage/invalid" });
    expect(await world.keys()).toEqual(before);
    await expect(world.collect({ index: "nothing" })).rejects.toMatchObject({ code: "index/not-found" });
  });
});
