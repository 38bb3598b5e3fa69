/** The stretch of a passage that shows best why it was found. */
import type { Snippet } from "../types.ts";
import type { QueryWord } from "./query-words.ts";
import { shows, type Word, wordsOf } from "./words.ts";

/** UTF-16 units of a snippet, at most: about three lines of a result list. */
const LENGTH = 240;
/** A word counts for marks when it weighs this share of the query's heaviest: so "the" is not marked beside "genome". */
const NOTABLE = 0.3;

/**
 * A snippet of `text` within `[start, end)`: the window that holds most of the query's
 * weight, each word counted once, the earlier one on a tie. The snippet is an exact slice
 * of the text and never cuts a word shorter than itself. Cost: linear in the passage.
 */
export function makeSnippet(text: string, start: number, end: number, query: readonly QueryWord[]): Snippet {
  const passage = text.slice(start, end);
  const words = wordsOf(passage);
  const notable = notableWords(query);
  const found = words.map((word) => notable.findIndex(({ folded }) => shows(folded, word.folded)));
  const [first, last] = bestWindow(passage, words, found, notable);
  const marks: (readonly [number, number])[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (found[i]! >= 0 && word.start >= first && word.end <= last)
      marks.push([word.start - first, word.end - first]);
  }
  return { text: passage.slice(first, last), marks };
}

function notableWords(query: readonly QueryWord[]): readonly QueryWord[] {
  const heaviest = query.reduce((most, { weight }) => Math.max(most, weight), 0);
  return query.filter(({ weight }) => weight > 0 && weight >= NOTABLE * heaviest);
}

/** `[first, last)` of the window in the passage. */
function bestWindow(
  passage: string,
  words: readonly Word[],
  found: readonly number[],
  notable: readonly QueryWord[],
): readonly [number, number] {
  const counts = new Uint32Array(notable.length);
  let weight = 0;
  let bestWeight = 0;
  let best = 0;
  let bestEnd = 0;
  for (let right = 0, left = 0; right < words.length; right++) {
    const entering = found[right]!;
    if (entering >= 0 && counts[entering]!++ === 0) weight += notable[entering]!.weight;
    while (left < right && words[right]!.end - words[left]!.start > LENGTH) {
      const leaving = found[left++]!;
      if (leaving >= 0 && --counts[leaving]! === 0) weight -= notable[leaving]!.weight;
    }
    if (weight > bestWeight + 1e-9) {
      bestWeight = weight;
      best = left;
      bestEnd = right;
    }
  }
  // The window ends with a word found and is as long as can be; what leads up to the first one is free again.
  while (best < bestEnd && found[best]! < 0) best++;
  return fill(passage, words, best, bestEnd);
}

/**
 * The window widened to the full length: back to the start of its sentence if that is near,
 * then forwards, and back again for what the passage's end leaves over.
 */
function fill(
  passage: string,
  words: readonly Word[],
  left: number,
  right: number,
): readonly [number, number] {
  if (words.length === 0) return [0, cutAt(passage, LENGTH)];
  const fits = (begin: number, last: number) => words[last]!.end - begin <= LENGTH;
  const opening = passage.length - passage.trimStart().length;
  const beginAt = (first: number, last: number) =>
    first === 0 && fits(opening, last) ? opening : words[first]!.start;
  let first = left;
  // Begin at a sentence's start where one lies at most a third of the window before the first word found.
  const earliest = words[left]!.start - LENGTH / 3;
  while (first > 0 && words[first - 1]!.start >= earliest && fits(words[first - 1]!.start, right)) {
    if (endsSentence(passage, words[first - 1]!.end, words[first]!.start)) break;
    first--;
  }
  let begin = beginAt(first, right);
  let last = right;
  while (last + 1 < words.length && fits(begin, last + 1)) last++;
  if (last + 1 < words.length) return [begin, begin + cutAt(passage.slice(begin, words[last]!.end), LENGTH)];
  while (first > 0 && fits(words[first - 1]!.start, last)) first--;
  begin = beginAt(first, last);
  return [begin, begin + cutAt(passage.slice(begin).trimEnd(), LENGTH)];
}

function endsSentence(text: string, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (".!?\n。！？".includes(text[i]!)) return true;
  return false;
}

/** At most this many units, never between the halves of a surrogate pair. */
function cutAt(text: string, units: number): number {
  if (text.length <= units) return text.length;
  const before = text.charCodeAt(units - 1);
  return before >= 0xd800 && before <= 0xdbff ? units - 1 : units;
}
