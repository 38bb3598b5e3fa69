import { beforeEach, describe, expect, it } from "vitest";
import { commit } from "../../../indexer/store/publish.ts";
import { pointerKey } from "../../../shared/format/names.ts";
import { serializePointer } from "../../../shared/format/pointer.ts";
import { readExisting } from "../../../shared/versions/current.ts";
import { history, type Version } from "../../../shared/versions/history.ts";
import { HookStore } from "../../helpers/hook-store.ts";
import { audit, HOUR, keyOf, VersionsWorld } from "../../helpers/versions.ts";

let world: VersionsWorld;
beforeEach(async () => {
  world = new VersionsWorld();
  for (const text of ["one", "two", "three"]) await world.pass(HOUR).publish([text]);
  world.pass(HOUR);
});

async function versions(): Promise<readonly Version[]> {
  const found: Version[] = [];
  for await (const link of history(world.store, "docs")) if (link.kind === "version") found.push(link);
  return found;
}

describe("a rollback", () => {
  it("is a new version with the old content, upon the one that was current", async () => {
    const [three, , one] = await versions();
    const { version, contentOf, changed } = await world.rollback("1");
    expect({ contentOf, changed }).toEqual({ contentOf: one!.version, changed: true });
    expect(version).toMatch(/^4-/u);
    expect(await world.texts()).toEqual(["one"]);
    const [newest, ...before] = await versions();
    expect(newest!.version).toBe(version);
    expect(newest!.manifest).toEqual({
      ...one!.manifest,
      created: new Date(world.now).toISOString(),
      parent: three!.sha256,
    });
    expect(before.map(({ seq }) => seq)).toEqual([3, 2, 1]);
    expect(await audit(world.store)).toEqual([]);
  });

  it("can be undone in the same way", async () => {
    await world.rollback("1");
    await world.pass(1000).rollback("3");
    expect(await world.texts()).toEqual(["three"]);
    expect((await readExisting(world.store, "docs")).pointer.seq).toBe(5);
  });

  it.each(["number and digest", "number", "digest", "whole digest"])(
    "finds its version by %s",
    async (by) => {
      const [, two] = await versions();
      const names: Readonly<Record<string, string>> = {
        "number and digest": two!.version,
        number: "2",
        digest: two!.sha256.slice(0, 8),
        "whole digest": two!.sha256,
      };
      await world.rollback(names[by]!);
      expect(await world.texts()).toEqual(["two"]);
    },
  );

  it("changes nothing where that content is current, as a version or as what was rolled back to", async () => {
    const before = await readExisting(world.store, "docs");
    expect(await world.rollback("3")).toMatchObject({
      changed: false,
      version: expect.stringMatching(/^3-/u),
    });
    expect(await readExisting(world.store, "docs")).toEqual(before);
    const { version } = await world.rollback("1");
    expect(await world.pass(HOUR).rollback("1")).toMatchObject({ changed: false, version });
  });

  it("makes what it goes back to young, so that no collection takes it", async () => {
    const key = await keyOf("one");
    const { refreshed } = await world.rollback("1");
    expect((await world.store.head(key))?.modified).toBe(world.now);
    // The blob and its shard: the tokenizer and the table are the current version's as well.
    expect(refreshed).toBe(2 * 64);
  });

  it("within a quarter of an hour of what it undoes writes no blob again", async () => {
    await world.publish(["four"]);
    const watched = new HookStore(world.store);
    await world.rollback("3", "docs", watched);
    expect(watched.log.filter((line) => line.startsWith("put blobs/"))).toEqual([]);
  });

  it.each(["0", "9", "7-00000000", "00000000", "3-00000000"])(
    "is refused to %s, naming the versions there are",
    async (to) => {
      const names = (await versions()).map(({ version }) => version).join(", ");
      const before = await readExisting(world.store, "docs");
      await expect(world.rollback(to)).rejects.toMatchObject({
        code: "version/not-found",
        message: expect.stringContaining(`There are ${names}.`),
      });
      expect(await readExisting(world.store, "docs")).toEqual(before);
    },
  );

  it.each(["", "latest", "-1", "1-", "1-1A2B3C4D", "abcdef", "v2"])("takes %j for no version", async (to) => {
    await expect(world.rollback(to)).rejects.toMatchObject({ code: "usage/invalid" });
  });

  it("is refused to a version that was collected, wholly or in part", async () => {
    await world.collect({ keep: 2 });
    await expect(world.rollback("1")).rejects.toMatchObject({ code: "version/not-found" });
    await world.store.delete(await keyOf("two"));
    const [three] = await versions();
    await expect(world.rollback("2")).rejects.toMatchObject({
      code: "version/not-found",
      message: expect.stringContaining(`Whole versions are ${three!.version}.`),
    });
    expect(await world.texts()).toEqual(["three"]);
  });

  it("is refused to a version that is taken while it is being looked at", async () => {
    const alone = new HookStore(world.store);
    await world.rollback("2", "docs", alone);
    await world.pass(HOUR).rollback("3");
    world.pass(HOUR);
    const key = await keyOf("one");
    const at = alone.log.findIndex((line) => line.startsWith("put indexes/docs/manifests/"));
    const hooked = new HookStore(world.store, { at, work: () => world.store.delete(key) });
    await expect(world.rollback("1", "docs", hooked)).rejects.toMatchObject({
      code: "version/not-found",
      details: { blob: key },
    });
    expect(await world.texts()).toEqual(["three"]);
  });

  it("is refused for an index that is not there, and passes on what the store says", async () => {
    await expect(world.rollback("1", "nothing")).rejects.toMatchObject({ code: "index/not-found" });
    await world.store.put(await keyOf("one"), new Uint8Array(64));
    await expect(world.pass(HOUR).rollback("1")).rejects.toMatchObject({ code: "blob/corrupt" });
  });

  it("is refused where the current manifest is damaged, which leads to all others", async () => {
    const { pointer } = await readExisting(world.store, "docs");
    const body = (await world.store.get(pointer.manifest.key))!.body;
    await world.store.put(
      pointer.manifest.key,
      body.map((byte, at) => (at === 9 ? byte ^ 1 : byte)),
    );
    await expect(world.rollback("2")).rejects.toMatchObject({
      code: "version/not-found",
      message: expect.stringContaining("damaged"),
    });
  });
});

describe("a writer that slept through a rollback", () => {
  it("cannot commit, however alike the contents are", async () => {
    const slept = await readExisting(world.store, "docs");
    const [three] = await versions();
    await world.publish(["four"]);
    await world.pass(1000).rollback("3");
    const now = await readExisting(world.store, "docs");
    expect(await world.texts()).toEqual(["three"]);
    const request = { manifest: (await world.store.get(three!.key))!.body, blobs: [], base: slept };
    expect(await commit(world.store, "docs", request, world.ports)).toEqual({ kind: "conflict" });
    const key = pointerKey("docs");
    const raw = await world.store.putIfMatch(key, serializePointer(slept.pointer), slept.etag);
    expect(raw).toEqual({ kind: "conflict" });
    expect(await readExisting(world.store, "docs")).toEqual(now);
  });
});
