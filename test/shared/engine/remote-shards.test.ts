/** Shards elsewhere that fail between the two rounds: what is answered is the answer of an index without them. */
import { beforeAll, describe, expect, it } from "vitest";
import { plainAnswer } from "../../../bench/soak/plain.ts";
import { drawSearches } from "../../../bench/soak/questions.ts";
import { type StoredVersion, StoredVersions } from "../../../bench/soak/stored.ts";
import { Random } from "../../../indexer/random.ts";
import type { OpenIndex } from "../../../shared/engine/api.ts";
import { openIndex } from "../../../shared/engine/open.ts";
import type { ShardPort } from "../../../shared/engine/wire.ts";
import { LightedgeError } from "../../../shared/errors.ts";
import { blobsOf, residentBytesOf } from "../../../shared/format/manifest.ts";
import { loadTokenizer } from "../../../shared/tokenizer/load.ts";
import { readPointer } from "../../../shared/versions/current.ts";
import { PortToShards } from "../../helpers/port-to-shards.ts";
import { buildTiny, TINY, tinyPorts } from "../../helpers/tiny-build.ts";
import { sourceOf, tinyDocuments } from "../../helpers/tiny-corpus.ts";
import { TINY_TOKENIZER } from "../../helpers/tiny-encoder.ts";

const tokenizer = loadTokenizer(TINY_TOKENIZER);
const searches = drawSearches(new Random(1), 40);
/** Ordinals of shards that fail from their nth call for scores on, counted from 0. */
const failing = new Map<number, number>();
/** Those that fail when they are asked for evidence, the first of them the first time. */
let mute: number[] = [];
/** Milliseconds that each call was given. */
let patience: number[] = [];
let stored: StoredVersion;
let index: OpenIndex;

beforeAll(async () => {
  // More than a pool holds, or nothing would be cut.
  const { store, manifest } = await buildTiny({ source: sourceOf(tinyDocuments(900)), shardChunks: 420 });
  expect(blobsOf(manifest, "shard").length).toBeGreaterThan(3);
  const { pointer } = (await readPointer(store, TINY))!;
  stored = await new StoredVersions(store).read(pointer);
  const shards = new PortToShards(new Map([["test", store]]));
  const scores = new Map<number, number>();
  const port: ShardPort = {
    ask(name, address, request, patienceMs) {
      patience.push(patienceMs);
      if (name === "evidence" && mute[0] === address.ordinal) {
        mute.shift();
        throw new LightedgeError("shard/unavailable", "It is gone.");
      }
      const from = failing.get(address.ordinal);
      if (name === "propose") scores.set(address.ordinal, 0);
      if (name === "score" && from !== undefined) {
        const asked = scores.get(address.ordinal)!;
        scores.set(address.ordinal, asked + 1);
        if (asked >= from) throw new LightedgeError("shard/unavailable", "It is gone.");
      }
      return shards.ask(name, address, request);
    },
  };
  const ports = { ...(await tinyPorts(store)), shards: port };
  index = await openIndex(ports, TINY, { budgetBytes: residentBytesOf(manifest) - 1 });
  expect(index.placement).toBe("objects");
});

async function expectWithout(missing: readonly number[]): Promise<void> {
  for (const search of searches) {
    const found = await index.search({ ...search, explain: false, typos: false });
    const wanted = plainAnswer(stored, { ...search, ids: tokenizer.ids(search.q) }, new Set(missing));
    expect(found.missing_shards ?? []).toEqual(missing);
    expect(found.partial).toBe(missing.length > 0);
    expect(found.total).toBe(wanted.total);
    expect(found.hits.map(({ id, score }) => [id, score])).toEqual(
      wanted.hits.map(({ id, score }) => [id, score]),
    );
  }
}

describe("shards that fail after they have proposed", () => {
  it("are left out, and the others are ranked as an index without them would be", async () => {
    await expectWithout([]);
    failing.set(1, 0);
    await expectWithout([1]);
  });

  it("are left out one after the other", async () => {
    failing.set(1, 0).set(2, 1);
    await expectWithout([1, 2]);
  });

  it("fail the search where none is left", async () => {
    for (let shard = 0; shard < stored.shards.length; shard++) failing.set(shard, 0);
    const search = index.search({ ...searches[0]!, explain: false, typos: false });
    await expect(search).rejects.toMatchObject({ code: "shard/unavailable" });
    failing.clear();
  });
});

describe("shards that fail when an answer is to be explained", () => {
  it("are left out of it, as if they had failed before, one or one after the other", async () => {
    const answer = async (search: (typeof searches)[number]) => {
      const { took_ms: _, ...found } = await index.search({ ...search, explain: true, typos: false });
      return found;
    };
    const told = new Map<number, number>();
    for (const search of searches) {
      for (const silent of [[1], [2], [1, 2]]) {
        mute = [...silent];
        const found = await answer(search);
        // A shard that no hit is of is not asked, and not missed.
        const gone = silent.slice(0, silent.length - mute.length);
        mute = [];
        for (const shard of gone) failing.set(shard, 0);
        expect(found).toEqual(await answer(search));
        expect(found.missing_shards ?? []).toEqual(gone);
        failing.clear();
        told.set(gone.length, (told.get(gone.length) ?? 0) + 1);
      }
    }
    expect(Math.min(told.get(0)!, told.get(1)!, told.get(2)!)).toBeGreaterThan(0);
  });

  it("fail the search where none is left", async () => {
    mute = Array.from({ length: stored.shards.length * 2 }, (_, at) => at % stored.shards.length);
    for (let shard = 1; shard < stored.shards.length; shard++) failing.set(shard, 0);
    const search = index.search({ ...searches[0]!, mode: "hybrid", explain: true, typos: false });
    await expect(search).rejects.toMatchObject({ code: "shard/unavailable" });
    failing.clear();
    mute = [];
  });
});

describe("the time that shards have", () => {
  it("is what the search is given, less what has passed", async () => {
    patience = [];
    await index.search({ ...searches[0]!, explain: true, typos: false }, 700);
    await index.document("nobody", 300);
    const most = Math.max(...patience);
    expect([most <= 700, most > 300, Math.min(...patience) <= 300]).toEqual([true, true, true]);
    patience = [];
    await index.search({ ...searches[0]!, explain: false });
    expect(Math.max(...patience)).toBeGreaterThan(5000);
  });
});
