import { beforeEach, describe, expect, it } from "vitest";
import { commit } from "../../../indexer/store/publish.ts";
import { readBase } from "../../../indexer/store/publish-version.ts";
import { LightedgeError } from "../../../shared/errors.ts";
import { serializeManifest } from "../../../shared/format/manifest.ts";
import { GC_CLOCK_KEY, GC_NOW_KEY, manifestKey, REGISTRY_KEY } from "../../../shared/format/names.ts";
import { serializePointer, withCheck } from "../../../shared/format/pointer.ts";
import { serializeSealed } from "../../../shared/format/sealed.ts";
import { sha256 } from "../../../shared/hash.ts";
import { readClock } from "../../../shared/versions/clock.ts";
import { readExisting } from "../../../shared/versions/current.ts";
import { gatherFacts } from "../../../shared/versions/gc-facts.ts";
import { history, type Version } from "../../../shared/versions/history.ts";
import { register } from "../../../shared/versions/registry.ts";
import { SWEEP_WINDOW_MS } from "../../../shared/versions/times.ts";
import { FaultStore } from "../../helpers/fault-store.ts";
import { HookStore } from "../../helpers/hook-store.ts";
import { audit, fileOf, GRACE, HOUR, keyOf, MINUTE, OLD, VersionsWorld } from "../../helpers/versions.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

let world: VersionsWorld;
beforeEach(() => {
  world = new VersionsWorld();
});

/** Versions of "docs", an hour between them, and the last an hour old. */
async function publishAll(...versions: readonly (readonly string[])[]): Promise<void> {
  for (const texts of versions) {
    await world.publish(texts);
    world.pass(HOUR);
  }
}

async function blobs(): Promise<readonly string[]> {
  return world.keys("blobs/");
}

/** The keys of what a version of these texts consists of, in order. */
async function keysOf(...texts: readonly string[]): Promise<readonly string[]> {
  const all = ["tokenizer", "table", ...texts, ...texts.map((text) => `shard of ${text}`)];
  return (await Promise.all([...new Set(all)].map(keyOf))).sort();
}

describe("a store that does not answer", () => {
  it("is told as such, and neither as damage nor as something that nobody needs", async () => {
    await publishAll(["a"], ["b"]);
    const { pointer } = await readExisting(world.store, "docs");
    const key = pointer.manifest.key;
    class Silent extends HookStore {
      override get(wanted: string) {
        return wanted === key ? Promise.reject(down) : super.get(wanted);
      }
    }
    const down = new LightedgeError("store/unavailable", "down");
    const silent = new Silent(world.store);
    await expect(gatherFacts(silent)).rejects.toBe(down);
    await expect(readBase(silent, { pointer, etag: "1" })).rejects.toMatchObject({ code: down.code });
    expect(await audit(world.store)).toEqual([]);
  });
});

