import { beforeAll, describe, expect, it } from "vitest";
import { type DecodedTable, decodeTable, sumOfRows } from "../../../indexer/compress/decode-table.ts";
import type { OpenIndex } from "../../../shared/engine/api.ts";
import { idAt } from "../../../shared/format/ids.ts";
import { loadEnvelope } from "../../../shared/format/load.ts";
import { blobsOf } from "../../../shared/format/manifest.ts";
import { readShard, type ShardFile } from "../../../shared/format/shard.ts";
import { readTable, type TableFile } from "../../../shared/format/table.ts";
import { loadTokenizer } from "../../../shared/tokenizer/load.ts";
import { buildTiny, openTiny, requestFor } from "../../helpers/tiny-build.ts";
import { sourceOf, tinyDocuments } from "../../helpers/tiny-corpus.ts";
import { TINY_TOKENIZER } from "../../helpers/tiny-encoder.ts";

/** What rounding the query to 12 bits may move a share by: the rest that is spread over the words. */
const ROUNDING = 5e-4;

const QUERIES = [
  "river",
  "the river boat",
  "comet orbit xq telescope",
  "king song king",
  "rivers and a harbour?",
  "北京 café nurse",
];
const tokenizer = loadTokenizer(TINY_TOKENIZER);
let index: OpenIndex;
let table: TableFile;
let decoded: DecodedTable;
let shards: readonly ShardFile[];

beforeAll(async () => {
  const { store, manifest } = await buildTiny({
    source: sourceOf(tinyDocuments(120)),
    shardChunks: 100,
  });
  index = await openTiny(store, "wasm");
  table = readTable(await loadEnvelope(store, blobsOf(manifest, "table")[0]!));
  decoded = decodeTable(table);
  shards = await Promise.all(
    blobsOf(manifest, "shard").map(async (blob) => readShard(await loadEnvelope(store, blob))),
  );
});

/** The vectors of a document's chunks at this place of its text, in real units. */
function vectorsOf(id: string, start: number, end: number): readonly number[][] {
  const vectors: number[][] = [];
  for (const shard of shards) {
    const { documents, padded } = shard.meta;
    for (let document = 0; document < documents; document++) {
      if (idAt(shard, document) !== id) continue;
      for (let chunk = shard.owners[document]!; chunk < shard.owners[document + 1]!; chunk++) {
        if (shard.passages[2 * chunk] !== start || shard.passages[2 * chunk + 1] !== end) continue;
        const stored = shard.vectors.slice(chunk * padded, (chunk + 1) * padded);
        vectors.push(Array.from(stored, (value) => value * shard.scales[chunk]!));
      }
    }
  }
  return vectors;
}

/** Sum of the rows of a word's own tokens, with half of each pair that it makes with a neighbour. */
function sumOfWord(ids: readonly number[], first: number, last: number): readonly number[] {
  const { dimension, phrases } = decoded;
  const sum = Array.from(sumOfRows(decoded, ids.slice(first, last)));
  for (const at of [first, last]) {
    const pair = at === 0 || at >= ids.length ? -1 : phrases.find(ids[at - 1]!, ids[at]!);
    if (pair < 0) continue;
    const row = decoded.pairRow(pair);
    for (let j = 0; j < dimension; j++) sum[j]! += row[j]! / 2;
  }
  return sum;
}

describe("the dense share of a word", () => {
  // The remainder is spread so that shares add up to the score whatever they are: each is looked at alone.
  it("is the product of its own rows with the passage that was found", async () => {
    let compared = 0;
    for (const q of QUERIES) {
      const tokens = tokenizer.tokens(q);
      const ids = tokens.map(({ id }) => id);
      const norm = Math.hypot(...sumOfRows(decoded, ids));
      const { hits } = await index.search(
        requestFor(q, { mode: "dense", limit: 40, explain: true, typos: false }),
      );
      expect(hits.length).toBe(40);
      for (const hit of hits) {
        const { start, end } = hit.passage;
        const [vector, ...others] = vectorsOf(hit.id, start, end);
        expect(others).toEqual([]);
        for (const share of hit.explain!.words) {
          const first = tokens.findIndex(({ start }) => start >= share.start);
          const last = tokens.findLastIndex(({ end }) => end <= share.end) + 1;
          const wanted = sumOfWord(ids, first, last).reduce((dot, value, j) => dot + value * vector![j]!, 0);
          expect(Math.abs(share.dense - wanted / norm)).toBeLessThan(ROUNDING);
          compared++;
        }
      }
    }
    expect(compared).toBeGreaterThan(500);
  });
});
