/** An index with clusters against itself: divided, on other kernels, added to; and against the same without clusters. */
import { beforeAll, describe, expect, it } from "vitest";
import type { BuildOptions } from "../../indexer/build.ts";
import { checkIndex } from "../../indexer/check.ts";
import { clusterCount } from "../../indexer/fit/clusters.ts";
import type { OpenIndex } from "../../shared/engine/api.ts";
import { readClusters } from "../../shared/format/clusters.ts";
import { loadEnvelope } from "../../shared/format/load.ts";
import { blobsOf, type Manifest, residentBytesOf } from "../../shared/format/manifest.ts";
import { readShard } from "../../shared/format/shard.ts";
import type { ReadStore } from "../../shared/store/store.ts";
import { buildTiny, openTiny, requestFor, TINY } from "../helpers/tiny-build.ts";
import { documentOf, sourceOf, tinyDocuments } from "../helpers/tiny-corpus.ts";
import { TOPICS } from "../helpers/tiny-encoder.ts";

const documents = tinyDocuments(320);
const QUERIES = [
  "the comet and the queen",
  "bread and wine",
  "nurse doctor fever",
  "king treaty song",
  "harbour",
];
const WITH_CLUSTERS = { clustersFrom: 100 };
/** Chunks of a shard that make 2, 5 and 16 of them. */
const DIVISIONS = [340, 140, 43] as const;

const build = (options: Partial<BuildOptions> = {}) =>
  buildTiny({ source: sourceOf(documents), ...WITH_CLUSTERS, ...options });

async function clustersOf(store: ReadStore, manifest: Manifest) {
  return readClusters(await loadEnvelope(store, blobsOf(manifest, "clusters")[0]!));
}

/** Pages of every query, near and far; without the version's name. */
async function answersOf(index: OpenIndex) {
  const answers = [];
  for (const q of [...QUERIES, ...TOPICS.slice(0, 4).map((words) => words.slice(0, 3).join(" "))]) {
    for (const mode of ["dense", "hybrid"] as const) {
      for (const offset of [0, 190, 250]) {
        const { hits, total } = await index.search(requestFor(q, { mode, offset, explain: true }));
        answers.push({ hits, total });
      }
    }
  }
  return answers;
}

describe("an index with clusters", () => {
  let whole: Awaited<ReturnType<typeof build>>;
  let answers: Awaited<ReturnType<typeof answersOf>>;
  beforeAll(async () => {
    whole = await build();
    answers = await answersOf(await openTiny(whole.store, "wasm"));
  });

  it("has as many as its size asks for, and says how many a query looks into and what that is worth", async () => {
    const { store, manifest } = whole;
    const { meta } = await clustersOf(store, manifest);
    expect(meta.clusters).toBe(clusterCount(manifest.counts.chunks, 4096));
    expect(meta.probes).toBeGreaterThan(0);
    expect(meta.queries).toBeGreaterThanOrEqual(50);
    expect(meta.recall).toBeGreaterThanOrEqual(0.99);
    expect((await checkIndex(store, TINY)).problems).toEqual([]);
    const [clusters] = blobsOf(manifest, "clusters");
    const others = manifest.blobs.filter(({ role }) => role !== "clusters");
    expect(residentBytesOf(manifest)).toBe(residentBytesOf({ blobs: others }) + clusters!.bytes);
  });

  it("is the same bytes when it is made again", async () => {
    expect(blobsOf((await build()).manifest, "clusters")).toEqual(blobsOf(whole.manifest, "clusters"));
  });

  it("gives the same bits from 1, 2, 5 and 16 shards and from the scalar kernels", async () => {
    for (const shardChunks of DIVISIONS) {
      const { store, manifest } = await build({ shardChunks });
      expect(blobsOf(manifest, "clusters")).toEqual(blobsOf(whole.manifest, "clusters"));
      expect(await answersOf(await openTiny(store, "wasm"))).toEqual(answers);
    }
    expect(await answersOf(await openTiny(whole.store, "reference"))).toEqual(answers);
  });

  it("finds nearly what the same index finds without clusters, with the same scores", async () => {
    const plain = await openTiny((await buildTiny({ source: sourceOf(documents) })).store, "wasm");
    const index = await openTiny(whole.store, "wasm");
    let found = 0;
    for (const q of QUERIES) {
      const request = requestFor(q, { mode: "dense" });
      const wanted = new Map((await plain.search(request)).hits.map(({ id, dense }) => [id, dense]));
      for (const { id, dense } of (await index.search(request)).hits) {
        if (!wanted.has(id)) continue;
        expect(dense).toBe(wanted.get(id));
        found++;
      }
    }
    expect(found).toBeGreaterThanOrEqual(0.9 * 10 * QUERIES.length);
  });

  it("keeps its clusters when it is added to, and puts what is new and what is merged into them", async () => {
    const { store } = await build({ shardChunks: 140 });
    const more = [
      ...documents.slice(40),
      documentOf("zz", { text: "The comet passed the moon and the harbour." }),
    ];
    const options = { ...WITH_CLUSTERS, store, shardChunks: 140, refitDrift: Number.POSITIVE_INFINITY };
    const { manifest, plan } = await buildTiny({ ...options, source: sourceOf(more), allowShrink: true });
    expect(plan.kind).toBe("some");
    expect(blobsOf(manifest, "clusters")).toEqual(blobsOf(whole.manifest, "clusters"));
    const [clusters] = blobsOf(manifest, "clusters");
    for (const blob of blobsOf(manifest, "shard")) {
      const { meta } = readShard(await loadEnvelope(store, blob));
      expect(meta.clusters?.sha256).toBe(clusters!.sha256);
    }
    expect((await checkIndex(store, TINY)).problems).toEqual([]);
    const added = await answersOf(await openTiny(store, "wasm"));
    const anew = await buildTiny({ ...options, source: sourceOf(more), rebuild: "documents" });
    expect(anew.plan.kind).toBe("documents");
    expect(await answersOf(await openTiny(store, "wasm"))).toEqual(added);
  });

  it("looks at all chunks where there are too few for clusters", async () => {
    const { manifest, store } = await buildTiny({ source: sourceOf(documents) });
    expect(blobsOf(manifest, "clusters")).toEqual([]);
    for (const blob of blobsOf(manifest, "shard"))
      expect(readShard(await loadEnvelope(store, blob)).order).toBeUndefined();
  });
});
