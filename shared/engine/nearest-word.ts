/**
 * The word of a lexicon that a misspelt one was most likely meant to be. Distance is that of
 * optimal string alignment: letters added, left out, exchanged, and neighbours swapped, none
 * touched twice (Damerau 1964; Boytsov 2011, section 2.2). The packed words are walked as the
 * tree they are: a row of the matrix belongs to a beginning, and all words that share it
 * share the row; where a whole row is too far away, so is all that goes on from there.
 */
import { LEXICON_BLOCK, LEXICON_LETTERS } from "../format/lexicon.ts";
import type { ResidentLexicon } from "./lexicon.ts";

/** A word found, how far it is from the one typed, and its number in the lexicon. */
export interface NearWord {
  readonly word: string;
  readonly number: number;
  readonly distance: number;
}

/**
 * One cell holds two numbers: `EDIT` times the distance, plus how unlikely the edits are, in
 * powers of 3 against the likeliest. The minimum is thereby the least distance and, among
 * its alignments, the likeliest. Two edits can be unlikely by 8 at most, far below `EDIT`.
 */
const EDIT = 64;
/** Two neighbours swapped: nearly every such word is a slip. */
export const SWAPPED = EDIT;
/** The key beside the one meant. */
export const BESIDE = EDIT + 1;
/** A letter typed once for twice, or twice for once. */
export const DOUBLED = EDIT + 1;
/** A letter left out or added. */
export const MISSING = EDIT + 2;
/** Any other letter in its place. */
export const EXCHANGED = EDIT + 4;
/** Another first letter than was typed: rare among misspellings (Pollock and Zamora 1984). */
export const OTHER_FIRST = 1;
/** Unlikelihood beyond which nothing goes: two exchanged letters, the first among them. */
const UNLIKELIEST = 9;
const FAR = 0xffff;

const WIDTH = LEXICON_LETTERS.most + 2;
/** Row d, column j: from the first d letters of the lexicon's word to the first j of the typed one. Reused; nothing waits in between. */
const rows = new Uint16Array((LEXICON_LETTERS.most + 2) * WIDTH);
const letters = new Uint8Array(LEXICON_LETTERS.most);

/**
 * The best word that may be offered for this one, given by its codes and not itself in the
 * lexicon, or null. Nearer is better; at the same distance a word counts by the documents it is in,
 * divided by 3 for every step that its edits are unlikely; then the first in order. Two edits
 * are allowed in words of at least `LONG` letters, and never change the first.
 */
export function nearestWord(lexicon: ResidentLexicon, typed: Uint8Array): NearWord | null {
  return walk(lexicon, typed, 1) ?? (typed.length >= LONG ? walk(lexicon, typed, 2) : null);
}

/** Letters from which a word may be two edits away. */
export const LONG = 8;

function walk(lexicon: ResidentLexicon, typed: Uint8Array, most: number): NearWord | null {
  const { starts, words, frequencies } = lexicon;
  const length = typed.length;
  const tooFar = (most + 1) * EDIT;
  let best: NearWord | null = null;
  let bestScore = 0;
  // Words that share so many letters with the one before cannot be near.
  let dead = FAR;
  firstRow(typed, most);
  for (let block = 0; block + 1 < starts.length; block++) {
    const end = starts[block + 1]!;
    // Where the next block still begins with what is too far, so does all of this one.
    if (dead !== FAR && end < words.length && beginsWith(words, end, dead)) continue;
    let number = block * LEXICON_BLOCK;
    for (let at = starts[block]!; at < end; number++) {
      const shared = words[at]!;
      const own = words[at + 1]!;
      const first = at + 2;
      at = first + own;
      if (shared >= dead) continue;
      dead = FAR;
      let depth = shared;
      for (let i = 0; i < own && dead === FAR; i++) {
        letters[depth++] = words[first + i]!;
        if (nextRow(lexicon, typed, depth, most) >= tooFar) dead = depth;
        else if (most > 1 && letters[0] !== typed[0]) dead = 1;
      }
      if (dead !== FAR || Math.abs(depth - length) > most) continue;
      const cell = rows[depth * WIDTH + length]!;
      if (cell >= tooFar) continue;
      const unlikely = (cell % EDIT) + (letters[0] === typed[0] ? 0 : OTHER_FIRST);
      const score = frequencies[number]! * 3 ** (UNLIKELIEST - unlikely);
      if (score <= bestScore) continue;
      bestScore = score;
      best = { word: spell(lexicon, depth), number, distance: Math.floor(cell / EDIT) };
    }
  }
  return best;
}

/** Whether the first word of a block begins with these letters of the word before it. */
function beginsWith(words: Uint8Array, at: number, count: number): boolean {
  if (words[at + 1]! < count) return false;
  for (let i = 0; i < count; i++) if (words[at + 2 + i] !== letters[i]) return false;
  return true;
}

function firstRow(typed: Uint8Array, most: number): void {
  rows[0] = 0;
  for (let j = 1; j <= Math.min(typed.length, most); j++) rows[j] = rows[j - 1]! + added(typed, j);
  rows[most + 1] = FAR;
}

/** Fills row `depth` within `most` of the diagonal, with a wall on either side. Gives its least cell. */
function nextRow({ beside }: ResidentLexicon, typed: Uint8Array, depth: number, most: number): number {
  const row = depth * WIDTH;
  const above = row - WIDTH;
  const letter = letters[depth - 1]!;
  const left = depth > 1 && letters[depth - 2] === letter ? DOUBLED : MISSING;
  const from = Math.max(1, depth - most);
  const to = Math.min(typed.length, depth + most);
  rows[row + from - 1] = from === 1 && depth <= most ? rows[above]! + left : FAR;
  let least = rows[row + from - 1]!;
  for (let j = from; j <= to; j++) {
    const other = typed[j - 1]!;
    let cell = rows[above + j - 1]!;
    if (other !== letter)
      cell += beside[letter * 32 + (other >> 3)]! & (1 << (other & 7)) ? BESIDE : EXCHANGED;
    cell = Math.min(cell, rows[above + j]! + left, rows[row + j - 1]! + added(typed, j));
    if (depth > 1 && j > 1 && letter !== other && letter === typed[j - 2] && letters[depth - 2] === other)
      cell = Math.min(cell, rows[above - WIDTH + j - 2]! + SWAPPED);
    rows[row + j] = cell;
    if (cell < least) least = cell;
  }
  rows[row + to + 1] = FAR;
  return least;
}

/** What letter j of the typed word costs where the other has none for it. */
function added(typed: Uint8Array, j: number): number {
  return j > 1 && typed[j - 1] === typed[j - 2] ? DOUBLED : MISSING;
}

function spell({ alphabet }: ResidentLexicon, length: number): string {
  let word = "";
  for (let i = 0; i < length; i++) word += String.fromCharCode(alphabet[letters[i]!]!);
  return word;
}
