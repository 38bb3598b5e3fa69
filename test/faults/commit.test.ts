/** Commits whose answer is lost or late, and writers that slept while others committed. */

import { describe, expect, it } from "vitest";
import { readPointer } from "../../indexer/store/publish.ts";
import type { Published } from "../../indexer/store/publish-version.ts";
import { serializePointer, withCheck } from "../../shared/format/pointer.ts";
import { MemoryStore } from "../../shared/store/memory.ts";
import type { PutOutcome } from "../../shared/store/store.ts";
import { history } from "../../shared/versions/history.ts";
import { FaultStore } from "../helpers/fault-store.ts";
import { publishTexts, readTexts, testPorts } from "../helpers/tiny-index.ts";
import { audit, keyOf, OLD, VersionsWorld } from "../helpers/versions.ts";

const POINTER = "indexes/docs/current.json";

/** A store whose conditional writes of the pointer go through `swap`, which may do more or less than asked. */
class SwapStore extends MemoryStore {
  swap: (write: () => Promise<PutOutcome>, attempt: number) => Promise<PutOutcome> = (write) => write();
  attempts = 0;
  readonly bodies = new Set<string>();

  override putIfMatch(key: string, body: Uint8Array<ArrayBuffer>, etag: string): Promise<PutOutcome> {
    if (key !== POINTER) return super.putIfMatch(key, body, etag);
    this.attempts += 1;
    this.bodies.add(new TextDecoder().decode(body));
    return this.swap(() => super.putIfMatch(key, body, etag), this.attempts);
  }
}

async function storeWith(texts: readonly string[]): Promise<SwapStore> {
  const store = new SwapStore();
  await publishTexts(store, "docs", texts, testPorts(100));
  return store;
}

/** Commits by another writer, past whatever `swap` does. */
async function commitBeside(store: SwapStore, texts: readonly string[], seed: number): Promise<void> {
  const { swap } = store;
  store.swap = (write) => write();
  expect(await publishTexts(store, "docs", texts, testPorts(seed))).toMatchObject({ kind: "committed" });
  store.swap = swap;
}

describe("a commit whose answer is lost", () => {
  it("is recognised by its id", async () => {
    const store = await storeWith(["old"]);
    store.swap = async (write) => {
      await write();
      throw new Error("connection lost");
    };
    const outcome = await publishTexts(store, "docs", ["new"], testPorts(1));
    expect(outcome).toMatchObject({ kind: "committed", pointer: { seq: 2 } });
    expect(store.attempts).toBe(1);
    expect((await readPointer(store, "docs"))?.pointer.seq).toBe(2);
  });

  it("is recognised when a client below repeats it and is refused by its own write", async () => {
    const store = await storeWith(["old"]);
    store.swap = async (write) => {
      await write();
      return write();
    };
    expect(await publishTexts(store, "docs", ["new"], testPorts(1))).toMatchObject({ kind: "committed" });
    expect(await readTexts(store, "docs")).toEqual(["new"]);
  });

  it("is recognised when another writer has committed on top of it", async () => {
    const store = await storeWith(["old"]);
    store.swap = async (write) => {
      await write();
      await commitBeside(store, ["on top"], 50);
      throw new Error("connection lost");
    };
    const outcome = await publishTexts(store, "docs", ["new"], testPorts(1));
    expect(outcome).toMatchObject({ kind: "committed", pointer: { seq: 2 } });
    expect(await readTexts(store, "docs")).toEqual(["on top"]);
    expect((await readPointer(store, "docs"))?.pointer.seq).toBe(3);
  });
});

