/**
 * The fusion weight chosen on judged queries, none of which is among those that are reported:
 * a number picked on the very queries it is then praised for says nothing.
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { OpenIndex } from "../../shared/engine/api.ts";
import { LightedgeError, printable } from "../../shared/errors.ts";
import type { Progress } from "../progress.ts";
import { Random } from "../random.ts";
import {
  type JudgedQuery,
  readJudgedQueries,
  readTestCollection,
  type TestCollection,
} from "./collection.ts";
import { gainsOf, mean, searchIds } from "./evaluate.ts";
import { differenceInterval, type Interval } from "./intervals.ts";
import type { RankedIds } from "./metrics.ts";

/** Stands for: half of the collection's own queries tune, the others are reported. */
export const SPLIT = "split";

/** Judged queries in two parts that have none in common. */
export interface TuningSplit {
  /** Where the tuning queries are from, as a reader is told. */
  readonly from: string;
  readonly tuning: readonly JudgedQuery[];
  /** The collection with the queries that are reported. */
  readonly reported: TestCollection;
  /** Queries left out of the tuning because they are reported. */
  readonly shared: number;
}

/** A weight with what it gives. */
export interface WeightPoint {
  readonly weight: number;
  readonly "ndcg@10": number;
}

/** What tuning found. */
export interface Tuning {
  readonly from: string;
  /** Queries that the weight was chosen on, and those left out as they are reported. */
  readonly queries: number;
  readonly shared: number;
  /** nDCG@10 of hybrid search on the tuning queries, weights ascending. */
  readonly curve: readonly WeightPoint[];
  readonly weight: number;
  /** On the queries reported: the index's own weight, the chosen one, and the 95 % interval of the gain. */
  readonly reported: {
    readonly own: WeightPoint;
    readonly chosen: WeightPoint;
    readonly gain: Interval;
  };
}

/** Weights that are tried: 0 to 1 in steps of 0.05. */
const WEIGHTS = Array.from({ length: 21 }, (_, step) => step / 20);

/**
 * The two parts. `from` is `split`, a folder with `queries.jsonl` and `qrels.tsv` (or
 * `qrels/test.tsv`), or a `.tsv` file of judgements over the `queries.jsonl` of its own folder,
 * the folder above it, or the collection's (`qrels/train.tsv` of a collection in BEIR layout).
 */
export async function splitForTuning(collection: TestCollection, from: string): Promise<TuningSplit> {
  if (from === SPLIT) return splitInHalf(collection);
  const found = await tuningQueries(collection, from);
  const ids = new Set(collection.queries.map(({ id }) => id));
  const texts = new Set(collection.queries.map(({ text }) => plain(text)));
  const tuning = found.filter(({ id, text }) => !ids.has(id) && !texts.has(plain(text)));
  if (tuning.length === 0) {
    throw new LightedgeError(
      "usage/invalid",
      `Every judged query of ${printable(from)} is among those reported; --tune ${SPLIT} divides them.`,
      { field: "tune", value: printable(from) },
    );
  }
  return { from: printable(from), tuning, reported: collection, shared: found.length - tuning.length };
}

async function tuningQueries(collection: TestCollection, from: string): Promise<readonly JudgedQuery[]> {
  if (!from.endsWith(".tsv")) return (await readTestCollection(from)).queries;
  const folders = [dirname(from), join(dirname(from), ".."), collection.folder];
  const file = folders.map((folder) => join(folder, "queries.jsonl")).find(existsSync);
  if (file !== undefined && existsSync(from)) return readJudgedQueries(file, from);
  throw new LightedgeError("usage/invalid", `There are no judgements in ${printable(from)}.`, {
    field: "tune",
    value: printable(from),
  });
}

function plain(text: string): string {
  return text.normalize("NFKC").toLowerCase().trim();
}

function splitInHalf(collection: TestCollection): TuningSplit {
  // By its text, so that a query asked twice under two ids is on one side.
  const [tuning, reported] = [true, false].map((wanted) =>
    collection.queries.filter(({ text }) => tunes(plain(text)) === wanted),
  );
  if (tuning!.length === 0 || reported!.length === 0) {
    throw new LightedgeError("usage/invalid", "There are too few judged queries to divide.", {
      field: "tune",
    });
  }
  return {
    from: `half of ${collection.name} by a hash of the query`,
    tuning: tuning!,
    reported: { ...collection, queries: reported! },
    shared: 0,
  };
}

/** One bit of a text: FNV-1a, mixed, as its own low bits are weak. */
function tunes(text: string): boolean {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return new Random(hash).bits() >>> 31 === 1;
}

/** Tries every weight on the tuning queries, and the best one on those reported. */
export async function tuneWeight(index: OpenIndex, split: TuningSplit, progress: Progress): Promise<Tuning> {
  const { tuning, reported } = split;
  const stage = progress.stage("tune", WEIGHTS.length * tuning.length + 2 * reported.queries.length);
  const gains = async (queries: readonly JudgedQuery[], weight: number) => {
    const rankings: RankedIds[] = [];
    for (const { text } of queries) {
      rankings.push(await searchIds(index, text, "hybrid", 10, { weight }));
      stage.advance(1);
    }
    return gainsOf(rankings, queries);
  };
  const curve: WeightPoint[] = [];
  for (const weight of WEIGHTS) curve.push({ weight, "ndcg@10": mean(await gains(tuning, weight)) });
  const weight = choose(curve);
  const own = index.manifest.fusion.weight;
  const before = await gains(reported.queries, own);
  const after = await gains(reported.queries, weight);
  stage.done(`weight ${weight}`);
  return {
    from: split.from,
    queries: tuning.length,
    shared: split.shared,
    curve,
    weight,
    reported: {
      own: { weight: own, "ndcg@10": mean(before) },
      chosen: { weight, "ndcg@10": mean(after) },
      gain: differenceInterval(after, before),
    },
  };
}

/** The weight with the greatest nDCG@10; of several the one in the middle, as it stands least on an edge. */
export function choose(curve: readonly WeightPoint[]): number {
  const most = Math.max(...curve.map((point) => point["ndcg@10"]));
  const best = curve.filter((point) => point["ndcg@10"] === most);
  return best[Math.floor((best.length - 1) / 2)]!.weight;
}
