/** Optimal string alignment as the textbook has it: the whole matrix, one word against one. */
import { keysBeside } from "../../../shared/engine/keyboard.ts";
import {
  BESIDE,
  DOUBLED,
  EXCHANGED,
  LONG,
  MISSING,
  OTHER_FIRST,
  SWAPPED,
} from "../../../shared/engine/nearest-word.ts";
import type { LexiconEntry } from "../../../shared/format/lexicon.ts";

/** Cost of the cheapest alignment, where each edit costs 64 and what it is unlikely besides. */
export function alignment(word: string, typed: string): number {
  const letter = (text: string, at: number) => (text[at - 1] === text[at - 2] ? DOUBLED : MISSING);
  const cells: number[][] = [[0]];
  for (let i = 0; i <= word.length; i++) {
    const row: number[] = i === 0 ? cells[0]! : [];
    cells[i] = row;
    for (let j = 0; j <= typed.length; j++) {
      const [a, b] = [word[i - 1], typed[j - 1]];
      const ways = i + j === 0 ? [0] : [];
      if (i > 0) ways.push(cells[i - 1]![j]! + letter(word, i));
      if (j > 0) ways.push(row[j - 1]! + letter(typed, j));
      if (i > 0 && j > 0) {
        const edit = a === b ? 0 : keysBeside(a!).includes(b!) ? BESIDE : EXCHANGED;
        ways.push(cells[i - 1]![j - 1]! + edit);
      }
      if (i > 1 && j > 1 && a !== b && a === typed[j - 2] && b === word[i - 2])
        ways.push(cells[i - 2]![j - 2]! + SWAPPED);
      row[j] = Math.min(...ways);
    }
  }
  return cells[word.length]![typed.length]!;
}

/** The best word for a typed one, by looking at all of them; null where none is near enough. */
export function nearestByForce(entries: readonly LexiconEntry[], typed: string): string | null {
  const ranked = entries
    .map(({ word, frequency }, order) => {
      const cost = alignment(word, typed);
      const sameFirst = word[0] === typed[0];
      const distance = Math.floor(cost / 64);
      const unlikely = (cost % 64) + (sameFirst ? 0 : OTHER_FIRST);
      const isNear = distance <= 1 || (distance === 2 && typed.length >= LONG && sameFirst);
      return { word, distance, score: frequency / 3 ** unlikely, order, isNear };
    })
    .filter(({ isNear }) => isNear)
    .sort((a, b) => a.distance - b.distance || b.score - a.score || a.order - b.order);
  return ranked[0]?.word ?? null;
}
