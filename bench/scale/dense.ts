/**
 * Question: dense top 10 of 100,000 real vectors of 384 numbers on one core: how long does the engine take
 * at a recall of 0.99, against hnswlib and usearch at no less? How long does each take to build, and
 * how much memory does each hold?
 *
 * Corpus: `corpus.ts`. All have the same float32 vectors, as the index has them before it compresses
 * them, and recall is against brute force over those. Queries: 300 real questions of the three collections, their
 * vectors by the index's table, as a search makes them, and by the full encoder, each measured apart.
 * All go from a float vector to ten ids or row numbers; hnswlib and usearch with M 16, efConstruction 200, one
 * thread. Each gets the least effort of a list that reaches the recall; ours keeps the number of clusters that the
 * index was built with unless that misses it. Timed turn by turn: a value is the mean of each query's median over
 * the rounds. Build: from float vectors to a searchable index; ours trains and measures its clusters and writes
 * the shards' files. Memory: ours as counted, theirs by what the process has more afterwards.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { NEAR_POOL } from "../../shared/engine/shard-contract.ts";
import { hnswlib } from "../peers/hnswlib.ts";
import { usearch } from "../peers/usearch.ts";
import { type PeerIndex, TOP } from "../peers/vector-index.ts";
import { against, quantile, type Result, round } from "../result.ts";
import { exactTop, recallOf } from "./exact.ts";
import { makeShardFiles } from "./make-shard-files.ts";
import { type DenseEffort, denseTop, loadShards, type OwnShards } from "./ours.ts";
import { type Scale, type ScaleVectors, scaleVectors } from "./prepare.ts";
import { encodeQueries, type QueryEncoding, type QueryForms, queryTexts } from "./queries.ts";
import { spread, type Timing, timeRounds } from "./rounds.ts";

const QUERIES = 300;
/** Queries that the number of clusters is chosen on, as many as the indexer takes. */
const HELD_OUT = 400;
const ROUNDS = 7;
const RECALL = 0.99;
/** Documents rescored, and widths of a search in a graph, of which the least that reaches the recall is taken. */
const POOLS = [40, 60, 80, 100, 150, 200, 250, 300, 400];
const EFFORTS = [40, 60, 80, 100, 120, 140, 160, 180, 200, 250, 300, 400, 500, 700, 1000];
/** Times the clusters that the index looks into, tried where its own miss the recall. */
const MORE_PROBES = [1, 1.25, 1.5, 2, 3];

/** Times, recalls, build times and memory of all three. */
export async function measureDense(scale: Scale, peers: string | undefined): Promise<readonly Result[]> {
  const note = (message: string) => scale.progress.warn(message);
  const base = await scaleVectors(scale);
  const own = await loadShards(scale);
  const rows = new Map(base.ids.map((id, row) => [id, row]));
  const forms = await encodeQueries(scale, await queryTexts(QUERIES));
  const built = [hnswlib(peers, note), usearch(peers, note)].flatMap((peer) =>
    peer === null ? [] : [{ peer, ...buildPeer(peer, base) }],
  );
  const results: Result[] = [];
  for (const encoding of ["table", "encoder"] as const) {
    const queries = forms[encoding].filter(({ encoded }) => encoded.dense !== null);
    results.push(...compare(encoding, queries, base, own, rows, built));
  }
  results.push(...(await buildTimes(scale, base, built)));
  results.push(...memoryOf(base.ids.length, own, built));
  return results;
}

interface BuiltPeer {
  readonly peer: PeerIndex;
  readonly milliseconds: number;
  readonly bytes: number;
}

/** What a contender needs to reach the recall. */
interface Tuned<Effort> {
  readonly effort: Effort;
  readonly recall: number;
}