describe("a commit with others on top of it", () => {
  /** Publishes "ours"; the pointer is swapped, `meanwhile` happens, and the answer is lost. */
  async function lostUnder(world: VersionsWorld, meanwhile: () => Promise<unknown>): Promise<Published> {
    const store = new FaultStore(world.store, () => null);
    const { putIfMatch } = world.store;
    world.store.putIfMatch = async (key, body, etag) => {
      world.store.putIfMatch = putIfMatch;
      await world.store.putIfMatch(key, body, etag);
      await meanwhile();
      throw new Error("connection lost");
    };
    return world.publish(["ours"], "docs", store);
  }

  it.each([1, 2, 3, 20])("is recognised by the chain, %d deep", async (depth) => {
    const world = new VersionsWorld();
    await world.publish(["old"]);
    const published = await lostUnder(world, async () => {
      for (let n = 1; n <= depth; n++) await world.pass(1000).publish([`theirs ${n}`]);
    });
    expect(published).toMatchObject({ changed: true, version: expect.stringMatching(/^2-/u) });
    expect(await world.texts()).toEqual([`theirs ${depth}`]);
    expect(await audit(world.store)).toEqual([]);
  });

  it("is recognised when a collection has written the pointer again since", async () => {
    const world = new VersionsWorld();
    await world.publish(["old"]);
    const published = await lostUnder(world, async () => {
      await world.store.put(await keyOf("orphan"), new Uint8Array(64));
      const before = await readPointer(world.store, "docs");
      expect((await world.pass(OLD).collect()).deleted).not.toEqual([]);
      expect((await readPointer(world.store, "docs"))?.etag).not.toBe(before?.etag);
    });
    expect(published.version).toMatch(/^2-/u);
    expect(await world.texts()).toEqual(["ours"]);
  });

  it.each(["missing", "damaged"])("is unknown when the chain to it is %s", async (what) => {
    const world = new VersionsWorld();
    await world.publish(["old"]);
    const lost = lostUnder(world, async () => {
      for (const text of ["one", "two", "three"]) await world.pass(1000).publish([text]);
      const links: string[] = [];
      for await (const { key } of history(world.store, "docs")) links.push(key);
      if (what === "missing") await world.store.delete(links[1]!);
      else await world.store.put(links[1]!, new Uint8Array(8));
    });
    await expect(lost).rejects.toMatchObject({ code: "store/unavailable" });
  });

  it("is unknown when more was committed since than is looked through", async () => {
    const world = new VersionsWorld();
    await world.publish(["old"]);
    const lost = lostUnder(world, async () => {
      await world.publish(["theirs"]);
      const { pointer } = (await readPointer(world.store, "docs"))!;
      const body = serializePointer(withCheck({ ...pointer, seq: 5000 }));
      await world.store.put(POINTER, body);
    });
    await expect(lost).rejects.toMatchObject({ code: "store/unavailable" });
  });

  it("is a conflict when none of those is it", async () => {
    const world = new VersionsWorld();
    await world.publish(["old"]);
    const { putIfMatch } = world.store;
    world.store.putIfMatch = async () => {
      world.store.putIfMatch = putIfMatch;
      for (const text of ["one", "two", "three"]) await world.pass(1000).publish([text]);
      throw new Error("connection lost");
    };
    await expect(world.publish(["ours"])).rejects.toMatchObject({ code: "store/conflict" });
    expect(await world.texts()).toEqual(["three"]);
  });
});

describe("a commit that is refused though nobody has committed", () => {
  it("is tried again: the store meant something else by it", async () => {
    const store = await storeWith(["old"]);
    store.attempts = 0;
    store.swap = async (write, attempt) => (attempt < 3 ? { kind: "conflict" } : write());
    expect(await publishTexts(store, "docs", ["new"], testPorts(1))).toMatchObject({ kind: "committed" });
  });

  it("is a conflict in the end", async () => {
    const store = await storeWith(["old"]);
    store.swap = async () => ({ kind: "conflict" });
    expect(await publishTexts(store, "docs", ["new"], testPorts(1))).toEqual({ kind: "conflict" });
    expect(await readTexts(store, "docs")).toEqual(["old"]);
  });

  it("is unknown where nobody can look why", async () => {
    const store = await storeWith(["old"]);
    const down = new Error("down");
    store.swap = async () => {
      store.get = () => Promise.reject(down);
      return { kind: "conflict" };
    };
    const outcome = await publishTexts(store, "docs", ["new"], testPorts(1));
    expect(outcome).toEqual({ kind: "unknown", cause: down });
  });

  it("is a conflict where the pointer has gone back to an older version", async () => {
    const store = await storeWith(["oldest"]);
    const oldest = (await store.get(POINTER))!.body;
    await publishTexts(store, "docs", ["old"], testPorts(1));
    store.swap = async () => {
      await store.put(POINTER, oldest);
      return { kind: "conflict" };
    };
    expect(await publishTexts(store, "docs", ["new"], testPorts(2))).toEqual({ kind: "conflict" });
    expect(await readTexts(store, "docs")).toEqual(["oldest"]);
  });

  it("is a conflict where the pointer is gone", async () => {
    const store = await storeWith(["old"]);
    store.swap = async () => {
      await store.delete(POINTER);
      return { kind: "conflict" };
    };
    expect(await publishTexts(store, "docs", ["new"], testPorts(1))).toEqual({ kind: "conflict" });
  });

  it("happens upon the pointer that a collection has written again", async () => {
    const world = new VersionsWorld();
    await world.publish(["old"]);
    const base = await readPointer(world.store, "docs");
    await world.store.put(await keyOf("orphan"), new Uint8Array(64));
    await world.pass(OLD).collect();
    const { pointer, etag } = (await readPointer(world.store, "docs"))!;
    expect(etag).not.toBe(base?.etag);
    expect({ ...pointer, commit_id: "", check: "" }).toEqual({ ...base?.pointer, commit_id: "", check: "" });
    const outcome = await publishTexts(world.store, "docs", ["new"], world.ports, base);
    expect(outcome).toMatchObject({ kind: "committed", pointer: { seq: 2 } });
  });

  it("gives up when its pointer is written again and again", async () => {
    const store = await storeWith(["old"]);
    const base = await readPointer(store, "docs");
    let touches = 0;
    store.swap = async () => {
      const { pointer } = (await readPointer(store, "docs"))!;
      const commit_id = (++touches).toString(16).padStart(32, "0");
      await store.put(POINTER, serializePointer(withCheck({ ...pointer, commit_id })));
      return { kind: "conflict" };
    };
    expect(await publishTexts(store, "docs", ["new"], testPorts(1), base)).toEqual({ kind: "conflict" });
    expect(touches).toBeGreaterThan(1);
    expect(await readTexts(store, "docs")).toEqual(["old"]);
  });
});

