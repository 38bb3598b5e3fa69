/**
 * Misspelt words of a query, replaced by words of the corpus. A word is taken for misspelt
 * only where nobody knows it: neither the corpus, whose every word is in the lexicon, nor
 * the tokenizer, whose vocabulary holds the usual words of its language whole.
 */
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { Correction } from "../types.ts";
import { codesOf, type ResidentLexicon, standingOf } from "./lexicon.ts";
import { nearestWord } from "./nearest-word.ts";
import type { QueryWord } from "./query-words.ts";
import { type Word, wordsOf } from "./words.ts";

/** A query as it is searched for. */
export interface SpeltQuery {
  /** What was typed, with the words in `corrections` replaced. */
  readonly text: string;
  /** In the order of the query. */
  readonly corrections: readonly Correction[];
}

/** Shorter words have too many neighbours to guess among. */
const SHORTEST = 4;
/** Words looked up among all others, so that a page pasted into the box costs no more than a sentence. */
const MOST_LOOKED_UP = 8;

const NO_WORDS: ReadonlySet<string> = new Set();

const LETTERS = /^\p{L}+$/u;
const CAPITAL_INSIDE = /^.+\p{Lu}/u;
/** What joins words to names of things: addresses, files, variables. */
const JOINS_BEFORE = /[\p{N}\p{Cf}_@.\\#$]$/u;
const JOINS_AFTER = /^(?:[_@\\\p{Cf}]|[.:][\p{L}\p{N}])/u;
/** How tokenizers other than BERT's write a word with a space before it. */
const WORD_STARTS = ["\u0120", "\u2581"];

/**
 * The query with its misspelt words replaced. `known` are words, folded, that the corpus has beside
 * those of the lexicon. Cost: a look-up or two per word; some 50 microseconds
 * more for each that is not known.
 */
export function correctQuery(
  query: string,
  lexicon: ResidentLexicon,
  tokenizer: Tokenizer,
  known: ReadonlySet<string> = NO_WORDS,
): SpeltQuery {
  const corrections: Correction[] = [];
  let lookedUp = 0;
  for (const word of wordsOf(query)) {
    if (word.folded.length < SHORTEST || tokenizer.idOf(word.folded) !== undefined) continue;
    if (known.has(word.folded)) continue;
    const letters = codesOf(lexicon, word.folded);
    if (letters === null) continue;
    const standing = standingOf(lexicon, letters);
    // The last word may not be finished: what a word begins with is on its way to it.
    if (standing === "word" || (standing === "beginning" && word.end === query.length)) continue;
    if (isWhole(word.folded, tokenizer) || isName(query, word)) continue;
    if (lookedUp++ === MOST_LOOKED_UP) break;
    const near = nearestWord(lexicon, letters);
    if (near === null) continue;
    const { start, end } = word;
    corrections.push({ word: query.slice(start, end), start, end, used: near.word });
  }
  return { text: corrections.length === 0 ? query : replaced(query, corrections), corrections };
}

/** Words of a corrected text, at the places and in the spelling they were typed. What stands in `folded` stays the word searched for. */
export function asTyped(
  words: readonly QueryWord[],
  corrections: readonly Correction[],
): readonly QueryWord[] {
  if (corrections.length === 0) return words;
  let at = 0;
  // How much further a place lies in the corrected text than in the typed one.
  let shift = 0;
  return words.map((word) => {
    let next = corrections[at];
    while (next !== undefined && word.start >= next.start + shift + next.used.length) {
      shift += next.used.length - next.word.length;
      next = corrections[++at];
    }
    if (next === undefined || word.start < next.start + shift)
      return { ...word, start: word.start - shift, end: word.end - shift };
    return { ...word, text: next.word, start: next.start, end: next.end };
  });
}

function replaced(query: string, corrections: readonly Correction[]): string {
  let text = "";
  let from = 0;
  for (const { start, end, used } of corrections) {
    text += query.slice(from, start) + used;
    from = end;
  }
  return text + query.slice(from);
}

/** Whether a tokenizer of another kind than BERT's holds a word whole. */
function isWhole(word: string, tokenizer: Tokenizer): boolean {
  return WORD_STARTS.some((mark) => tokenizer.idOf(mark + word) !== undefined);
}

/** Whether a word is part of an identifier, an address or an acronym, of which no misspelling is known. */
function isName(query: string, { start, end, folded }: Word): boolean {
  if (!LETTERS.test(folded)) return true;
  const isShouted = query === query.toUpperCase();
  if (!isShouted && CAPITAL_INSIDE.test(query.slice(start, end))) return true;
  return JOINS_BEFORE.test(query.slice(0, start)) || JOINS_AFTER.test(query.slice(end));
}
