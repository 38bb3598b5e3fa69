/** All robustness suites over one index. */
import type { OpenIndex } from "../../../shared/engine/api.ts";
import type { ReadStore } from "../../../shared/store/store.ts";
import type { Progress } from "../../progress.ts";
import { Random } from "../../random.ts";
import { mixVectors } from "../../stages/mix.ts";
import { rulesOf } from "../../stages/query-rules.ts";
import type { JudgedQuery, TestCollection } from "../collection.ts";
import type { FullParts } from "../full-encoder.ts";
import { fidelity } from "./fidelity.ts";
import { hubness } from "./hubness.ts";
import { negation } from "./negation.ts";
import { poison } from "./poison.ts";
import { type QueryTable, readQueryTable } from "./query-table.ts";
import { createRankAll } from "./rankers.ts";
import { shuffle } from "./shuffle.ts";
import type { Subject, Suite, SuiteResult } from "./suite.ts";
import { typos } from "./typos.ts";
import { wordOrder } from "./word-order.ts";
import { wording } from "./wording.ts";
import { writing } from "./writing.ts";

/** The suites in the order they are reported. */
export const SUITES: readonly Suite[] = [
  typos,
  writing,
  wording,
  wordOrder,
  shuffle,
  negation,
  hubness,
  poison,
  fidelity,
];

/** What `lightedge eval --robustness` adds. */
export interface Robustness {
  readonly seed: number;
  /** Judged queries that were said in other ways, drawn by the seed. */
  readonly sample: number;
  readonly suites: readonly SuiteResult[];
}

/** What to draw. */
export interface RobustnessOptions {
  readonly seed: number;
  /** Queries to say in other ways, at most. */
  readonly sample: number;
  /** All of them when absent. */
  readonly suites?: readonly Suite[];
}

/** Runs the suites. The same index, queries and options give the same figures. */
export async function measureRobustness(
  parts: { readonly index: OpenIndex; readonly store: ReadStore; readonly full: FullParts },
  collection: Pick<TestCollection, "queries">,
  options: RobustnessOptions,
  progress: Progress,
): Promise<Robustness> {
  const { index, full } = parts;
  const table = await readQueryTable(parts.store, index.manifest);
  const sample = drawn(collection.queries, options);
  const subject: Subject = {
    index,
    queries: collection.queries,
    sample,
    table,
    full,
    mixed: mixedVectors(full, table),
    rankAll: createRankAll(index, full),
    seed: options.seed,
  };
  const suites: SuiteResult[] = [];
  for (const suite of options.suites ?? SUITES) {
    const stage = progress.stage(suite.name, 0);
    suites.push(await suite.run(subject));
    stage.done();
  }
  return { seed: options.seed, sample: sample.length, suites };
}

/** The same queries for the same seed, in their own order. */
function drawn(queries: readonly JudgedQuery[], { seed, sample }: RobustnessOptions): readonly JudgedQuery[] {
  const order = new Random(seed).permutation(queries.length);
  return Array.from(order.subarray(0, sample).sort(), (at) => queries[at]!);
}

function mixedVectors({ corpus, encoder }: FullParts, table: QueryTable): Subject["mixed"] {
  const { mix } = rulesOf(encoder.model);
  const vectors = Array.from({ length: corpus.chunks }, (_, chunk) =>
    mixVectors(corpus.vector(chunk), corpus.tokens(chunk), table, mix),
  );
  return (chunk) => vectors[chunk]!;
}