function compare(
  encoding: QueryEncoding,
  queries: readonly QueryForms[],
  { vectors, dimension }: ScaleVectors,
  own: OwnShards,
  rows: ReadonlyMap<string, number>,
  built: readonly BuiltPeer[],
): readonly Result[] {
  const truth = queries.map(({ vector }) => exactTop(vectors, dimension, vector, TOP));
  const least = <Effort>(
    list: readonly Effort[],
    find: (effort: Effort) => readonly (readonly number[])[],
  ): Tuned<Effort> => {
    let tried: Tuned<Effort> | undefined;
    for (const effort of list) {
      tried = { effort, recall: recallOf(truth, find(effort)) };
      if (tried.recall >= RECALL) break;
    }
    return tried!;
  };
  const search = (at: number, effort: DenseEffort) => denseTop(own, queries[at]!.vector, effort, TOP);
  const tuned = least(effortsOf(own), (effort) =>
    queries.map((_, at) => search(at, effort).map((id) => rows.get(id)!)),
  );
  const served = { probes: own.clusters?.meta.probes ?? 0, pool: NEAR_POOL.dense };
  const asServed = queries.map((_, at) => search(at, served).map((id) => rows.get(id)!));
  const recall: Result = {
    name: `scale.recall.${encoding}`,
    value: round(recallOf(truth, asServed)),
    unit: "",
    note: `as it is served: ${served.probes} clusters, ${served.pool} rescored`,
  };
  const contenders: Record<string, (at: number) => unknown> = { ours: (at) => search(at, tuned.effort) };
  const said: Record<string, string> = {
    ours: `recall ${round(tuned.recall)}, ${tuned.effort.probes} clusters, ${tuned.effort.pool} rescored`,
  };
  for (const { peer } of built) {
    const prepared = queries.map(({ vector }) => peer.prepare(vector));
    const { effort, recall } = least(EFFORTS, (value) => {
      peer.effort(value);
      return prepared.map((query) => Array.from(peer.search(query), Number));
    });
    said[peer.name] = `recall ${round(recall)}, ef ${effort}`;
    contenders[peer.name] = (at) => peer.search(prepared[at]!);
  }
  const times: Readonly<Record<string, Timing>> = timeRounds(contenders, Array.from(queries.keys()), ROUNDS);
  const words = (who: string) => `${who}: ${said[who]}, ${spread(times[who]!)} ms`;
  const ours = { name: `scale.dense.${encoding}`, value: round(times.ours!.median), unit: "ms" };
  if (built.length === 0) return [{ ...ours, note: words("ours") }, recall];
  const beside = built.map(({ peer }) => ({
    ...against({ ...ours, name: `${ours.name}.${peer.name}` }, peer.name, times[peer.name]!.median, "less"),
    note: `${words("ours")}; ${words(peer.name)}`,
  }));
  return [...beside, recall];
}

/** The index's own clusters with ever more rescored, then more clusters. */
function effortsOf({ clusters }: OwnShards): readonly DenseEffort[] {
  if (clusters === null) return POOLS.map((pool) => ({ probes: 0, pool }));
  const { probes, clusters: most } = clusters.meta;
  return MORE_PROBES.flatMap((times) =>
    POOLS.map((pool) => ({ probes: Math.min(most, Math.round(times * probes)), pool })),
  );
}

/** Builds a peer's index; what it holds is what the process has more afterwards. */
function buildPeer(peer: PeerIndex, { vectors, dimension }: ScaleVectors): Omit<BuiltPeer, "peer"> {
  const before = settledBytes();
  const started = performance.now();
  peer.build(vectors, dimension);
  const milliseconds = performance.now() - started;
  return { milliseconds, bytes: settledBytes() - before };
}

async function buildTimes(
  scale: Scale,
  { ids, vectors, dimension }: ScaleVectors,
  built: readonly BuiltPeer[],
): Promise<readonly Result[]> {
  const { table } = await encodeQueries(scale, await queryTexts(HELD_OUT, 1));
  const facts = { encoder: scale.manifest.model.encoder, dimension, queries: table };
  const vector = (row: number) => vectors.subarray(row * dimension, (row + 1) * dimension);
  const times: number[] = [];
  for (let turn = 0; turn < 3; turn++) {
    const started = performance.now();
    await makeShardFiles(ids, vector, facts);
    times.push(performance.now() - started);
  }
  const ours = { name: "scale.build", value: round(quantile(times, 0.5)), unit: "ms" };
  const note = `ours from ${round(Math.min(...times))} to ${round(Math.max(...times))} ms, clusters and all`;
  if (built.length === 0) return [{ ...ours, note }];
  return built.map(({ peer, milliseconds }) => ({
    ...against({ ...ours, name: `${ours.name}.${peer.name}` }, peer.name, milliseconds, "less"),
    note,
  }));
}

function memoryOf(chunks: number, { bytes }: OwnShards, built: readonly BuiltPeer[]): readonly Result[] {
  const hot = round((bytes.hot + bytes.clusters) / chunks);
  const ours = { name: "scale.bytes", value: hot, unit: "bytes/chunk" };
  const note = `dense and sparse, as a Durable Object holds it, clusters ${round(bytes.clusters / chunks)} of them`;
  return [
    ...(built.length === 0 ? [{ ...ours, note }] : []),
    ...built.map((each) => ({
      ...against(
        { ...ours, name: `${ours.name}.${each.peer.name}` },
        each.peer.name,
        each.bytes / chunks,
        "less",
      ),
      note: `${note}; theirs dense alone`,
    })),
    {
      ...ours,
      name: `${ours.name}.all`,
      value: round((bytes.all + bytes.clusters) / chunks),
      note: "with int8 vectors, ids and places, as a small index lies in an isolate",
    },
  ];
}

/** Resident bytes of the process once nothing is left lying. */
function settledBytes(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  collect();
  return process.memoryUsage.rss();
}
