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
 * else a word of its own (punctuation, symbols), so that shares of words add up to the whole.
 */
export function queryWords(
  query: string,
  tokens: readonly Token[],
  table: ResidentTable,
): readonly QueryWord[] {
  const runs = wordsOf(query);
  const words: { start: number; end: number; tokens: number[] }[] = [];
  const owners: number[] = [];
  let at = 0;
  let current = -1;
  for (const token of tokens) {
    while (at < runs.length && runs[at]!.end <= token.start) at++;
    const run = runs[at];
    // A byte-level token may start with the space before its word.
    const inside = run !== undefined && run.start < token.end;
    if (inside && current === at) words[words.length - 1]!.tokens.push(token.id);
    else {
      const { start, end } = inside ? run : token;
      words.push({ start, end, tokens: [token.id] });
    }
    current = inside ? at : -1;
    owners.push(words.length - 1);
  }
  const rows = rowShares(tokens, owners, words.length, table);
  return words.map(({ start, end, tokens: ids }, number) => {
    const text = query.slice(start, end);
    const weight = ids.reduce((most, id) => Math.max(most, table.weights[id] ?? 0), 0);
    return {
      text,
      start,
      end,
      folded: fold(text),
      tokens: ids,
      rows: rows[number]!,
      weight: weight / table.meta.weight_scale,
    };
  });
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
