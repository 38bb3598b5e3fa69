/** When entries of an inbox go: never before every version that stays has them. */
import { beforeEach, describe, expect, it } from "vitest";
import { Publisher, publishVersion } from "../../../indexer/store/publish-version.ts";
import { serializeInboxEntry } from "../../../shared/format/inbox.ts";
import { type BlobEntry, blobsOf } from "../../../shared/format/manifest.ts";
import { inboxKey, type WriteId } from "../../../shared/format/names.ts";
import { writeOverlay } from "../../../shared/format/overlay.ts";
import { readExisting } from "../../../shared/versions/current.ts";
import { history, type Version } from "../../../shared/versions/history.ts";
import { audit, HOUR, OLD, VersionsWorld } from "../../helpers/versions.ts";

const WRITES = [1, 2, 3].map((at) => `176981760000${at}-000000000000000${at}` as WriteId);

let world: VersionsWorld;
beforeEach(async () => {
  world = new VersionsWorld();
  await world.publish(["one"]);
  for (const write of WRITES) {
    const entry = { write, index: "docs", id: "a", op: "delete" } as const;
    await world.store.put(inboxKey("docs", write), await serializeInboxEntry(entry));
  }
});

async function current(): Promise<Version> {
  const { value } = await history(world.store, "docs").next();
  if (value?.kind !== "version") throw new Error("no version");
  return value;
}

/** Publishes a version that has taken in these writes, or none. Gives the key of its overlay. */
async function fold(folded: readonly WriteId[]): Promise<string | undefined> {
  world.pass(HOUR);
  const { manifest } = await current();
  const entries = folded
    .slice(-1)
    .map((write) => ({ id: "a", write, stands: "delete", source: null }) as const);
  const own = manifest.blobs.filter(({ role }) => role !== "overlay");
  const blobs: BlobEntry[] = [...own];
  if (folded.length > 0) {
    const file = await writeOverlay({ entries, folded });
    blobs.push({ role: "overlay", ...(await new Publisher(world.store).put(file)) });
  }
  const { format: _, created: __, parent: ___, binding: ____, ...content } = manifest;
  const counts = { ...content.counts, rejected: content.counts.rejected + 1 };
  const base = await readExisting(world.store, "docs");
  await publishVersion(world.store, { ...content, counts, blobs }, base, new Date(world.now), world.ports);
  return blobs.find(({ role }) => role === "overlay")?.key;
}

async function left(): Promise<readonly number[]> {
  const keys = await world.keys("indexes/docs/inbox/");
  return WRITES.flatMap((write, at) => (keys.includes(inboxKey("docs", write)) ? [at + 1] : []));
}

describe("entries of an inbox", () => {
  it("stay while no version has taken them in", async () => {
    await world.pass(OLD).collect();
    expect(await left()).toEqual([1, 2, 3]);
  });

  it("go once the current version has them and no older one is left", async () => {
    await fold(WRITES.slice(0, 2));
    await world.pass(OLD).collect();
    expect(await left()).toEqual([3]);
    expect(await audit(world.store)).toEqual([]);
    expect(blobsOf((await current()).manifest, "overlay")).toHaveLength(1);
  });

  it("stay while a version stays that lacks them, since an index may be rolled back to it", async () => {
    await fold(WRITES.slice(0, 1));
    await fold(WRITES.slice(0, 2));
    await world.pass(OLD).collect({ keep: 2 });
    expect(await left()).toEqual([2, 3]);
    await world.collect({ keep: 1 });
    expect(await left()).toEqual([3]);
  });

  it("go where all that stay share one overlay", async () => {
    await fold(WRITES);
    await fold(WRITES);
    await world.pass(OLD).collect({ keep: 2 });
    expect(await left()).toEqual([]);
  });

  it("of an index that has no version stay", async () => {
    const key = "indexes/other/inbox/1769817600001-0000000000000001.json";
    await world.store.put(key, new Uint8Array(1));
    await fold(WRITES);
    await world.pass(OLD).collect();
    expect(await world.keys("indexes/other/")).toEqual([key]);
  });

  it("stay for the grace like all else", async () => {
    for (const write of WRITES) {
      const key = inboxKey("docs", write);
      await world.store.put(key, (await world.store.get(key))!.body);
    }
    await fold(WRITES);
    world.pass(OLD);
    const key = inboxKey("docs", WRITES[2]!);
    await world.store.put(key, (await world.store.get(key))!.body);
    await world.collect();
    expect(await left()).toEqual([3]);
  });

  it("stay where an overlay cannot be read", async () => {
    const key = (await fold(WRITES))!;
    const { body } = (await world.store.get(key))!;
    await world.store.put(
      key,
      body.map((byte, at) => (at === body.length - 1 ? byte ^ 1 : byte)),
    );
    await world.pass(OLD).collect();
    expect(await left()).toEqual([1, 2, 3]);
  });

  it("stay where a later version no longer has them", async () => {
    await fold(WRITES);
    await fold([]);
    await world.pass(OLD).collect();
    expect(await left()).toEqual([1, 2, 3]);
  });

  it("of other shapes stay", async () => {
    await fold(WRITES);
    const odd = [
      "indexes/docs/inbox/x.json",
      `${inboxKey("docs", WRITES[0]!)}.bak`,
      "indexes/docs/inbox/deep/y.json",
    ];
    for (const key of odd) await world.store.put(key, new Uint8Array(1));
    await world.pass(OLD).collect();
    expect(await world.keys("indexes/docs/inbox/")).toEqual(odd.toSorted());
  });
});
