/**
 * The tokens that the words of a text are on the sparse side. Where a space belongs to the word behind it, as in
 * byte-level BPE, a word at the start of a text would be another token than the same word elsewhere, and a query's
 * first word would match no document that has it in a sentence. So texts are taken as if a space stood before them,
 * as LightRetriever's queries are (`prepend_whitespace`, arXiv 2505.12260). Every other tokenizer gives its plain tokens.
 */
import type { Token, Tokenizer } from "../tokenizer/tokenizer.ts";

/** Whether a space belongs to the word behind it, by tokenizer: found by trying. */
const SPACED = new WeakMap<Tokenizer, boolean>();

/** The terms of a text, at most `limit` of them; of an empty one none. */
export function termIds(tokenizer: Tokenizer, text: string, limit?: number): number[] {
  return tokenizer.ids(text !== "" && isSpaced(tokenizer) ? ` ${text}` : text, limit);
}

/** The same terms with their places in the text. `tokens` are those of the text, which are its terms where no space counts. */
export function termTokens(tokenizer: Tokenizer, text: string, tokens: readonly Token[]): readonly Token[] {
  if (text === "" || !isSpaced(tokenizer)) return tokens;
  return tokenizer
    .tokens(` ${text}`)
    .map(({ id, start, end }) => ({ id, start: Math.max(0, start - 1), end: Math.max(0, end - 1) }));
}

function isSpaced(tokenizer: Tokenizer): boolean {
  let spaced = SPACED.get(tokenizer);
  if (spaced === undefined) {
    const [bare, behind] = [tokenizer.ids("a"), tokenizer.ids(" a")];
    spaced = bare.length === 1 && behind.length === 1 && bare[0] !== behind[0];
    SPACED.set(tokenizer, spaced);
  }
  return spaced;
}
