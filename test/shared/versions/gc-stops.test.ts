/** What a collection must not go by: stores that do not answer, listings that are cut, what cannot be read or understood. */
import { beforeEach, describe, expect, it } from "vitest";
import { commit } from "../../../indexer/store/publish.ts";
import { readBase } from "../../../indexer/store/publish-version.ts";
import { LightedgeError } from "../../../shared/errors.ts";
import { serializeManifest } from "../../../shared/format/manifest.ts";
import { GC_CLOCK_KEY, GC_NOW_KEY, REGISTRY_KEY } from "../../../shared/format/names.ts";
import { serializeSealed } from "../../../shared/format/sealed.ts";
import { readExisting } from "../../../shared/versions/current.ts";
import { gatherFacts } from "../../../shared/versions/gc-facts.ts";
import { bytes } from "../../contract/store-reads.ts";
import { FaultStore } from "../../helpers/fault-store.ts";
import { HookStore } from "../../helpers/hook-store.ts";
import { audit, HOUR, OLD, VersionsWorld } from "../../helpers/versions.ts";

let world: VersionsWorld;
beforeEach(() => {
  world = new VersionsWorld();
});

describe("a store that does not answer", () => {
  it("is told as such, and neither as damage nor as something that nobody needs", async () => {
    await world.publishAll(["a"], ["b"]);
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

describe("a version of a later format", () => {
  it.each([
    ["a number above ours", { format: 2 }],
    ["a field that we do not know", { later: [`blobs/${"0".repeat(64)}`] }],
  ])("stops everything while it stays, for %s", async (_, change) => {
    await world.publishAll(["a"], ["b"]);
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
    await world.publishAll(["a"], ["b"]);
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
      const keys = await world.blobs();
      await expect(world.collect(), key).rejects.toMatchObject({ code: "format/unsupported" });
      expect(await world.blobs()).toEqual(keys);
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
    const length = (await world.keys("indexes/")).length + (await world.blobs()).length;
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
        expect(await world.blobs()).toHaveLength(2 + 3 * 2);
      }
    // A manifest that the chain leads to goes whether it is listed or not.
    expect(least).toBe(3);
  });

  it("is why a store without a registry is left alone", async () => {
    await world.publishAll(["a"], ["b"]);
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
    await world.publishAll(["a"], ["b"]);
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
    await world.publishAll(["a"], ["b"]);
    const { key } = (await readExisting(world.store, "docs")).pointer.manifest;
    const before = await world.blobs();
    for (const fault of ["flip", "missing"] as const) {
      const broken = new FaultStore(world.store, (operation) =>
        operation.method === "get" && operation.key === key ? { fault } : null,
      );
      await expect(world.collect({}, broken), fault).rejects.toMatchObject({
        code: fault === "flip" ? "blob/corrupt" : "blob/missing",
      });
    }
    expect(await world.blobs()).toEqual(before);
  });

  it("stops everything: a manifest that is gone and that no collection has let go of", async () => {
    await world.publishAll(["a"], ["b"], ["c"]);
    await world.collect({ keep: 2 });
    const manifests = await world.keys("indexes/docs/manifests/");
    const { key } = (await readExisting(world.store, "docs")).pointer.manifest;
    await world.store.delete(manifests.find((other) => other !== key)!);
    await expect(world.collect({ keep: 2 })).rejects.toMatchObject({ code: "blob/missing" });
    // Version 1 was let go of, so its absence says nothing.
    await expect(world.collect({ keep: 1 })).resolves.toMatchObject({ kept: [{ seq: 3 }] });
  });

  it("stops everything: the pointer of an index that is registered", async () => {
    await world.publishAll(["a"], ["b"]);
    await world.store.delete("indexes/docs/current.json");
    const before = await world.blobs();
    await expect(world.collect()).rejects.toMatchObject({ code: "index/not-found" });
    expect(await world.blobs()).toEqual(before);
  });
});
