import { beforeEach, describe, expect, it } from "vitest";
import { listed, listVersions } from "../../../indexer/store/versions.ts";
import { readExisting } from "../../../shared/versions/current.ts";
import { HookStore } from "../../helpers/hook-store.ts";
import { HOUR, keyOf, VersionsWorld } from "../../helpers/versions.ts";

let world: VersionsWorld;
beforeEach(async () => {
  world = new VersionsWorld();
  for (const texts of [["one"], ["one", "two"], ["three"]]) await world.pass(HOUR).publish(texts);
  world.pass(HOUR);
});

const seqs = (list: Awaited<ReturnType<typeof listVersions>>) => list.versions.map(({ seq }) => seq);

describe("the list of versions", () => {
  it("says of each what it holds and whether one can go back to it", async () => {
    const { versions, end } = await listVersions(world.store, "docs");
    expect(end).toEqual({ kind: "first" });
    const { sha256 } = (await readExisting(world.store, "docs")).pointer.manifest;
    expect(versions[0]).toEqual({
      version: `3-${sha256.slice(0, 8)}`,
      seq: 3,
      created: new Date(world.now - HOUR).toISOString(),
      documents: 1,
      chunks: 1,
      bytes: 4 * 64,
      current: true,
      whole: true,
    });
    expect(versions.map(({ documents, current, whole }) => [documents, current, whole])).toEqual([
      [1, true, true],
      [2, false, true],
      [1, false, true],
    ]);
  });

  it("asks for each blob once, however many versions name it", async () => {
    const watched = new HookStore(world.store);
    await listVersions(watched, "docs");
    const heads = watched.log.filter((line) => line.startsWith("head "));
    expect(new Set(heads).size).toBe(heads.length);
  });

  it("says which versions are no longer whole: a blob is gone or of another length", async () => {
    await world.store.delete(await keyOf("two"));
    await world.store.put(await keyOf("three"), new Uint8Array(1));
    const { versions } = await listVersions(world.store, "docs");
    expect(versions.map(({ whole }) => whole)).toEqual([false, false, true]);
  });

  it("ends at what was collected, and says so", async () => {
    const { versions } = await listVersions(world.store, "docs");
    await world.collect({ keep: 2 });
    const list = await listVersions(world.store, "docs");
    expect(seqs(list)).toEqual([3, 2]);
    expect(list.end).toEqual({ kind: "collected", version: versions[2]!.version });
  });

  it.each(["lost", "damaged"])("ends at what was %s, and says that this is wrong", async (what) => {
    const manifests = await world.keys("indexes/docs/manifests/");
    const { key } = (await readExisting(world.store, "docs")).pointer.manifest;
    for (const other of manifests.filter((name) => name !== key))
      if (what === "lost") await world.store.delete(other);
      else await world.store.put(other, new Uint8Array(2));
    const list = await listVersions(world.store, "docs");
    expect(seqs(list)).toEqual([3]);
    expect(list.end).toMatchObject({ kind: "broken", reason: expect.stringMatching(/is gone|is damaged/u) });
  });

  it("is refused for an index that is not there", async () => {
    await expect(listVersions(world.store, "nothing")).rejects.toMatchObject({ code: "index/not-found" });
  });
});

describe("versions in a message", () => {
  it("are few", () => {
    const names = Array.from({ length: 12 }, (_, at) => `v${at}`);
    expect(listed([])).toBe("no others");
    expect(listed(names.slice(0, 2))).toBe("v0, v1");
    expect(listed(names)).toBe("v0, v1, v2, v3, v4, v5, v6, v7, v8, v9 and 2 older ones");
  });
});
