/** A query's words, the tokens each was cut into, and how much each matters. */
import type { Token } from "../tokenizer/tokenizer.ts";
import { forEachRow } from "./encode-query.ts";
import type { ResidentTable } from "./resident-table.ts";
import { fold, wordsOf } from "./words.ts";

/** A word of the query. `[start, end)` in UTF-16 units of the query. */
export interface QueryWord {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly folded: string;
  /** Its tokens on the sparse side. */
  readonly tokens: readonly number[];
  /** Table rows that it brings into the query's sum. */
  readonly rows: readonly RowShare[];
  /** Greatest sparse weight among its tokens: near 0 for words that every document has. */
  readonly weight: number;
}

/** A table row and the part of it that is a word's: half where two words bring it together. */
export interface RowShare {
  readonly row: number;
  readonly share: number;
}

/**
 * Every token belongs to exactly one word: the run of letters and digits it starts in, or
 * else a word of its own (punctuation, symbols), so that shares of words add up to the whole. `terms` are the query's
 * tokens on the sparse side (`termTokens`); they go to the word they stand in.
 */
export function queryWords(
  query: string,
  tokens: readonly Token[],
  table: ResidentTable,
  terms: readonly Token[] = tokens,
): readonly QueryWord[] {
  const { words, owners } = cutWords(query, tokens);
  const rows = rowShares(tokens, owners, words.length, table);
  const own = terms === tokens ? tokensByWord(tokens, owners, words.length) : termsByWord(words, terms);
  return words.map(({ start, end }, number) => {
    const text = query.slice(start, end);
    const weight = own[number]!.reduce((most, id) => Math.max(most, table.weights[id] ?? 0), 0);
    return {
      text,
      start,
      end,
      folded: fold(text),
      tokens: own[number]!,
      rows: rows[number]!,
      weight: weight / table.meta.weight_scale,
    };
  });
}

interface Place {
  readonly start: number;
  readonly end: number;
}

/** The words of a query in its order, and the word of each token. */
function cutWords(query: string, tokens: readonly Token[]) {
  const runs = wordsOf(query);
  const words: Place[] = [];
  const owners: number[] = [];
  let at = 0;
  let current = -1;
  for (const token of tokens) {
    while (at < runs.length && runs[at]!.end <= token.start) at++;
    const run = runs[at];
    // A byte-level token may start with the space before its word.
    const inside = run !== undefined && run.start < token.end;
    if (!inside || current !== at) words.push(inside ? run : token);
    current = inside ? at : -1;
    owners.push(words.length - 1);
  }
  return { words, owners };
}

function tokensByWord(tokens: readonly Token[], owners: readonly number[], words: number): number[][] {
  const own: number[][] = Array.from({ length: words }, () => []);
  for (const [at, { id }] of tokens.entries()) own[owners[at]!]!.push(id);
  return own;
}

/** By word: the terms that begin in it, or behind it and before the next. */
function termsByWord(words: readonly Place[], terms: readonly Token[]): number[][] {
  const own: number[][] = words.map(() => []);
  let word = 0;
  for (const { id, start, end } of terms) {
    // A term may begin with the space before its word.
    while (word + 1 < words.length && words[word + 1]!.start < Math.max(end, start + 1)) word++;
    own[word]?.push(id);
  }
  return own;
}

/** By word: the rows of its tokens and pairs. `owners` has the word of each token. */
function rowShares(
  tokens: readonly Token[],
  owners: readonly number[],
  words: number,
  table: ResidentTable,
): readonly (readonly RowShare[])[] {
  const shares: RowShare[][] = Array.from({ length: words }, () => []);
  const ids = tokens.map(({ id }) => id);
  forEachRow(table, ids, (row, at, isPair) => {
    const own = owners[at]!;
    const before = isPair ? owners[at - 1]! : own;
    if (before === own) shares[own]!.push({ row, share: 1 });
    else for (const word of [before, own]) shares[word]!.push({ row, share: 0.5 });
  });
  return shares;
}
