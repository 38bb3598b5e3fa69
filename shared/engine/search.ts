/**
 * The query path, top to bottom on one screen:
 * text -> spelling -> tokens -> encoded query -> candidates of every shard -> ranking -> documents -> answer.
 */
import { LightedgeError, printable } from "../errors.ts";
import type { Manifest } from "../format/manifest.ts";
import { MIB, REQUEST_LIMITS } from "../limits.ts";
import { termIds, termTokens } from "../segment/terms.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { Explanation, Fields, Hit, SearchAnswer, SearchRequest } from "../types.ts";
import type { EnginePorts, OpenIndex, StoredDocument } from "./api.ts";
import { type ResidentClusters, withProbes } from "./clusters.ts";
import type { DocumentReader } from "./document-reader.ts";
import { encodeQuery } from "./encode-query.ts";
import type { EncodedQuery } from "./encoded-query.ts";
import { explain, termsOf } from "./explain.ts";
import { type Ranked, type RankingRule, rank } from "./fuse.ts";
import type { ResidentLexicon } from "./lexicon.ts";
import { type QueryWord, queryWords } from "./query-words.ts";
import { type ResidentTable, readRows } from "./resident-table.ts";
import { NEAR_POOL, type ShardEvidence } from "./shard-contract.ts";
import type { Found, Shards } from "./shards.ts";
import { makeSnippet } from "./snippet.ts";
import { asTyped, correctQuery, type SpeltQuery } from "./spelling.ts";

/** A loaded index, as the searcher takes it. */
export interface SearcherParts {
  readonly name: string;
  readonly version: string;
  readonly manifest: Manifest;
  readonly ports: Pick<EnginePorts, "now" | "region">;
  readonly tokenizer: Tokenizer;
  /** Null where the index has none: then no query is corrected. */
  readonly lexicon: ResidentLexicon | null;
  /** Null where the index has none: then every query looks at all chunks. */
  readonly clusters: ResidentClusters | null;
  /** Words, folded, that are in documents and not in the lexicon. */
  readonly newWords: ReadonlySet<string>;
  /** In the order of the manifest's tasks. */
  readonly tables: readonly ResidentTable[];
  readonly shards: Shards;
  /** With a file for each shard, in their order. */
  readonly documents: DocumentReader;
}

/** UTF-8 is at most three bytes a UTF-16 unit; field text above this total is left out of an answer. */
const ANSWER_UNITS = MIB;

/** Search over a loaded index, in two steps where its table is not in memory as a whole. */
export interface Searcher extends Pick<OpenIndex, "document"> {
  /**
   * Reads the rows that a query needs; null where all are in memory, and then `search` has to be called before anything is
   * waited for. Throws what reading the store does.
   */
  ready(request: SearchRequest): Promise<void> | null;
  /** `started` is when the request came. Throws `internal` where a row is missing. */
  search(request: SearchRequest, patienceMs: number | undefined, started: number): Promise<SearchAnswer>;
}

/** The searcher over these parts. */
export function createSearcher(parts: SearcherParts): Searcher {
  const { max_query_tokens: most = REQUEST_LIMITS.queryTokens } = parts.manifest.model;

  function ready(request: SearchRequest): Promise<void> | null {
    const table = tableOf(parts, request.task);
    return table.tail === null
      ? null
      : readRows(table, parts.tokenizer.ids(spelt(parts, request).text, most));
  }

  async function search(
    request: SearchRequest,
    patienceMs: number | undefined,
    started: number,
  ): Promise<SearchAnswer> {
    const table = tableOf(parts, request.task);
    const { text, corrections } = spelt(parts, request);
    const ids = parts.tokenizer.ids(text, most + 1);
    const warnings: string[] = [];
    if (ids.length > most) {
      ids.length = most;
      warnings.push(`Only the first ${most} tokens of the query were used.`);
    }
    const query = withProbes(encodeQuery(table, ids, termIds(parts.tokenizer, text, most)), parts.clusters);
    const rule = ruleOf(request, parts.manifest);
    const depth = request.offset + request.limit;
    const deep = depth > NEAR_POOL.sparse;
    // What is in memory answers at once: a wait in between would let the memory of a fresh shard be filled anew.
    const tokens = parts.tokenizer.tokens(text).slice(0, ids.length);
    const asked = termTokens(parts.tokenizer, text, tokens).slice(0, most);
    const words = asTyped(queryWords(text, tokens, table, asked), corrections);
    const terms = request.explain ? termsOf(words) : null;
    const pending = parts.shards.find(query, { deep, terms, patienceMs });
    let found = pending instanceof Promise ? await pending : pending;
    const ranked = () => rank(found.candidates, rule, depth).slice(request.offset);
    let ranking = ranked();
    let evidence: readonly ShardEvidence[] = [];
    while (request.explain) {
      const asked = found.evidence(ranking.map(({ candidate }) => candidate));
      const told = asked instanceof Promise ? await asked : asked;
      if (!("candidates" in told)) {
        evidence = told;
        break;
      }
      found = told;
      ranking = ranked();
    }
    if (request.explain)
      for (let wait = readRows(table, ids); wait !== null; wait = readRows(table, ids)) await wait;
    const explanations = evidence.map((each, at) => explain(ranking[at]!, words, query, table, rule, each));
    const documents = await parts.documents.read(
      ranking.map(({ candidate: { shard, place } }) => ({ shard, ...place })),
    );
    const hits = ranking.map((ranked, at) =>
      toHit(ranked, documents[at]!, { request, words, explanation: explanations[at] }),
    );
    return {
      index: parts.name,
      version: parts.version,
      region: parts.ports.region,
      mode: request.mode,
      took_ms: Math.round((parts.ports.now() - started) * 1000) / 1000,
      total: totalOf(found, query, request),
      partial: found.missing.length > 0,
      ...(found.missing.length > 0 ? { missing_shards: found.missing } : {}),
      hits: withinBudget(hits, warnings),
      ...(corrections.length > 0 ? { corrections } : {}),
      ...(warnings.length > 0 ? { warnings } : {}),
    };
  }

  async function document(id: string, patienceMs?: number): Promise<StoredDocument | null> {
    const place = await parts.shards.locate(id, patienceMs);
    if (place === null) return null;
    const [stored] = await parts.documents.read([place]);
    return stored!;
  }
  return { ready, search, document };
}

