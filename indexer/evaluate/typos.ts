/** Queries with one slip of the finger in them, for measuring what a typo costs a search. */
import { keysBeside } from "../../shared/engine/keyboard.ts";
import type { Random } from "../random.ts";

/** Two neighbours swapped, a letter left out, a letter too many, or the key beside the one meant. */
export type TypoKind = "swap" | "drop" | "insert" | "substitute";
/** The kinds of typo, in the order they are reported. */
export const TYPO_KINDS = ["swap", "drop", "insert", "substitute"] as const satisfies readonly TypoKind[];

const LETTERS = "abcdefghijklmnopqrstuvwxyz";
/** Words of letters alone; a token with a digit is an identifier, of which no misspelling is a typo. */
const WORD = /(?<![\p{L}\p{N}\p{M}])[A-Za-z]{4,}(?![\p{L}\p{N}\p{M}])/gu;
/** Words of at least four letters that say nothing about what is looked for. */
const STOPWORDS: ReadonlySet<string> = new Set(
  (
    "about above after again against also another because been before being below between both could does " +
    "doing down during each from further have having here into itself just many more most much only other " +
    "ours over same should some such than that their theirs them then there these they this those through " +
    "under until upon very were what when where which while whom whose will with within without would your " +
    "yours"
  ).split(" "),
);

/**
 * The text with one typo of this kind in one of its words, never equal to the text. The
 * word is any of at least four letters a to z that is no stopword, the place any in the
 * word. Null where no word can have such a typo.
 */
export function withTypo(text: string, kind: TypoKind, random: Random): string | null {
  const words = [...text.matchAll(WORD)].filter(([word]) => !STOPWORDS.has(word.toLowerCase()));
  // One draw whatever the kind, so that equal seeds spoil the same word in each kind.
  for (const at of random.permutation(words.length)) {
    const { 0: word, index } = words[at]!;
    const spoilt = spoil(word, kind, random);
    if (spoilt !== null) return text.slice(0, index) + spoilt + text.slice(index + word.length);
  }
  return null;
}

function spoil(word: string, kind: TypoKind, random: Random): string | null {
  switch (kind) {
    case "swap": {
      const places = [...word.slice(1)].flatMap((letter, at) => (letter === word[at] ? [] : [at]));
      if (places.length === 0) return null;
      const at = random.pick(places);
      return word.slice(0, at) + word[at + 1]! + word[at]! + word.slice(at + 2);
    }
    case "drop": {
      const at = random.below(word.length);
      return word.slice(0, at) + word.slice(at + 1);
    }
    case "insert": {
      const at = random.below(word.length + 1);
      return word.slice(0, at) + random.pick([...LETTERS]) + word.slice(at);
    }
    case "substitute": {
      const at = random.below(word.length);
      const letter = word[at]!;
      const typed = random.pick([...keysBeside(letter.toLowerCase())]);
      return (
        word.slice(0, at) +
        (letter === letter.toLowerCase() ? typed : typed.toUpperCase()) +
        word.slice(at + 1)
      );
    }
  }
}
