/**
 * Question: dense top 10 of 100,000 real vectors of 384 numbers on one core: how long does the engine take
 * at a recall of 0.99, against hnswlib and usearch at no less? How long does each take to build, and
 * how much memory does each hold?
 *
 * Corpus: `corpus.ts`. All have the same float32 vectors, as the index has them before it compresses
 * them, and recall is against brute force over those. Queries: 300 real questions of the three collections, their
 * vectors by the index's table, as a search makes them, and by the full encoder, each measured apart.
 * Ours goes from the encoded query to ten ids over all shards; hnswlib and usearch (M 16, efConstruction
 * 200, one thread) from a vector in their own form to ten row numbers. Each gets the least effort of a list
 * that reaches the recall. Timed turn by turn; a value is the median over the rounds of a round's mean.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { writeShard } from "../../shared/format/shard.ts";
import { sha256 } from "../../shared/hash.ts";
import { compressVector } from "../../shared/segment/compress-vector.ts";
import { makeSegment, paddedDimension, type SegmentDocument } from "../../shared/segment/segment.ts";
import { hnswlib } from "../peers/hnswlib.ts";
import { usearch } from "../peers/usearch.ts";
import { type PeerIndex, TOP } from "../peers/vector-index.ts";
import { against, quantile, type Result, round } from "../result.ts";
import { exactTop, recallOf } from "./exact.ts";
import { answering, denseOnly, denseTop, loadShards } from "./ours.ts";
import { type Scale, type ScaleVectors, scaleVectors } from "./prepare.ts";
import { encodeQueries, type QueryEncoding, type QueryForms, queryTexts } from "./queries.ts";
import { spread, type Timing, timeRounds } from "./rounds.ts";

const QUERIES = 300;
const ROUNDS = 7;
const RECALL = 0.99;
/** Documents rescored, and widths of a search in a graph, of which the least that reaches the recall is taken. */
const POOLS = [20, 30, 40, 50, 60, 80, 100, 150, 200, 300, 400, 800];
const EFFORTS = [10, 20, 30, 40, 60, 80, 100, 120, 150, 200, 250, 300, 400, 500, 700, 1000, 1500, 2000];
/** Documents of a segment in the measurement of building. */
const SEGMENT = 50_000;

/** Times, recalls, build times and memory of all three. */
export async function measureDense(scale: Scale, peers: string | undefined): Promise<readonly Result[]> {
  const note = (message: string) => scale.progress.warn(message);
  const base = await scaleVectors(scale);
  const shards = answering(await loadShards(scale));
  const rows = new Map(base.ids.map((id, row) => [id, row]));
  const forms = await encodeQueries(scale, await queryTexts(QUERIES));
  const built = [hnswlib(peers, note), usearch(peers, note)].flatMap((peer) =>
    peer === null ? [] : [{ peer, ...buildPeer(peer, base) }],
  );
  const results: Result[] = [];
  for (const encoding of ["table", "encoder"] as const) {
    const queries = forms[encoding].filter(({ encoded }) => encoded.dense !== null);
    results.push(...compare(encoding, queries, base, shards, rows, built));
  }
  results.push(...(await buildTimes(base, built)));
  return results;
}

interface BuiltPeer {
  readonly peer: PeerIndex;
  readonly milliseconds: number;
  readonly bytes: number;
}

