/** Queries said in another way, and what that costs. */
import { Random } from "../../random.ts";
import { mean } from "../evaluate.ts";
import { meanInterval, ratioInterval } from "../intervals.ts";
import { ndcg, type RankedIds } from "../metrics.ts";
import { type ByRanker, byRanker, overlap, type RankerName } from "./rankers.ts";
import { figure, type Subject, type SuiteRow } from "./suite.ts";

/** What is asked, and of whom. */
type Asked = Pick<Subject, "sample" | "rankAll">;

/** A sampled query said in another way. */
export interface Variant {
  /** Its number in the sample. */
  readonly query: number;
  /** What it is held against: the query itself where no other form is needed. */
  readonly base: string;
  readonly text: string;
}

/** How to say a text in another way; null where it cannot be. A pair is a base of its own and the other way to say it. */
export type Change = (text: string, random: Random) => string | readonly [string, string] | null;

/** One variant of every sampled query that can have it, the same for the same seed. */
export function variantsOf(
  { sample, seed }: Pick<Subject, "sample" | "seed">,
  change: Change,
  salt = 0,
): readonly Variant[] {
  return sample.flatMap(({ text }, query) => {
    const changed = change(text, new Random(seed * 0x10001 + salt * 0x3f1d + query));
    if (changed === null) return [];
    const [base, other] = typeof changed === "string" ? [text, changed] : changed;
    return [{ query, base, text: other }];
  });
}

/** nDCG@10 of the sample as typed, by ranker: what the shares of other rows are of. */
export async function typedRow({ sample, rankAll }: Asked, name: string): Promise<SuiteRow> {
  const found = await rankAll(sample.map(({ text }) => text));
  const figures = byRanker((ranker) => {
    const gains = found.map((row, at) => ndcg(row[ranker], sample[at]!.grades, 10));
    return figure(mean(gains), meanInterval(gains));
  });
  return { name, count: sample.length, figures };
}

/** nDCG@10 of the variants over that of their bases, by ranker, and the overlap of the top tens of the index. */
export async function keptRow(subject: Asked, name: string, variants: readonly Variant[]): Promise<SuiteRow> {
  if (variants.length === 0) return { name, count: 0, figures: {} };
  const { queries, clean, changed } = await compare(subject, variants);
  const gains = (found: Compared, ranker: RankerName) =>
    found.map((rows, at) =>
      mean(rows.map((row) => ndcg(row[ranker], subject.sample[queries[at]!]!.grades, 10))),
    );
  const kept = byRanker((ranker) => {
    const [before, after] = [gains(clean, ranker), gains(changed, ranker)];
    return figure(mean(after) / mean(before), ratioInterval(after, before));
  });
  const same = (ranker: RankerName) => {
    const shares = clean.map((rows, at) =>
      mean(rows.map((row, i) => overlap(row[ranker], changed[at]![i]![ranker]))),
    );
    return figure(mean(shares), meanInterval(shares));
  };
  return {
    name,
    count: queries.length,
    figures: { ...kept, "overlap hybrid": same("hybrid"), "overlap dense": same("dense") },
  };
}

/** Share of the variants whose top ten is that of their base, document by document. */
export async function identicalRow(
  subject: Asked,
  name: string,
  variants: readonly Variant[],
): Promise<SuiteRow> {
  if (variants.length === 0) return { name, count: 0, figures: {} };
  const { queries, clean, changed } = await compare(subject, variants);
  const figures = byRanker((ranker) => {
    const shares = clean.map((rows, at) =>
      mean(rows.map((row, i) => (equal(row[ranker], changed[at]![i]![ranker]) ? 1 : 0))),
    );
    return figure(mean(shares), meanInterval(shares));
  });
  return { name, count: queries.length, figures };
}

/** For each query its rankings: one for each of its variants. */
type Compared = readonly (readonly ByRanker<RankedIds>[])[];

/** The variants by query, as queries and not their variants are what another sample would differ in. */
async function compare({ rankAll }: Asked, variants: readonly Variant[]) {
  const clean = await rankAll(variants.map(({ base }) => base));
  const changed = await rankAll(variants.map(({ text }) => text));
  const queries = [...new Set(variants.map(({ query }) => query))];
  const group = <T>(rows: readonly T[]) =>
    queries.map((query) => rows.filter((_, at) => variants[at]!.query === query));
  return { queries, clean: group(clean), changed: group(changed) };
}

function equal(a: RankedIds, b: RankedIds): boolean {
  return a.length === b.length && a.every((id, at) => id === b[at]);
}
