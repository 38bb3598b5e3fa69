import { beforeEach, describe, expect, it } from "vitest";
import { settle } from "../../../indexer/store/settle.ts";
import { GC_CLOCK_KEY } from "../../../shared/format/names.ts";
import { readExisting } from "../../../shared/versions/current.ts";
import { FRESH_MS, SWEEP_OVER_MS } from "../../../shared/versions/times.ts";
import { HookStore } from "../../helpers/hook-store.ts";
import { fileOf, HOUR, keyOf, MINUTE, VersionsWorld } from "../../helpers/versions.ts";

const MANIFEST = { key: "indexes/docs/manifests/next.json", body: new TextEncoder().encode("next") };

let world: VersionsWorld;
beforeEach(async () => {
  world = new VersionsWorld();
  await world.publish(["old"]);
  await world.pass(HOUR).publish(["new"]);
  world.pass(HOUR);
});

async function put(text: string): Promise<{ readonly key: string; readonly bytes: number }> {
  const { bytes } = await fileOf(text);
  const key = await keyOf(text);
  await world.store.put(key, bytes);
  return { key, bytes: bytes.length };
}

/** Settles these blobs upon the current version. Gives what was asked of the store. */
async function settled(
  blobs: readonly { readonly key: string; readonly bytes: number }[],
  hook?: ConstructorParameters<typeof HookStore>[1],
): Promise<readonly string[]> {
  const store = new HookStore(world.store, hook);
  const base = await readExisting(world.store, "docs");
  await settle(store, { index: "docs", base, manifest: MANIFEST, blobs }, world.ports);
  return store.log;
}

async function ageOf(key: string): Promise<number> {
  return world.now - (await world.store.head(key))!.modified;
}

describe("what is about to be published", () => {
  it("is looked at and left as it is while it is fresh", async () => {
    const blob = await put("a");
    world.pass(FRESH_MS);
    expect(await settled([blob])).toEqual([
      `put ${MANIFEST.key}`,
      `head ${blob.key}`,
      `head ${GC_CLOCK_KEY}`,
    ]);
    expect(await ageOf(blob.key)).toBe(FRESH_MS);
  });

  it("is written again once it is no longer fresh", async () => {
    const blob = await put("a");
    world.pass(FRESH_MS + 1);
    const log = await settled([blob]);
    expect(log).toContain(`put ${blob.key}`);
    expect(await ageOf(blob.key)).toBe(0);
    expect(await ageOf(MANIFEST.key)).toBe(0);
  });

  it("is left as it is, however old, where the version before names it", async () => {
    const blob = { key: await keyOf("new"), bytes: 64 };
    expect(await settled([blob])).not.toContain(`put ${blob.key}`);
  });

  it("is left as it is where a version names it that was replaced a moment ago, and no longer", async () => {
    await world.publish(["newest"]);
    const [replaced, older] = [await keyOf("new"), await keyOf("old")];
    const blobs = [replaced, older].map((key) => ({ key, bytes: 64 }));
    world.pass(FRESH_MS);
    const log = await settled(blobs);
    expect(log).not.toContain(`put ${replaced}`);
    expect(log).toContain(`put ${older}`);
    world.pass(MINUTE);
    expect(await settled(blobs)).toContain(`put ${replaced}`);
  });

  it("is written again where the version before cannot be read", async () => {
    const { pointer } = await readExisting(world.store, "docs");
    await world.store.put(pointer.manifest.key, new Uint8Array(3));
    const blob = { key: await keyOf("new"), bytes: 64 };
    expect(await settled([blob])).toContain(`put ${blob.key}`);
  });

  it("is refused where it is absent, of another length, or another than its key says", async () => {
    const blob = await put("a");
    const before = await readExisting(world.store, "docs");
    await expect(settled([{ key: await keyOf("b"), bytes: 64 }])).rejects.toMatchObject({
      code: "blob/missing",
    });
    await expect(settled([{ ...blob, bytes: 63 }])).rejects.toMatchObject({ code: "blob/corrupt" });
    await world.store.put(blob.key, new Uint8Array(64));
    world.pass(HOUR);
    await expect(settled([blob])).rejects.toMatchObject({
      code: "blob/corrupt",
      details: { blob: blob.key },
    });
    expect(await readExisting(world.store, "docs")).toEqual(before);
  });

  it("is refused where it is taken while it is being written again", async () => {
    const blob = await put("a");
    world.pass(HOUR);
    const log = await settled([blob]);
    const gone = () => world.store.delete(blob.key);
    world.pass(HOUR);
    const at = log.indexOf(`get ${blob.key}`);
    await expect(settled([blob], { at, work: gone })).rejects.toMatchObject({ code: "blob/missing" });
  });
});

describe("a collection that may still be deleting", () => {
  const notes: string[] = [];
  beforeEach(() => {
    notes.length = 0;
    world.ports.note = (message) => notes.push(message);
  });

  it("is waited for, and everything is looked at again", async () => {
    const blob = await put("a");
    await world.store.put(GC_CLOCK_KEY, new Uint8Array(1));
    const log = await settled([blob]);
    expect(world.pauses).toEqual([SWEEP_OVER_MS]);
    expect(notes).toEqual([expect.stringContaining("waiting 240 s")]);
    expect(log.slice(-2)).toEqual([`head ${blob.key}`, `head ${MANIFEST.key}`]);
  });

  it.each(["a", "the manifest"])("has taken %s: nothing is published", async (what) => {
    const blob = await put("a");
    await world.store.put(GC_CLOCK_KEY, new Uint8Array(1));
    world.ports.pause = () => world.store.delete(what === "a" ? blob.key : MANIFEST.key);
    await expect(settled([blob])).rejects.toMatchObject({ code: "blob/missing" });
  });

  it("is over after four minutes, and not waited for", async () => {
    await world.store.put(GC_CLOCK_KEY, new Uint8Array(1));
    world.pass(SWEEP_OVER_MS);
    await settled([]);
    expect(world.pauses).toEqual([SWEEP_OVER_MS]);
    world.pass(1);
    await settled([]);
    expect(world.pauses).toEqual([SWEEP_OVER_MS]);
  });
});
