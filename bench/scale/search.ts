/**
 * Question: how long does a hybrid search for the top 10 of 100,000 chunks take inside the process, from text to answer?
 *
 * Corpus: `corpus.ts`, all of the index in memory. Queries: 300 real questions with all defaults, spelling and
 * documents included. What HTTP, workerd and Durable Objects add to it is the difference to `scale.http`.
 */
import { openInNode } from "../../indexer/engine-node.ts";
import { quantile, type Result, round, timeEach } from "../result.ts";
import { INDEX, type Scale } from "./prepare.ts";
import { queryTexts } from "./queries.ts";

const QUERIES = 300;

/** `scale.search` in milliseconds. */
export async function measureSearch({ store }: Scale): Promise<readonly Result[]> {
  const index = await openInNode(store, INDEX);
  const texts = await queryTexts(QUERIES);
  const search = (q: string) => index.search({ q, mode: "hybrid", limit: 10, offset: 0, explain: false });
  const times = await timeEach([...texts, ...texts, ...texts], QUERIES, search);
  return [
    { name: "scale.search", value: round(quantile(times, 0.5)), unit: "ms", note: "one core, in process" },
    { name: "scale.search.p99", value: round(quantile(times, 0.99)), unit: "ms" },
  ];
}
