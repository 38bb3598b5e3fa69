import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SILENT } from "../../../indexer/progress.ts";
import { fillReplicas, followHome, openReplicas } from "../../../indexer/serve/replicas.ts";
import { regionsOf } from "../../../shared/regions/region.ts";
import type { MemoryStore } from "../../../shared/store/memory.ts";
import { MemoryStore as Memory } from "../../../shared/store/memory.ts";
import type { ReadStore } from "../../../shared/store/store.ts";
import { readPointer } from "../../../shared/versions/current.ts";
import { openTiny, requestFor, TINY } from "../../helpers/tiny-build.ts";
import { tinyDocuments } from "../../helpers/tiny-corpus.ts";
import { indexTiny } from "../../sim/tiny.ts";

const REGIONS = regionsOf(["weur", "enam", "apac"], "regions");
let folder: string;
let store: MemoryStore;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lightedge-replicas-"));
  store = new Memory();
  await indexTiny(store, tinyDocuments(20));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const manifest = async (from: ReadStore) => (await readPointer(from, TINY))?.pointer.manifest.sha256;

/** Follows home for some looks; before each one `before` is called with its number. */
async function follow(
  looks: number,
  before: (look: number) => Promise<unknown>,
  ports: Partial<Parameters<typeof followHome>[2]> = {},
): Promise<void> {
  let look = 0;
  await followHome(openReplicas(REGIONS, store, folder), () => look > looks, {
    indexes: async () => [TINY],
    reachable: () => true,
    pause: async () => void (await before(look++)),
    progress: SILENT,
    ...ports,
  });
}

describe("replicas", () => {
  it("answer as home does, each from a folder of its own", async () => {
    const replicas = openReplicas(REGIONS, store, folder);
    await fillReplicas(replicas, [TINY], SILENT);
    const asked = requestFor("the river boat");
    const home = await (await openTiny(store)).search(asked);
    expect(replicas.others.map(({ region }) => region.name)).toEqual(["enam", "apac"]);
    for (const { store: copy } of replicas.others)
      expect((await (await openTiny(copy)).search(asked)).hits).toEqual(home.hits);
    expect(replicas.home.store).toBe(store);
  });

  it("are filled again without harm", async () => {
    const replicas = openReplicas(REGIONS, store, folder);
    await fillReplicas(replicas, [TINY], SILENT);
    await fillReplicas(replicas, [TINY], SILENT);
    expect(await manifest(replicas.others[0]!.store)).toBe(await manifest(store));
  });

  it("of another store are refused, with what to do", async () => {
    const other = new Memory();
    for (const documents of [30, 31, 32]) await indexTiny(other, tinyDocuments(documents));
    await fillReplicas(openReplicas(REGIONS, other, folder), [TINY], SILENT);
    await expect(fillReplicas(openReplicas(REGIONS, store, folder), [TINY], SILENT)).rejects.toMatchObject({
      code: "store/conflict",
      message: expect.stringMatching(
        /^The copy for enam was not made: .*\/enam is a copy of another store, delete it\.$/su,
      ),
    });
  });

  it("get each new version of home", async () => {
    const { others } = openReplicas(REGIONS, store, folder);
    await follow(2, async (look) => look === 1 && indexTiny(store, tinyDocuments(25)));
    for (const { store: copy } of others) expect(await manifest(copy)).toBe(await manifest(store));
  });

  it("get none while they are cut, and the newest when they are healed", async () => {
    const { others } = openReplicas(REGIONS, store, folder);
    const [enam, apac] = others;
    let reachable = (region: string) => region !== "enam";
    await follow(
      2,
      async (look) => {
        if (look !== 1) return;
        expect(await manifest(apac!.store)).toBe(await manifest(store));
        expect(await manifest(enam!.store)).toBeUndefined();
        reachable = () => true;
      },
      { reachable: (region) => reachable(region) },
    );
    expect(await manifest(enam!.store)).toBe(await manifest(store));
  });

  it("are followed on where a look failed", async () => {
    const warned: string[] = [];
    const [copy] = openReplicas(REGIONS, store, folder).others;
    let fails = true;
    await follow(2, async (look) => (fails = look === 0), {
      indexes: async () => {
        if (fails) throw new Error("down");
        return [TINY];
      },
      progress: { ...SILENT, warn: (message) => warned.push(message) },
    });
    expect(warned).toEqual([expect.stringContaining("Replicas were not brought forward")]);
    expect(await manifest(copy!.store)).toBe(await manifest(store));
  });
});
