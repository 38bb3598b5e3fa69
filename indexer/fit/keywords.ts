/**
 * Texts as people type them: a few telling words of a document, in its order and nothing
 * between them. Spans teach a table the grammar of the corpus; many queries have none.
 */
import { wordsOf } from "../../shared/engine/words.ts";
import { Random } from "../random.ts";

/** How many keyword texts to take. */
export interface KeywordPlan {
  /** Texts wanted over the whole collection, at most `perDocument` for each document. */
  readonly total: number;
  readonly perDocument: number;
}

/** The plan every index is built with; decision 0008 has what it brings. */
export const KEYWORD_PLAN: KeywordPlan = { total: 15_000, perDocument: 6 };

/** Words of a text, each as likely as the other. */
const LENGTHS = [1, 2, 2, 3, 3, 4, 5, 6, 8] as const;
/** Half of the texts take their words from so many neighbouring ones, half from the whole document. */
const WINDOW = 30;

/**
 * The keyword texts of one document: they depend on the seed, the document and the weights
 * alone. `weigh` gives a word's weight, 0 to leave it out: the greater, the likelier it is drawn.
 */
export function keywordsOf(
  text: string,
  seed: number,
  documents: number,
  weigh: (word: string) => number,
  plan: KeywordPlan = KEYWORD_PLAN,
): string[] {
  const random = new Random(seed ^ 0x5bd1e995);
  const rate = Math.min(plan.perDocument, plan.total / Math.max(1, documents));
  const count = Math.floor(rate) + (random.bits() / 2 ** 32 < rate % 1 ? 1 : 0);
  const words = wordsOf(text).map(({ start, end }) => text.slice(start, end));
  if (words.length === 0) return [];
  return Array.from({ length: count }, () => {
    const first = random.bits() & 1 ? random.below(words.length) : 0;
    const last = first > 0 ? first + WINDOW : words.length;
    return draw([...new Set(words.slice(first, last))], random.pick(LENGTHS), random, weigh).join(" ");
  }).filter((drawn) => drawn !== "");
}

/**
 * So many of the words, in their order, drawn without putting back in proportion to their
 * weights: the greatest of u^(1 / weight) (Efraimidis and Spirakis 2006, algorithm A).
 */
function draw(
  words: readonly string[],
  count: number,
  random: Random,
  weigh: (word: string) => number,
): readonly string[] {
  return words
    .map((word, at) => {
      const weight = weigh(word);
      const key = Math.log((random.bits() + 1) / 2 ** 32) / weight;
      return { word, at, key: weight > 0 ? key : Number.NEGATIVE_INFINITY };
    })
    .filter(({ key }) => key > Number.NEGATIVE_INFINITY)
    .sort((a, b) => b.key - a.key || a.at - b.at)
    .slice(0, count)
    .sort((a, b) => a.at - b.at)
    .map(({ word }) => word);
}
