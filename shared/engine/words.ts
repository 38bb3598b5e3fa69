/** Words of a text and how alike two of them are, for marks, snippets and explanations. */

/** A run of letters, digits and marks: `[start, end)` in UTF-16 units of the text it was found in. */
export interface Word {
  readonly start: number;
  readonly end: number;
  /** Without case and diacritics, so that two spellings of one word are equal. */
  readonly folded: string;
}

const PART = /^[\p{L}\p{N}\p{M}]$/u;
const MARKS = /\p{M}+/gu;

/** Which ASCII codes are letters or digits. */
const ASCII_PART = Uint8Array.from({ length: 128 }, (_, code) =>
  Number(PART.test(String.fromCharCode(code))),
);

/** The words of a text in order. Cost: linear, some nanoseconds an ASCII character: answers cut every hit's text. */
export function wordsOf(text: string): readonly Word[] {
  const words: Word[] = [];
  const lower = text.toLowerCase();
  let start = -1;
  let ascii = true;
  for (let at = 0; at <= text.length; ) {
    const code = at < text.length ? text.codePointAt(at)! : 0x20;
    const inside = code < 0x80 ? ASCII_PART[code] === 1 : PART.test(String.fromCodePoint(code));
    if (inside && start < 0) {
      start = at;
      ascii = true;
    }
    if (inside && code >= 0x80) ascii = false;
    if (!inside && start >= 0) {
      // Lower-casing may change a text's length, and then its places are those of another text.
      const plain = ascii && lower.length === text.length;
      words.push({ start, end: at, folded: plain ? lower.slice(start, at) : fold(text.slice(start, at)) });
      start = -1;
    }
    at += code > 0xffff ? 2 : 1;
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
  if (query.charCodeAt(0) !== word.charCodeAt(0)) return false;
  if (query === word) return true;
  const [shorter, longer] = query.length < word.length ? [query, word] : [word, query];
  return shorter.length >= STEM && longer.length - shorter.length <= SUFFIX && longer.startsWith(shorter);
}
