import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { checkStore } from "../../indexer/check-store.ts";
import { commit } from "../../indexer/store/publish.ts";
import { serializeManifest } from "../../shared/format/manifest.ts";
import { GC_CLOCK_KEY, REGISTRY_KEY } from "../../shared/format/names.ts";
import { MemoryStore } from "../../shared/store/memory.ts";
import { readExisting } from "../../shared/versions/current.ts";
import { history, type Version } from "../../shared/versions/history.ts";
import { register } from "../../shared/versions/registry.ts";
import { FaultStore } from "../helpers/fault-store.ts";
import { tinyDocuments } from "../helpers/tiny-corpus.ts";
import { type BuiltVersion, buildVersions, publishBuilt } from "../helpers/tiny-versions.ts";
import { HOUR, VersionsWorld } from "../helpers/versions.ts";

let built: readonly BuiltVersion[];
beforeAll(async () => {
  const documents = tinyDocuments(24);
  built = await buildVersions(documents, documents.slice(1), tinyDocuments(20, 2));
});

let world: VersionsWorld;
beforeEach(async () => {
  world = new VersionsWorld();
  for (const version of built) await publishBuilt(world.pass(HOUR), version);
  await publishBuilt(world, built[0]!, "news");
  world.pass(HOUR);
});

async function versions(index = "docs"): Promise<readonly Version[]> {
  const found: Version[] = [];
  for await (const link of history(world.store, index)) if (link.kind === "version") found.push(link);
  return found;
}

/** A blob that version `seq` of "docs" needs and the versions after it do not. */
async function ownBlob(seq: number): Promise<string> {
  const all = await versions();
  const later = new Set(
    all
      .filter((version) => version.seq > seq)
      .flatMap(({ manifest }) => manifest.blobs.map(({ key }) => key)),
  );
  for (const { key } of (await versions("news"))[0]!.manifest.blobs) later.add(key);
  return all.find((version) => version.seq === seq)!.manifest.blobs.find(({ key }) => !later.has(key))!.key;
}

describe("a check of a whole store", () => {
  it("finds nothing wrong with what was published, and counts it", async () => {
    const { indexes, versions: count, problems } = await checkStore(world.store);
    expect(problems).toEqual([]);
    expect(indexes.map(({ index, documents }) => [index, documents])).toEqual([
      ["docs", 20],
      ["news", 24],
    ]);
    expect(count).toBe(4);
    expect(await checkStore(new MemoryStore())).toEqual({ indexes: [], versions: 0, problems: [] });
  });

  it("finds nothing wrong with what a collection has left", async () => {
    await world.collect({ keep: 2 });
    expect(await checkStore(world.store)).toMatchObject({ versions: 3, problems: [] });
    await world.collect();
    expect(await checkStore(world.store)).toMatchObject({ versions: 2, problems: [] });
  });

  it("misses a blob of an older version, unless a collection has let go of that", async () => {
    const key = await ownBlob(2);
    await world.store.delete(key);
    expect((await checkStore(world.store)).problems).toEqual([
      expect.stringMatching(`^docs 2-.* lacks ${key}`),
    ]);
    await world.collect();
    expect((await checkStore(world.store)).problems).toEqual([]);
  });

  it("misses the manifest of an older version, and sees one that is damaged", async () => {
    const [, two] = await versions();
    const { body } = (await world.store.get(two!.key))!;
    await world.store.put(two!.key, body.slice(1));
    expect((await checkStore(world.store)).problems).toEqual([expect.stringContaining("is damaged")]);
    await world.store.delete(two!.key);
    expect((await checkStore(world.store)).problems).toEqual([
      expect.stringContaining(`${two!.version} is gone`),
    ]);
  });

  it("reads the current version of every index to its last bit", async () => {
    const { manifest } = (await versions("news"))[0]!;
    for (const { key } of manifest.blobs) {
      const { body } = (await world.store.get(key))!;
      await world.store.put(
        key,
        body.map((byte, at) => (at === body.length >> 1 ? byte ^ 4 : byte)),
      );
      expect((await checkStore(world.store)).problems).toContainEqual(
        expect.stringMatching(`^news: .*${key}`),
      );
      await world.store.put(key, body);
    }
    expect((await checkStore(world.store)).problems).toEqual([]);
  });

  it("sees an index that is not in the registry, and a registry, a clock and a pointer that are damaged", async () => {
    const registry = (await world.store.get(REGISTRY_KEY))!.body;
    await world.store.delete(REGISTRY_KEY);
    await register(world.store, "other", { ...world.ports, randomBytes: () => new Uint8Array(16) });
    const problems = async () => (await checkStore(world.store)).problems;
    // It found both when it was made.
    expect(await problems()).toEqual([]);
    await world.store.delete(REGISTRY_KEY);
    expect(await problems()).toEqual(
      ["docs", "news"].map((name) => expect.stringContaining(`${name} is not in ${REGISTRY_KEY}`)),
    );
    await world.store.put(REGISTRY_KEY, registry.slice(1));
    expect(await problems()).toContainEqual(expect.stringContaining(REGISTRY_KEY));
    await world.store.put(REGISTRY_KEY, registry);
    await world.store.put(GC_CLOCK_KEY, new Uint8Array(5));
    expect(await problems()).toEqual([expect.stringContaining(GC_CLOCK_KEY)]);
    await world.store.delete(GC_CLOCK_KEY);
    await world.store.put("indexes/news/current.json", new Uint8Array(5));
    expect(await problems()).not.toEqual([]);
  });

  it("takes an index that is registered and not published yet for none", async () => {
    await register(world.store, "soon", world.ports);
    expect((await checkStore(world.store)).problems).toEqual([]);
  });

  it("sees a version whose number or parent does not fit its place", async () => {
    const base = await readExisting(world.store, "docs");
    const { manifest } = (await versions("news"))[0]!;
    const body = serializeManifest({ ...manifest, index: "docs" });
    await commit(world.store, "docs", { manifest: body, blobs: [], base }, world.ports);
    const { problems } = await checkStore(world.store);
    expect(problems).toEqual([
      expect.stringContaining("another parent than its manifest"),
      expect.stringContaining("lacks a parent"),
      expect.stringContaining("names no parent"),
    ]);
  });

  it("passes on that the store does not answer", async () => {
    const broken = new FaultStore(world.store, 5, "fail before");
    await expect(checkStore(broken)).rejects.toMatchObject({ code: "store/unavailable" });
  });
});