describe("collecting garbage", () => {
  it("leaves what the current version needs, and nothing of older ones", async () => {
    await publishAll(["a", "b"], ["b", "c"], ["c"]);
    const before = await world.keys();
    const { deleted, bytes: sum, kept, dryRun } = await world.collect();
    expect(await blobs()).toEqual(await keysOf("c"));
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
    await publishAll(["a"], ["b"], ["c"]);
    const { deleted } = await world.collect();
    const kinds = deleted.map(({ key }) => key.split("/")[0]);
    expect(kinds).toEqual([...kinds].sort());
    const manifests = deleted.slice(-2).map(({ key }) => key);
    expect((await readClock(world.store)).released).toEqual({ docs: 2 });
    world = new VersionsWorld();
    await publishAll(["a"]);
    const { pointer } = await readExisting(world.store, "docs");
    expect(manifests[0]).toBe(pointer.manifest.key);
  });

  it("does nothing the second time, and does not even say that it is about to", async () => {
    await publishAll(["a"], ["b"]);
    await world.collect();
    const watched = new FaultStore(world.store);
    expect((await world.collect({}, watched)).deleted).toEqual([]);
    expect(watched.log.filter((line) => /^put|^delete/u.test(line))).toEqual([`put ${GC_NOW_KEY}`]);
  });

  it("says what it would do, and writes nothing but a look at the time", async () => {
    await publishAll(["a"], ["b"]);
    const watched = new FaultStore(world.store);
    const { deleted, dryRun } = await world.collect({ dryRun: true }, watched);
    expect(watched.log.filter((line) => /^put|^delete/u.test(line))).toEqual([`put ${GC_NOW_KEY}`]);
    expect(dryRun).toBe(true);
    expect((await world.collect()).deleted).toEqual(deleted);
  });

  it("goes by the store's clock alone, however wrong its own is", async () => {
    await publishAll(["a"], ["b"]);
    const { monotonic } = world.gcPorts;
    for (const skew of [-48 * HOUR, 48 * HOUR]) {
      world.gcPorts.monotonic = () => monotonic() + skew;
      await world.publish([`skewed by ${skew}`]);
      expect(await world.texts()).toEqual([`skewed by ${skew}`]);
      await world.collect();
      // Replaced a moment ago.
      expect(await blobs()).toContain(await keyOf("b"));
    }
  });

  it("frees what a run left behind that died, once it is old enough", async () => {
    await publishAll(["a"]);
    await world.store.put(await keyOf("orphan"), (await fileOf("orphan")).bytes);
    expect((await world.pass(OLD - MINUTE).collect()).deleted).toEqual([]);
    expect((await world.pass(2 * MINUTE).collect()).deleted).toEqual([
      { key: await keyOf("orphan"), bytes: 64 },
    ]);
  });

  it("retires versions of one index only where it is told which", async () => {
    await publishAll(["a"], ["b"]);
    for (const text of ["x", "y"]) {
      await world.publish([text], "news");
      world.pass(HOUR);
    }
    const { kept } = await world.collect({ index: "news" });
    expect(kept.map(({ index, seq }) => `${index} ${seq}`)).toEqual(["docs 2", "docs 1", "news 2"]);
    expect(await blobs()).toEqual((await keysOf("a", "b", "y")).toSorted());
    expect((await readClock(world.store)).released).toEqual({ news: 1 });
    await world.collect({ index: "docs" });
    expect((await readClock(world.store)).released).toEqual({ docs: 1, news: 1 });
    expect(await audit(world.store)).toEqual([]);
  });

  it("never touches a key whose shape it does not know", async () => {
    await publishAll(["a"], ["b"]);
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

describe("a version of a later format", () => {
  it.each([
    ["a number above ours", { format: 2 }],
    ["a field that we do not know", { later: [`blobs/${"0".repeat(64)}`] }],
  ])("stops everything while it stays, for %s", async (_, change) => {
    await publishAll(["a"], ["b"]);
    const { pointer } = await readExisting(world.store, "docs");
    const manifest = JSON.parse(
      new TextDecoder().decode((await world.store.get(pointer.manifest.key))!.body),
    );
    const body = serializeManifest({ ...manifest, parent: pointer.manifest.sha256, ...change });
    expect((await commit(world.store, "docs", { manifest: body, blobs: [] }, world.ports)).kind).toBe(
      "committed",
    );
    world.pass(HOUR);
    const before = await world.keys();
    await expect(world.collect()).rejects.toMatchObject({ code: "format/unsupported" });
    await expect(world.collect({ index: "docs" })).rejects.toMatchObject({ code: "format/unsupported" });
    expect(await world.keys()).toEqual([...before, GC_NOW_KEY].sort());
  });

  it("stops everything as a pointer, a registry and a clock do", async () => {
    await publishAll(["a"], ["b"]);
    const pointer = (await world.store.get("indexes/docs/current.json"))!.body;
    const newer = bytes(new TextDecoder().decode(pointer).replace('"format": 1', '"format": 2'));
    const sealed = (fields: object) => serializeSealed({ format: 2, commit_id: "0".repeat(32), ...fields });
    const cases = [
      ["indexes/docs/current.json", newer],
      [REGISTRY_KEY, await sealed({ indexes: ["docs"] })],
      [GC_CLOCK_KEY, await sealed({ released: {} })],
    ] as const;
    for (const [key, body] of cases) {
      const before = await world.store.get(key);
      await world.store.put(key, body);
      const keys = await blobs();
      await expect(world.collect(), key).rejects.toMatchObject({ code: "format/unsupported" });
      expect(await blobs()).toEqual(keys);
      expect((await world.store.get(key))?.body).toEqual(body);
      if (before === null) await world.store.delete(key);
      else await world.store.put(key, before.body);
    }
    expect((await world.pass(OLD).collect()).deleted).not.toEqual([]);
  });
});

describe("a listing that is cut", () => {
  it("hides no index: whatever it leaves out, everything that is needed stays", async () => {
    const prepare = async () => {
      world = new VersionsWorld();
      for (const name of ["zoo", "docs", "news"])
        for (const text of ["one", "two"]) {
          await world.publish([`${name} ${text}`], name);
          world.pass(HOUR);
        }
    };
    await prepare();
    const length = (await world.keys("indexes/")).length + (await blobs()).length;
    let least = Number.POSITIVE_INFINITY;
    for (let amount = 0; amount <= length; amount++)
      for (const prefix of ["indexes/", "blobs/", ""]) {
        await prepare();
        const cut = new FaultStore(world.store, ({ method, key }) =>
          method === "list" && key.startsWith(prefix) ? { fault: "cut", amount } : null,
        );
        const { deleted } = await world.collect({}, cut);
        least = Math.min(least, deleted.length);
        expect(await audit(world.store), `${prefix} cut after ${amount}`).toEqual([]);
        for (const name of ["zoo", "docs", "news"]) expect(await world.texts(name)).toEqual([`${name} two`]);
        // What the cut hid goes with the next one that sees it.
        await world.pass(OLD).collect();
        expect(await blobs()).toHaveLength(2 + 3 * 2);
      }
    // A manifest that the chain leads to goes whether it is listed or not.
    expect(least).toBe(3);
  });

  it("is why a store without a registry is left alone", async () => {
    await publishAll(["a"], ["b"]);
    await world.store.delete(REGISTRY_KEY);
    const before = await world.keys();
    await expect(world.collect()).rejects.toMatchObject({
      code: "blob/missing",
      details: { blob: REGISTRY_KEY },
    });
    expect(await world.keys()).toEqual([...before, GC_NOW_KEY].sort());
    // The next publication repairs it.
    await world.publish(["c"]);
    expect((await world.pass(OLD).collect()).deleted).not.toEqual([]);
  });

  it("is no reason to leave an empty store alone", async () => {
    expect((await world.collect()).deleted).toEqual([]);
  });

  it("that shows a key twice deletes it once", async () => {
    await publishAll(["a"], ["b"]);
    const twice = new (class extends HookStore {
      override async *list(prefix: string) {
        for await (const info of super.list(prefix)) {
          yield info;
          yield info;
        }
      }
    })(world.store);
    const { deleted } = await world.collect({}, twice);
    expect(new Set(deleted.map(({ key }) => key)).size).toBe(deleted.length);
    expect(await world.texts()).toEqual(["b"]);
  });
});

describe("what cannot be read", () => {
  it("stops everything: a manifest that stays, damaged or not answered for", async () => {
    await publishAll(["a"], ["b"]);
    const { key } = (await readExisting(world.store, "docs")).pointer.manifest;
    const before = await blobs();
    for (const fault of ["flip", "missing"] as const) {
      const broken = new FaultStore(world.store, (operation) =>
        operation.method === "get" && operation.key === key ? { fault } : null,
      );
      await expect(world.collect({}, broken), fault).rejects.toMatchObject({
        code: fault === "flip" ? "blob/corrupt" : "blob/missing",
      });
    }
    expect(await blobs()).toEqual(before);
  });

  it("stops everything: a manifest that is gone and that no collection has let go of", async () => {
    await publishAll(["a"], ["b"], ["c"]);
    await world.collect({ keep: 2 });
    const manifests = await world.keys("indexes/docs/manifests/");
    const { key } = (await readExisting(world.store, "docs")).pointer.manifest;
    await world.store.delete(manifests.find((other) => other !== key)!);
    await expect(world.collect({ keep: 2 })).rejects.toMatchObject({ code: "blob/missing" });
    // Version 1 was let go of, so its absence says nothing.
    await expect(world.collect({ keep: 1 })).resolves.toMatchObject({ kept: [{ seq: 3 }] });
  });

  it("stops everything: the pointer of an index that is registered", async () => {
    await publishAll(["a"], ["b"]);
    await world.store.delete("indexes/docs/current.json");
    const before = await blobs();
    await expect(world.collect()).rejects.toMatchObject({ code: "index/not-found" });
    expect(await blobs()).toEqual(before);
  });
});

describe("rounds", () => {
  it("begin anew when time has run out, and end when all is gone", async () => {
    await publishAll(["a", "b", "c", "d"], ["e"]);
    const { monotonic } = world.gcPorts;
    let late = 0;
    // Every look at the clock takes longer than a sweep may.
    world.gcPorts.monotonic = () => {
      late += SWEEP_WINDOW_MS / 3;
      return monotonic() + late;
    };
    const { deleted } = await world.collect();
    expect(deleted).toHaveLength(9);
    expect(await blobs()).toEqual(await keysOf("e"));
    expect(world.pauses.length).toBeGreaterThan(2);
    expect(await audit(world.store)).toEqual([]);
  });

  it("begin anew when a version was published meanwhile, which stays whole", async () => {
    await publishAll(["a"], ["b"], ["c"]);
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
      await publishAll(["a"], ["b"], ["c"]);
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
    await publishAll(["a"], ["b"], ["c"]);
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
    await publishAll(["a"], ["b"]);
    const before = await blobs();
    let count = 0;
    const restless = new FaultStore(world.store, () => null);
    const { head } = restless;
    restless.head = async (key) => {
      if (key === REGISTRY_KEY) await world.publish([`text ${++count}`], "news");
      return head.call(restless, key);
    };
    await expect(world.collect({}, restless)).rejects.toMatchObject({ code: "store/conflict" });
    expect(count).toBe(5);
    expect(await blobs()).toEqual(expect.arrayContaining([...before]));
    expect(await audit(world.store)).toEqual([]);
  });

  it("stop at an object that was written again since it was found", async () => {
    await publishAll(["a"], ["b"]);
    const key = await keyOf("a");
    const list = new HookStore(world.store);
    await world.collect({ dryRun: true }, list);
    const hooked = new HookStore(world.store, {
      at: list.log.length,
      work: async () => void (await world.store.put(key, (await fileOf("a")).bytes)),
    });
    const { deleted } = await world.collect({}, hooked);
    expect(deleted.map((object) => object.key)).not.toContain(key);
    expect(await blobs()).toContain(key);
    expect(deleted.length).toBeGreaterThan(0);
  });
});

describe("bad input", () => {
  it("is refused before anything is written", async () => {
    await publishAll(["a"], ["b"]);
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

describe("two collections at once", () => {
  it("delete the same, and nothing else, however they overlap", async () => {
    const prepare = async () => {
      world = new VersionsWorld();
      await publishAll(["a", "b"], ["b"], ["c"]);
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
