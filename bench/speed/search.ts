/**
 * Question: how long does a hybrid search for the top 10 take inside the process?
 * Corpus and queries: the collection's own. Peers: MiniSearch and Orama over the same
 * documents, full text with their defaults, and their quality beside ours.
 */
import { create, insertMultiple, search as oramaSearch } from "@orama/orama";
import MiniSearch from "minisearch";
import { ndcg } from "../../indexer/evaluate/metrics.ts";
import { beirSource } from "../../indexer/sources/beir.ts";
import type { Context } from "../context.ts";
import { against, quantile, type Result, round, timeEach } from "../result.ts";

interface PlainDocument {
  readonly id: string;
  readonly title: string;
  readonly text: string;
}

/** `search.<collection>` in milliseconds, with nDCG@10 of all. */
export async function measureSearch({ collection, index }: Context): Promise<readonly Result[]> {
  const documents: PlainDocument[] = [];
  for await (const record of beirSource(collection.folder).records()) {
    if (record.kind !== "document") continue;
    const { id, fields } = record.document;
    documents.push({ id, title: String(fields.title ?? ""), text: String(fields.text ?? "") });
  }
  const queries = collection.queries.map(({ text }) => text);
  const quality = (rankings: ReadonlyMap<string, readonly string[]>) =>
    round(
      collection.queries.reduce(
        (sum, query) => sum + ndcg(rankings.get(query.text) ?? [], query.grades, 10),
        0,
      ) / collection.queries.length,
    );

  const ours = new Map<string, readonly string[]>();
  const times = await timeEach(queries, 100, async (q) => {
    const answer = await index.search({ q, mode: "hybrid", limit: 10, offset: 0, explain: false });
    ours.set(
      q,
      answer.hits.map(({ id }) => id),
    );
  });

  const mini = new MiniSearch<PlainDocument>({ fields: ["title", "text"], storeFields: ["title"] });
  mini.addAll(documents);
  const miniRankings = new Map<string, readonly string[]>();
  const miniTimes = await timeEach(queries, 20, (q) => {
    miniRankings.set(
      q,
      mini
        .search(q)
        .slice(0, 10)
        .map(({ id }) => String(id)),
    );
  });

  const orama = create({ schema: { id: "string", title: "string", text: "string" } as const });
  await insertMultiple(orama, [...documents]);
  const oramaRankings = new Map<string, readonly string[]>();
  const oramaTimes = await timeEach(queries, 20, async (term) => {
    const { hits } = await oramaSearch(orama, { term, limit: 10, properties: ["title", "text"] });
    oramaRankings.set(
      term,
      hits.map(({ document }) => document.id),
    );
  });

  const name = `search.${collection.name}`;
  const p50 = { name, value: round(quantile(times, 0.5)), unit: "ms" };
  const score = { name: `${name}.ndcg@10`, value: quality(ours), unit: "" };
  return [
    against(p50, "MiniSearch", quantile(miniTimes, 0.5), "less"),
    against({ ...p50, name: `${name}.orama` }, "Orama", quantile(oramaTimes, 0.5), "less"),
    { name: `${name}.p99`, value: round(quantile(times, 0.99)), unit: "ms" },
    against(score, "MiniSearch", quality(miniRankings), "more"),
    against({ ...score, name: `${score.name}.orama` }, "Orama", quality(oramaRankings), "more"),
  ];
}