function tableOf({ manifest, tables }: SearcherParts, task: string | undefined): ResidentTable {
  const at = task === undefined ? 0 : manifest.tasks.findIndex(({ name }) => name === task);
  const table = tables[at];
  if (table !== undefined) return table;
  const names = manifest.tasks.map(({ name }) => name).join(", ");
  throw new LightedgeError(
    "request/invalid",
    `There is no task ${printable(task)} in this index; it has ${names}.`,
    {
      field: "task",
      value: printable(task),
    },
  );
}

/** The query as it is searched for: with its misspelt words replaced, unless that is not wanted or there are no words to know. */
function spelt(parts: SearcherParts, { q, typos = true }: SearchRequest): SpeltQuery {
  const { lexicon, tokenizer, newWords } = parts;
  if (!typos || lexicon === null) return { text: q, corrections: [] };
  return correctQuery(q, lexicon, tokenizer, newWords);
}

function ruleOf({ mode, fusion, weight }: SearchRequest, { fusion: own }: Manifest): RankingRule {
  return { mode, fusion: fusion ?? own.rule, weight: weight ?? own.weight };
}

/** Documents that paging can reach: with an embedding every document has a score, without only those that match. */
function totalOf({ matches, living }: Found, query: EncodedQuery, { mode }: SearchRequest): number {
  const ranked = query.dense === null ? (mode === "dense" ? 0 : matches) : living;
  return Math.min(mode === "sparse" ? matches : ranked, REQUEST_LIMITS.window);
}

interface HitContext {
  readonly request: SearchRequest;
  readonly words: readonly QueryWord[];
  readonly explanation: Explanation | undefined;
}

function toHit(ranked: Ranked, stored: StoredDocument, context: HitContext): Hit {
  const { candidate, score } = ranked;
  const { chunk, dense, sparse } = candidate;
  const passage = stored.passages[chunk];
  if (passage === undefined) {
    throw new LightedgeError(
      "format/invalid",
      `Document ${stored.id} has fewer passages than its shard says.`,
    );
  }
  const text = typeof stored.fields.text === "string" ? stored.fields.text : "";
  return {
    id: stored.id,
    score,
    dense,
    sparse,
    fields: pick(stored.fields, context.request.fields),
    snippet: makeSnippet(text, passage.start, passage.end, context.words),
    passage,
    ...(context.explanation === undefined ? {} : { explain: context.explanation }),
  };
}

function pick(fields: Fields, names: readonly string[] | undefined): Fields {
  if (names === undefined) return fields;
  return Object.fromEntries(
    names.filter((name) => Object.hasOwn(fields, name)).map((name) => [name, fields[name]!]),
  );
}

/** Leaves out the fields of hits past the budget, so that a hundred long documents cannot fill an isolate. */
function withinBudget(hits: readonly Hit[], warnings: string[]): readonly Hit[] {
  let units = 0;
  let left = 0;
  const kept = hits.map((hit) => {
    for (const value of Object.values(hit.fields)) if (typeof value === "string") units += value.length;
    if (units <= ANSWER_UNITS) return hit;
    left++;
    return { ...hit, fields: {} };
  });
  if (left > 0) {
    warnings.push(
      `The fields of the last ${left} hits were left out of this long answer; name those you need in "fields".`,
    );
  }
  return kept;
}