function compare(
  encoding: QueryEncoding,
  queries: readonly QueryForms[],
  { vectors, dimension }: ScaleVectors,
  shards: ReturnType<typeof answering>,
  rows: ReadonlyMap<string, number>,
  built: readonly BuiltPeer[],
): readonly Result[] {
  const truth = queries.map(({ vector }) => exactTop(vectors, dimension, vector, TOP));
  const forms = queries.map(({ encoded, vector }) => ({ dense: denseOnly(encoded), vector }));
  const contenders: Record<string, (at: number) => unknown> = {};
  const efforts: Record<string, { readonly effort: number; readonly recall: number }> = {};
  const least = (list: readonly number[], find: (effort: number) => readonly (readonly number[])[]) => {
    let tried = { effort: 0, recall: 0 };
    for (const effort of list) {
      tried = { effort, recall: recallOf(truth, find(effort)) };
      if (tried.recall >= RECALL) break;
    }
    return tried;
  };
  const own = least(POOLS, (pool) =>
    forms.map(({ dense }) => denseTop(shards, dense, pool, TOP).map((id) => rows.get(id)!)),
  );
  contenders.ours = (at) => denseTop(shards, forms[at]!.dense, own.effort, TOP);
  efforts.ours = own;
  for (const { peer } of built) {
    const prepared = forms.map(({ vector }) => peer.prepare(vector));
    efforts[peer.name] = least(EFFORTS, (effort) => {
      peer.effort(effort);
      return prepared.map((query) => Array.from(peer.search(query), Number));
    });
    contenders[peer.name] = (at) => peer.search(prepared[at]!);
  }
  const times: Readonly<Record<string, Timing>> = timeRounds(contenders, Array.from(forms.keys()), ROUNDS);
  const name = `scale.dense.${encoding}`;
  const said = (who: string) =>
    `recall ${round(efforts[who]!.recall)} at ${efforts[who]!.effort}, ${spread(times[who]!)} ms`;
  const ours = { name, value: round(times.ours!.median), unit: "ms" };
  if (built.length === 0) return [{ ...ours, note: said("ours") }];
  return built.map(({ peer }) => ({
    ...against({ ...ours, name: `${name}.${peer.name}` }, peer.name, times[peer.name]!.median, "less"),
    note: `ours ${said("ours")}; ${peer.name} ${said(peer.name)}`,
  }));
}

/** Builds a peer's index; what it holds is what the process has more afterwards. */
function buildPeer(peer: PeerIndex, { vectors, dimension }: ScaleVectors): Omit<BuiltPeer, "peer"> {
  const before = settledBytes();
  const started = performance.now();
  peer.build(vectors, dimension);
  const milliseconds = performance.now() - started;
  return { milliseconds, bytes: settledBytes() - before };
}

async function buildTimes(base: ScaleVectors, built: readonly BuiltPeer[]): Promise<readonly Result[]> {
  const times: number[] = [];
  for (let turn = 0; turn < 3; turn++) times.push(await buildOurs(base));
  const ours = { name: "scale.build", value: round(quantile(times, 0.5)), unit: "ms" };
  const note = "ours: float vectors to shard files in memory";
  const times3 = built.map(({ peer, milliseconds }) => ({
    ...against({ ...ours, name: `${ours.name}.${peer.name}` }, peer.name, milliseconds, "less"),
    note,
  }));
  const memory = built.map(({ peer, bytes }) => ({
    name: `scale.bytes.${peer.name}`,
    value: round(bytes / base.ids.length),
    unit: "bytes/chunk",
    note: "what the process has more, dense alone",
  }));
  return [...(built.length === 0 ? [{ ...ours, note }] : times3), ...memory];
}

/** Milliseconds from vectors to the bytes of shards that hold nothing else. */
async function buildOurs({ ids, vectors, dimension }: ScaleVectors): Promise<number> {
  const digest = await sha256("");
  const padded = paddedDimension(dimension);
  const started = performance.now();
  for (let first = 0; first < ids.length; first += SEGMENT) {
    const documents = ids.slice(first, first + SEGMENT).map((id, at): SegmentDocument => {
      const row = (first + at) * dimension;
      return {
        id,
        passages: [{ start: 0, end: 1 }],
        place: { block: 0, index: at },
        impacts: { ids: new Uint32Array(0), values: new Uint8Array(0) },
        chunks: [compressVector(vectors.subarray(row, row + dimension), padded)],
      };
    });
    const facts = { encoder: digest, tokenizer: digest, table: digest, dimension, vocabulary: 30_522 };
    await writeShard(makeSegment(documents, { ...facts, impact_scale: 1, mix: 0 }));
  }
  return performance.now() - started;
}

/** Resident bytes of the process once nothing is left lying. */
function settledBytes(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  collect();
  return process.memoryUsage.rss();
}
