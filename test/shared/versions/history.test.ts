import { beforeEach, describe, expect, it } from "vitest";
import { Random } from "../../../indexer/random.ts";
import { serializeManifest } from "../../../shared/format/manifest.ts";
import { manifestKey } from "../../../shared/format/names.ts";
import { sha256 } from "../../../shared/hash.ts";
import type { ReadStore } from "../../../shared/store/store.ts";
import { readExisting } from "../../../shared/versions/current.ts";
import { history, type Link } from "../../../shared/versions/history.ts";
import { breakByChance } from "../../helpers/fault-plan.ts";
import { FaultStore } from "../../helpers/fault-store.ts";
import { textsOf, VersionsWorld } from "../../helpers/versions.ts";

let world: VersionsWorld;
beforeEach(async () => {
  world = new VersionsWorld();
  for (const text of ["one", "two", "three"]) await world.pass(1000).publish([text]);
});

async function linksOf(store: ReadStore = world.store, index = "docs"): Promise<Link[]> {
  const links: Link[] = [];
  for await (const link of history(store, index)) links.push(link);
  return links;
}

describe("the history of an index", () => {
  it("leads from the current version to the first, with what each says and when it was written", async () => {
    const links = await linksOf();
    expect(links.map(({ kind, seq }) => [kind, seq])).toEqual([
      ["version", 3],
      ["version", 2],
      ["version", 1],
    ]);
    const texts = [];
    for (const [at, link] of links.entries()) {
      if (link.kind !== "version") throw new Error("not a version");
      texts.push(...(await textsOf(world.store, link.manifest)));
      expect(link.version).toBe(`${link.seq}-${link.sha256.slice(0, 8)}`);
      expect(link.modified).toBe(world.now - at * 1000);
      expect(link.reference).toEqual({
        key: link.key,
        sha256: link.sha256,
        bytes: (await world.store.head(link.key))?.bytes,
      });
    }
    expect(texts).toEqual(["three", "two", "one"]);
  });

  it("is empty where there is no pointer", async () => {
    expect(await linksOf(world.store, "nothing")).toEqual([]);
  });

  it("reads a manifest only when it is asked for the link", async () => {
    const watched = new FaultStore(world.store);
    for await (const link of history(watched, "docs")) if (link.seq === 3) break;
    expect(watched.log).toHaveLength(2);
  });

  it("begins where it is told to", async () => {
    const then = await readExisting(world.store, "docs");
    await world.publish(["four"]);
    const links: number[] = [];
    for await (const { seq } of history(world.store, "docs", then)) links.push(seq);
    expect(links).toEqual([3, 2, 1]);
  });

  it("says that a manifest is missing, and ends there", async () => {
    const [, second] = await linksOf();
    await world.store.delete(second!.key);
    const links = await linksOf();
    expect(links.map(({ kind, seq }) => [kind, seq])).toEqual([
      ["version", 3],
      ["missing", 2],
    ]);
    expect(links[1]).toMatchObject({ key: second!.key, version: second!.version });
  });

  it("says that a manifest is damaged, and ends there, whichever bit it is", async () => {
    const [first] = await linksOf();
    const whole = (await world.store.get(first!.key))!.body;
    for (let at = 0; at < whole.length; at += 97) {
      const body = whole.slice();
      body[at]! ^= 1 << (at % 8);
      await world.store.put(first!.key, body);
      const links = await linksOf();
      expect(links.map(({ kind }) => kind)).toEqual(["damaged"]);
      expect(links[0]).toMatchObject({ reason: { code: "blob/corrupt" } });
    }
  });

  it("believes neither one wrong answer nor one that is no answer", async () => {
    const faults = [{ fault: "flip", chance: 1, keys: /manifests/ }] as const;
    const always = new FaultStore(world.store, breakByChance(new Random(1), faults));
    expect((await linksOf(always))[0]!.kind).toBe("damaged");
    for (const fault of ["flip", "missing"] as const) {
      const plan = ({ number }: { readonly number: number }) => (number === 1 ? { fault, amount: 5 } : null);
      const store = new FaultStore(world.store, plan);
      expect((await linksOf(store)).map(({ kind }) => kind)).toEqual(["version", "version", "version"]);
    }
  });

  it("calls what is newer, or of another index, damaged, with the reason", async () => {
    const { pointer } = await readExisting(world.store, "docs");
    const { manifest } = (await linksOf())[0] as Extract<Link, { kind: "version" }>;
    const wrong = [
      ["format/unsupported", { ...manifest, format: 2 }],
      ["format/unsupported", { ...manifest, later: true }],
      ["format/invalid", { ...manifest, index: "other" }],
      ["format/invalid", { ...manifest, parent: null }],
    ] as const;
    for (const [code, value] of wrong) {
      const body = serializeManifest(value as typeof manifest);
      const digest = await sha256(body);
      const key = manifestKey("docs", digest);
      await world.store.put(key, body);
      const from = {
        pointer: { ...pointer, manifest: { key, sha256: digest, bytes: body.length } },
        etag: "",
      };
      const links: Link[] = [];
      for await (const link of history(world.store, "docs", from)) links.push(link);
      expect(links).toMatchObject([{ kind: "damaged", seq: 3, reason: { code } }]);
    }
  });

  it("refuses a first version that names a parent", async () => {
    const stored = await readExisting(world.store, "docs");
    const links: Link[] = [];
    const from = { ...stored, pointer: { ...stored.pointer, seq: 1 } };
    for await (const link of history(world.store, "docs", from)) links.push(link);
    expect(links).toMatchObject([{ kind: "damaged", seq: 1, reason: { code: "format/invalid" } }]);
  });

  it("passes on that the store does not answer", async () => {
    const broken = new FaultStore(world.store, 2, "fail before");
    await expect(linksOf(broken)).rejects.toMatchObject({ code: "store/unavailable" });
  });
});
