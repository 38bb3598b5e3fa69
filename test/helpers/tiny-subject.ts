/** The subject of the robustness suites over a tiny index, with everything it was made from. */
import { openFullParts } from "../../indexer/evaluate/full-encoder.ts";
import { readQueryTable } from "../../indexer/evaluate/robustness/query-table.ts";
import { createRankAll } from "../../indexer/evaluate/robustness/rankers.ts";
import type { Subject } from "../../indexer/evaluate/robustness/suite.ts";
import { SILENT } from "../../indexer/progress.ts";
import { MIX, mixVectors } from "../../indexer/stages/mix.ts";
import { buildTiny, openTiny } from "./tiny-build.ts";
import { sourceOf, tinyDocuments } from "./tiny-corpus.ts";
import { TOPICS, tinyEncoder } from "./tiny-encoder.ts";

/** A subject over 120 tiny documents and 20 queries, judged by the index's own first five of hybrid search. */
export async function tinySubject(seed = 1): Promise<Subject & { readonly store: Parts["store"] }> {
  const source = sourceOf(tinyDocuments(120));
  const encoder = tinyEncoder();
  const { store } = await buildTiny({ source, encoder });
  const index = await openTiny(store, "wasm");
  const full = await openFullParts(index, { source, encoder, overlapTokens: 0 }, SILENT);
  const table = await readQueryTable(store, index.manifest);
  const rankAll = createRankAll(index, full);
  const texts = TOPICS.flatMap((words) => [
    `is the ${words.slice(0, 3).join(" ")}`,
    words.slice(4, 7).join(" "),
  ]);
  const found = await rankAll(texts);
  const queries = texts.map((text, at) => ({
    id: `q${at}`,
    text,
    grades: new Map(found[at]!.hybrid.slice(0, 5).map((id) => [id, 1])),
  }));
  const mixed = (chunk: number) =>
    mixVectors(full.corpus.vector(chunk), full.corpus.tokens(chunk), table, MIX);
  return { index, store, queries, sample: queries, table, full, mixed, rankAll, seed };
}

type Parts = Awaited<ReturnType<typeof buildTiny>>;
