/** What a robustness suite is given and what it gives. */
import type { OpenIndex } from "../../../shared/engine/api.ts";
import type { JudgedQuery } from "../collection.ts";
import type { FullParts } from "../full-encoder.ts";
import type { Interval } from "../intervals.ts";
import type { QueryTable } from "./query-table.ts";
import type { RankAll } from "./rankers.ts";

/** A measured number, with its 95 % interval over the queries where it has one. */
export interface Figure extends Partial<Interval> {
  readonly value: number;
}

/** One line of a suite's table. */
export interface SuiteRow {
  readonly name: string;
  /** Queries, pairs or passages that the figures are over. */
  readonly count: number;
  /** By column; a column that does not apply is absent. */
  readonly figures: Readonly<Record<string, Figure>>;
}

/** What a suite found. */
export interface SuiteResult {
  readonly suite: string;
  /** What the figures are, in one sentence. */
  readonly measure: string;
  /** What a row's `count` counts. */
  readonly unit: string;
  readonly rows: readonly SuiteRow[];
}

/** What the suites look at. */
export interface Subject {
  readonly index: OpenIndex;
  /** All judged queries, and those of them that suites with many variants of each use. */
  readonly queries: readonly JudgedQuery[];
  readonly sample: readonly JudgedQuery[];
  /** The index's table as stored, in float32. */
  readonly table: QueryTable;
  readonly full: FullParts;
  /** Vectors of the corpus's chunks as the index would have them in full precision: the document mix applied. */
  readonly mixed: (chunk: number) => Float32Array;
  readonly rankAll: RankAll;
  readonly seed: number;
}

/** One question about robustness. */
export interface Suite {
  readonly name: string;
  run(subject: Subject): Promise<SuiteResult>;
}

/** A figure with its interval. */
export function figure(value: number, interval?: Interval): Figure {
  return { value, ...interval };
}
