/** The words of a corpus as they lie in memory: which are there, and which others begin with them. */
import { LEXICON_LETTERS, type LexiconFile } from "../format/lexicon.ts";
import { keysBeside } from "./keyboard.ts";

/** The code of a letter that no word of a lexicon has. */
export const NO_LETTER = 255;

/** A lexicon, ready to be asked. Its words stay packed as in the file. */
export interface ResidentLexicon extends LexiconFile {
  /** Code of each UTF-16 unit up to the greatest that is a letter of the lexicon, `NO_LETTER` for those that are none. */
  readonly codes: Uint8Array<ArrayBuffer>;
  /** 256 x 256 bits: whether the keys of two codes lie beside each other. */
  readonly beside: Uint8Array<ArrayBuffer>;
}

/** How a text stands to a lexicon: one of its words, the beginning of one, or neither. */
export type Standing = "word" | "beginning" | "neither";

/** Copies a lexicon; the file's bytes can be dropped afterwards. */
export function residentLexicon({
  meta,
  alphabet,
  starts,
  words,
  frequencies,
}: LexiconFile): ResidentLexicon {
  const codes = new Uint8Array(alphabet[alphabet.length - 1]! + 1).fill(NO_LETTER);
  const beside = new Uint8Array((256 * 256) / 8);
  alphabet.forEach((unit, code) => {
    codes[unit] = code;
  });
  alphabet.forEach((unit, code) => {
    for (const key of keysBeside(String.fromCharCode(unit))) {
      const other = codes[key.charCodeAt(0)] ?? NO_LETTER;
      if (other !== NO_LETTER) beside[code * 32 + (other >> 3)]! |= 1 << (other & 7);
    }
  });
  return {
    meta,
    alphabet: alphabet.slice(),
    starts: starts.slice(),
    words: words.slice(),
    frequencies: frequencies.slice(),
    codes,
    beside,
  };
}

/** Bytes that this lexicon holds. */
export function residentLexiconBytes({
  alphabet,
  starts,
  words,
  frequencies,
  codes,
  beside,
}: ResidentLexicon): number {
  return [alphabet, starts, words, frequencies, codes, beside].reduce(
    (bytes, view) => bytes + view.byteLength,
    0,
  );
}

/** The codes of a word's letters, `NO_LETTER` for those of no word; null for a word that is too long. */
export function codesOf({ codes }: ResidentLexicon, word: string): Uint8Array | null {
  if (word.length > LEXICON_LETTERS.most) return null;
  const letters = new Uint8Array(word.length);
  for (let i = 0; i < word.length; i++) letters[i] = codes[word.charCodeAt(i)] ?? NO_LETTER;
  return letters;
}

/**
 * Finds a word, given by its codes. Cost: bisection over the blocks, then some 16 words of
 * one block, of which only the letters that can still differ are looked at.
 */
export function standingOf(lexicon: ResidentLexicon, word: Uint8Array): Standing {
  const { starts, words } = lexicon;
  let low = 0;
  let high = starts.length - 1;
  // The last block whose first word is not above this one, or the first block.
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (headIsAbove(words, starts[middle]!, word)) high = middle;
    else low = middle;
  }
  const end = starts[low + 1]!;
  let same = 0;
  for (let at = starts[low]!; at < end; ) {
    const shared = words[at]!;
    const own = words[at + 1]!;
    const first = at + 2;
    at = first + own;
    // It shares more with the word before than we do, so it is below us as that one is; with less, it is above.
    if (shared > same) continue;
    if (shared < same) return "neither";
    let i = 0;
    while (i < own && same < word.length && words[first + i] === word[same]) {
      i++;
      same++;
    }
    if (same === word.length) return i === own ? "word" : "beginning";
    if (i < own && words[first + i]! > word[same]!) return "neither";
  }
  // Above all words of its block: only the head of the next can begin with it.
  return low + 2 < starts.length && headBeginsWith(words, end, word) ? "beginning" : "neither";
}

function headIsAbove(words: Uint8Array, at: number, word: Uint8Array): boolean {
  const length = words[at + 1]!;
  for (let i = 0; i < length; i++) {
    if (i === word.length) return true;
    const difference = words[at + 2 + i]! - word[i]!;
    if (difference !== 0) return difference > 0;
  }
  return false;
}

function headBeginsWith(words: Uint8Array, at: number, word: Uint8Array): boolean {
  if (words[at + 1]! < word.length) return false;
  for (let i = 0; i < word.length; i++) if (words[at + 2 + i] !== word[i]) return false;
  return true;
}