describe("a commit whose request is lost", () => {
  it("is repeated with the same bytes", async () => {
    const store = await storeWith(["old"]);
    store.swap = async (write, attempt) => {
      if (attempt < 3) throw new Error("429: one write a second for a key");
      return write();
    };
    store.attempts = 0;
    expect(await publishTexts(store, "docs", ["new"], testPorts(1))).toMatchObject({ kind: "committed" });
    expect(store.attempts).toBe(3);
    expect(store.bodies.size).toBe(1);
  });

  it("is recognised when it lands late, while it is being repeated", async () => {
    const store = await storeWith(["old"]);
    const late: (() => Promise<PutOutcome>)[] = [];
    store.swap = async (write, attempt) => {
      if (attempt > 1) return write();
      late.push(write);
      throw new Error("timeout");
    };
    const ports = { ...testPorts(1), pause: async () => void (await late.pop()?.()) };
    expect(await publishTexts(store, "docs", ["new"], ports)).toMatchObject({ kind: "committed" });
    expect((await readPointer(store, "docs"))?.pointer.seq).toBe(2);
  });

  it("is a conflict when another writer's landed instead", async () => {
    const store = await storeWith(["old"]);
    store.swap = async () => {
      await commitBeside(store, ["theirs"], 50);
      throw new Error("connection lost");
    };
    expect(await publishTexts(store, "docs", ["ours"], testPorts(1))).toEqual({ kind: "conflict" });
    expect(await readTexts(store, "docs")).toEqual(["theirs"]);
  });

  it("is unknown when it fails for good, and the old version stays", async () => {
    const store = await storeWith(["old"]);
    const cause = new Error("down");
    store.swap = () => Promise.reject(cause);
    expect(await publishTexts(store, "docs", ["new"], testPorts(1))).toEqual({ kind: "unknown", cause });
    expect(await readTexts(store, "docs")).toEqual(["old"]);
  });
});

describe("a commit that cannot be looked at", () => {
  it.each(["landed", "did not land"])("is unknown when it %s, and nothing is deleted", async (which) => {
    const store = await storeWith(["old"]);
    const cause = new Error("connection lost");
    const { get } = store;
    store.swap = async (write) => {
      if (which === "landed") await write();
      store.get = () => Promise.reject(new Error("down"));
      throw cause;
    };
    expect(await publishTexts(store, "docs", ["new"], testPorts(1))).toEqual({ kind: "unknown", cause });
    store.get = get;
    expect(await readTexts(store, "docs")).toEqual([which === "landed" ? "new" : "old"]);
    const keys: string[] = [];
    for await (const { key } of store.list("")) keys.push(key);
    // Two blobs, two manifests, the pointer, the registry.
    expect(keys).toHaveLength(6);
  });
});

describe("a writer that slept through a rollback", () => {
  it("cannot commit with the etag it remembers, though the version is the same again", async () => {
    const store = await storeWith(["one"]);
    const slept = await readPointer(store, "docs");
    await publishTexts(store, "docs", ["two"], testPorts(1));
    await publishTexts(store, "docs", ["one"], testPorts(2));
    const now = await readPointer(store, "docs");
    expect(now?.pointer.manifest).toEqual(slept?.pointer.manifest);
    expect(now?.etag).not.toBe(slept?.etag);
    expect(now?.pointer.seq).toBe(3);

    expect(await publishTexts(store, "docs", ["zombie"], testPorts(3), slept)).toEqual({ kind: "conflict" });
    const raw = await store.putIfMatch(POINTER, serializePointer(slept!.pointer), slept!.etag);
    expect(raw).toEqual({ kind: "conflict" });
    expect(await readTexts(store, "docs")).toEqual(["one"]);
  });
});
