/**
 * Question: sparse top 10 over 100,000 chunks on one core: how long does it take the engine, and how long
 * an accumulator that adds every posting of the query's terms and picks the ten greatest sums?
 *
 * Corpus: `corpus.ts`, the postings as the index has them. Queries: 300 real questions of the three collections with the
 * index's weights. The accumulator is measured twice: in TypeScript over typed arrays, and over the engine's own
 * kernels `addPostings` and `topInts`, which is what the engine did before it skipped. Ours goes on to
 * the ids, theirs end with numbers. All give the same sums, or this throws. MiniSearch and Orama, with `--full-text`,
 * do another thing over the same texts: BM25 over words, with no expansion; Orama over a tenth of them.
 */
import { readFile } from "node:fs/promises";
import { create, insertMultiple, search as oramaSearch } from "@orama/orama";
import MiniSearch from "minisearch";
import { nodePorts } from "../../indexer/engine-node.ts";
import { chooseDocuments } from "../../shared/engine/cut.ts";
import type { EncodedQuery } from "../../shared/engine/encoded-query.ts";
import type { SearchableShard } from "../../shared/engine/shard-contract.ts";
import { proposeInTurn } from "../../shared/engine/shards.ts";
import { idAt } from "../../shared/format/ids.ts";
import { loadEnvelope } from "../../shared/format/load.ts";
import { blobsOf } from "../../shared/format/manifest.ts";
import { readShard } from "../../shared/format/shard.ts";
import { documentsOf } from "../../shared/segment/segment.ts";
import { TOP } from "../peers/vector-index.ts";
import { against, quantile, type Result, round, timeEach } from "../result.ts";
import { kernelAccumulator, plainAccumulator, postingBlocks, postingsFor } from "./accumulator.ts";
import type { Line } from "./corpus.ts";
import { loadShards } from "./ours.ts";
import type { Scale } from "./prepare.ts";
import { encodeQueries, queryTexts } from "./queries.ts";
import { spread, timeRounds } from "./rounds.ts";

const QUERIES = 300;
const ROUNDS = 9;
const MEMORY = 1 << 30;
/** Documents that Orama gets: it takes more than six minutes to be given all. */
const ORAMA = 10_000;

/** Times of the engine, each against one of the others. */
export async function measureSparse(scale: Scale, fullText: boolean): Promise<readonly Result[]> {
  const texts = await queryTexts(QUERIES);
  const { table } = await encodeQueries(scale, texts);
  const queries = table.map(({ encoded }): EncodedQuery => ({ ...encoded, dense: null }));
  const { shards } = await loadShards(scale);
  const blocks = postingBlocks(await impactsOfAll(scale));
  const plain = plainAccumulator(blocks);
  const kernels = kernelAccumulator(blocks, (await nodePorts(scale.store)).kernels(MEMORY));
  for (const query of queries) {
    const own = sparseTop(shards, query).map(({ score }) => score);
    for (const accumulate of [plain, kernels]) {
      const other = accumulate(query.sparse, TOP).map(({ score }) => score);
      if (String(own) !== String(other))
        throw new Error(`The engine has the sums ${own}, an accumulator ${other}.`);
    }
  }
  const times = timeRounds(
    {
      ours: (query) => sparseTop(shards, query),
      kernels: (query) => kernels(query.sparse, TOP),
      plain: (query) => plain(query.sparse, TOP),
    },
    queries,
    ROUNDS,
  );
  const postings = queries.map(({ sparse }) => postingsFor(blocks, sparse));
  const note = `ours ${spread(times.ours)} ms; ${Math.round(quantile(postings, 0.5))} postings a query in the median`;
  const ours = { name: "scale.sparse", value: round(times.ours.median), unit: "ms" };
  const beside = (name: "kernels" | "plain", peer: string): Result => ({
    ...against({ ...ours, name: `${ours.name}.${name}` }, peer, times[name].median, "less"),
    note: `${note}; theirs ${spread(times[name])} ms`,
  });
  return [
    beside("kernels", "accumulator in WASM"),
    beside("plain", "accumulator in TypeScript"),
    ...(fullText ? await fullTextPeers(scale, texts, ours) : []),
  ];
}

/** The ten greatest sums over all shards with their ids, best first. */
function sparseTop(shards: readonly SearchableShard[], query: EncodedQuery) {
  const pool = { dense: 0, sparse: TOP };
  const proposed = proposeInTurn(shards, query, pool);
  const chosen = chooseDocuments(proposed, pool);
  const found = shards.flatMap((shard, at) => {
    if (chosen[at]!.length === 0) return [];
    const scored = shard.score(query, chosen[at]!);
    return Array.from(scored.sparse, (score, i) => ({ id: idAt(scored, i), score }));
  });
  return found.sort((a, b) => b.score - a.score).slice(0, TOP);
}

/** Stored impacts of every document, in the order of the index. */
async function impactsOfAll({ store, manifest }: Scale) {
  const impacts = [];
  for (const blob of blobsOf(manifest, "shard"))
    impacts.push(
      ...documentsOf(readShard(await loadEnvelope(store, blob))).map((document) => document.impacts),
    );
  return impacts;
}

async function fullTextPeers(
  { corpus, progress }: Scale,
  texts: readonly string[],
  ours: Result,
): Promise<readonly Result[]> {
  const documents = (await readFile(corpus, "utf8"))
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);
  const stage = progress.stage("full-text peers", 2);
  const mini = new MiniSearch<Line>({ fields: ["title", "text"] });
  mini.addAll(documents);
  const miniTimes = await timeEach(texts, 20, (q) => mini.search(q).slice(0, TOP));
  stage.advance(1);
  const orama = create({ schema: { id: "string", title: "string", text: "string" } as const });
  await insertMultiple(orama, documents.slice(0, ORAMA));
  const oramaTimes = await timeEach(texts, 20, (term) =>
    oramaSearch(orama, { term, limit: TOP, properties: ["title", "text"] }),
  );
  stage.done("");
  return [
    against({ ...ours, name: `${ours.name}.minisearch` }, "MiniSearch", quantile(miniTimes, 0.5), "less"),
    {
      ...against({ ...ours, name: `${ours.name}.orama` }, "Orama", quantile(oramaTimes, 0.5), "less"),
      note: `Orama has ${ORAMA} documents, ours all`,
    },
  ];
}
