/** Words of a text and how alike two of them are, for marks, snippets and explanations. */

/** A run of letters, digits and marks: `[start, end)` in UTF-16 units of the text it was found in. */
export interface Word {
  readonly start: number;
  readonly end: number;
  /** Without case and diacritics, so that two spellings of one word are equal. */
  readonly folded: string;
}

// One character class repeated: linear on any text.
const RUN = /[\p{L}\p{N}\p{M}]+/gu;
const MARKS = /\p{M}+/gu;

/** The words of a text in order. Cost: linear. */
export function wordsOf(text: string): readonly Word[] {
  const words: Word[] = [];
  for (const match of text.matchAll(RUN)) {
    words.push({ start: match.index, end: match.index + match[0].length, folded: fold(match[0]) });
  }
  return words;
}

/** A word without case, diacritics and compatibility forms. */
export function fold(word: string): string {
  // Nearly every word is plain ASCII, for which normalisation changes nothing.
  if (isAscii(word)) return word.toLowerCase();
  return word.normalize("NFKD").replace(MARKS, "").toLowerCase();
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

/** Letters two words must share to count as forms of one, and letters by which the longer may go on. */
const STEM = 4;
const SUFFIX = 3;

/**
 * Whether a text's word shows a query's word: the same, or one the beginning of the other
 * with a short ending more ("index", "indexes"). Made for marks, which mislead less by an
 * inflection too many than by one too few; ranking does not use it.
 */
export function shows(query: string, word: string): boolean {
  if (query === word) return true;
  const [shorter, longer] = query.length < word.length ? [query, word] : [word, query];
  return shorter.length >= STEM && longer.length - shorter.length <= SUFFIX && longer.startsWith(shorter);
}
