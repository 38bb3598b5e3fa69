/** Collection to lexicon: the words that its documents are written with, by which a query's misspelt ones are told. */
import { wordsOf } from "../../shared/engine/words.ts";
import {
  LEXICON_LETTERS,
  type LexiconEntry,
  type LexiconFile,
  packLexicon,
} from "../../shared/format/lexicon.ts";
import { FORMAT_LIMITS } from "../../shared/limits.ts";
import type { Progress } from "../progress.ts";
import type { Collection } from "./collect.ts";
import { textOf } from "./encode-corpus.ts";

/**
 * Letters of scripts that write words of few letters with spaces between. In others a
 * slip of the finger makes another character, and no word is near another.
 */
const SCRIPTS = ["Latin", "Greek", "Cyrillic", "Armenian", "Georgian", "Hebrew", "Arabic"];
const LETTERS = new RegExp(
  `^(?:(?=\\p{L})[${SCRIPTS.map((name) => `\\p{Script=${name}}`).join("")}])+$`,
  "u",
);
const MOST_LETTERS = 255;
const MOST_FREQUENCY = 65_535;

interface Seen {
  /** Documents with the word, and the last of them. */
  documents: number;
  last: number;
}

/** The lexicon of a collection; null where it has no word to put in one. Reads every document once. Memory: the distinct words. */
export async function makeLexicon(collection: Collection, progress: Progress): Promise<LexiconFile | null> {
  const stage = progress.stage("collect words", collection.ids.length);
  const seen = new Map<string, Seen>();
  for (let number = 0; number < collection.ids.length; number++) {
    const { fields } = await collection.read(number);
    note(seen, textOf(fields.title), number);
    note(seen, textOf(fields.text), number);
    stage.advance(1);
  }
  const entries = choose(seen);
  stage.done(`${entries.length} words`);
  return entries.length === 0 ? null : packLexicon(entries);
}

function note(seen: Map<string, Seen>, text: string, number: number): void {
  for (const { folded } of wordsOf(text)) {
    const known = seen.get(folded);
    if (known !== undefined) {
      if (known.last !== number) known.documents++;
      known.last = number;
      continue;
    }
    if (folded.length < LEXICON_LETTERS.least || folded.length > LEXICON_LETTERS.most) continue;
    if (!LETTERS.test(folded)) continue;
    // A piece of a text keeps the whole text in memory; a copy does not.
    const word = Buffer.from(folded, "utf16le").toString("utf16le");
    seen.set(word, { documents: 1, last: number });
  }
}

/** The words that go in, in the order of a lexicon: those of the usual letters, the most frequent where there are too many. */
function choose(seen: ReadonlyMap<string, Seen>): readonly LexiconEntry[] {
  const usual = usualLetters(seen);
  return [...seen]
    .filter(([word]) => isOf(word, usual))
    .sort(([a, one], [b, other]) => other.documents - one.documents || (a < b ? -1 : 1))
    .slice(0, FORMAT_LIMITS.lexiconWords)
    .map(([word, { documents }]) => ({ word, frequency: Math.min(documents, MOST_FREQUENCY) }))
    .sort((a, b) => (a.word < b.word ? -1 : 1));
}

function isOf(word: string, units: ReadonlySet<number>): boolean {
  for (let i = 0; i < word.length; i++) if (!units.has(word.charCodeAt(i))) return false;
  return true;
}

/** The UTF-16 units that an alphabet has room for, the most frequent, halves of pairs left out. */
function usualLetters(seen: ReadonlyMap<string, Seen>): ReadonlySet<number> {
  const counts = new Map<number, number>();
  for (const [word, { documents }] of seen) {
    for (let i = 0; i < word.length; i++) {
      const unit = word.charCodeAt(i);
      if (unit < 0xd800 || unit > 0xdfff) counts.set(unit, (counts.get(unit) ?? 0) + documents);
    }
  }
  const sorted = [...counts].sort(([a, one], [b, other]) => other - one || a - b);
  return new Set(sorted.slice(0, MOST_LETTERS).map(([unit]) => unit));
}
