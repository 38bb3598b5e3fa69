import { beforeEach, describe, expect, it } from "vitest";
import { REGISTRY_KEY } from "../../../shared/format/names.ts";
import { parseRegistry, serializeRegistry } from "../../../shared/format/registry.ts";
import { serializeSealed } from "../../../shared/format/sealed.ts";
import { MemoryStore } from "../../../shared/store/memory.ts";
import { forget, readRegistry, register } from "../../../shared/versions/registry.ts";
import { FAULTS, FaultStore } from "../../helpers/fault-store.ts";
import { VersionsWorld } from "../../helpers/versions.ts";

let world: VersionsWorld;
beforeEach(() => {
  world = new VersionsWorld();
});

async function names(): Promise<readonly string[] | undefined> {
  return (await readRegistry(world.store))?.registry.indexes;
}

describe("registering an index", () => {
  it("enters it once, in order, and writes nothing where it is there", async () => {
    for (const name of ["news", "docs", "shop", "docs"]) await register(world.store, name, world.ports);
    expect(await names()).toEqual(["docs", "news", "shop"]);
    const watched = new FaultStore(world.store);
    await register(watched, "news", world.ports);
    expect(watched.log).toEqual([`get ${REGISTRY_KEY}`]);
  });

  it("loses none of ten that come at once", async () => {
    const all = Array.from({ length: 10 }, (_, at) => `index-${at}`);
    // The tries are few and all of them collide here, so whoever gives up comes again, as a run would.
    const enter = async (name: string): Promise<void> => {
      await register(world.store, name, world.ports).catch(() => enter(name));
    };
    await Promise.all(all.map(enter));
    expect(await names()).toEqual(all);
  });

  it.each(FAULTS.filter((fault) => fault.startsWith("fail")))(
    "survives any one operation that fails: %s",
    async (fault) => {
      await register(world.store, "docs", world.ports);
      // The read before is not repeated here: stores repeat reads themselves.
      const broken = new FaultStore(world.store, 1, fault);
      await register(broken, "news", world.ports);
      expect(await names()).toEqual(["docs", "news"]);
    },
  );

  it("gives up after a while, and says so", async () => {
    await register(world.store, "docs", world.ports);
    const stubborn = new FaultStore(world.store, ({ method }) =>
      method === "putIfMatch" ? { fault: "conflict" } : null,
    );
    await expect(register(stubborn, "news", world.ports)).rejects.toMatchObject({
      code: "store/unavailable",
    });
    expect(world.pauses).toEqual([1000, 2000, 4000, 8000]);
    expect(await names()).toEqual(["docs"]);
  });

  it("takes in the indexes of a store that is older than the registry", async () => {
    await world.publish(["a"], "old");
    await world.publish(["b"], "older");
    await world.store.delete(REGISTRY_KEY);
    await world.store.put("indexes/not-published/manifests/x.json", new Uint8Array(1));
    await register(world.store, "new", world.ports);
    expect(await names()).toEqual(["new", "old", "older"]);
  });

  it("refuses a registry of a newer format, a damaged one, and a name that no index can have", async () => {
    const newer = await serializeSealed({ format: 2, commit_id: "0".repeat(32), indexes: [] });
    await world.store.put(REGISTRY_KEY, newer);
    await expect(register(world.store, "docs", world.ports)).rejects.toMatchObject({
      code: "format/unsupported",
    });
    expect((await world.store.get(REGISTRY_KEY))?.body).toEqual(newer);
    await world.store.put(REGISTRY_KEY, new TextEncoder().encode("no registry"));
    await expect(register(world.store, "docs", world.ports)).rejects.toMatchObject({ code: "blob/corrupt" });
    await expect(register(world.store, "../docs", world.ports)).rejects.toMatchObject({
      code: "request/invalid",
    });
  });
});

describe("forgetting an index", () => {
  it("takes out a name that has no version, so that collections go on", async () => {
    await world.publish(["one"]);
    await register(world.store, "removed", world.ports);
    await expect(world.collect()).rejects.toMatchObject({
      code: "index/not-found",
      message: expect.stringContaining("lightedge gc --forget removed"),
    });
    await forget(world.store, "removed", world.ports);
    expect(await names()).toEqual(["docs"]);
    await expect(world.collect()).resolves.toMatchObject({ deleted: [] });
  });

  it("is refused for an index that has versions, and for a name that is not there", async () => {
    await world.publish(["one"]);
    await expect(forget(world.store, "docs", world.ports)).rejects.toMatchObject({ code: "usage/invalid" });
    await expect(forget(world.store, "nothing", world.ports)).rejects.toMatchObject({
      code: "index/not-found",
    });
    await expect(forget(new MemoryStore(), "docs", world.ports)).rejects.toMatchObject({
      code: "index/not-found",
    });
    expect(await names()).toEqual(["docs"]);
  });

  it("is done where only its answer is lost", async () => {
    await register(world.store, "removed", world.ports);
    const broken = new FaultStore(world.store, 2, "fail after");
    await forget(broken, "removed", world.ports);
    expect(broken.struck).toEqual([`2 putIfMatch ${REGISTRY_KEY}: fail after`]);
    expect(await names()).toEqual([]);
  });
});

describe("a registry", () => {
  it("differs in its bytes from every other with the same names", async () => {
    const first = new MemoryStore();
    const second = new MemoryStore();
    await register(first, "docs", world.ports);
    await register(second, "docs", world.ports);
    expect((await first.head(REGISTRY_KEY))?.etag).not.toBe((await second.head(REGISTRY_KEY))?.etag);
  });

  it("is refused with any bit flipped and with any end cut off", async () => {
    const bytes = await serializeRegistry({
      format: 1,
      commit_id: "0".repeat(32),
      indexes: ["docs", "news"],
    });
    expect((await parseRegistry(bytes)).indexes).toEqual(["docs", "news"]);
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      await expect(parseRegistry(flipped)).rejects.toMatchObject({
        code: expect.stringMatching(/corrupt|invalid/u),
      });
    }
    for (let length = 0; length < bytes.length; length++)
      await expect(parseRegistry(bytes.slice(0, length))).rejects.toMatchObject({
        code: expect.stringMatching(/corrupt|invalid/u),
      });
  });

  it("is refused where names are out of order, repeated, or none", async () => {
    for (const indexes of [["news", "docs"], ["docs", "docs"], ["Docs"], ["a/b"]])
      await expect(
        serializeRegistry({ format: 1, commit_id: "0".repeat(32), indexes }),
      ).rejects.toMatchObject({
        code: "format/invalid",
      });
  });
});
