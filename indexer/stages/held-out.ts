/** Questions cut out of documents, with what is left: judgements that nobody had to make. */

import { sentences } from "../../shared/segment/sentences.ts";
import { Random } from "../random.ts";
import type { Collection } from "./collect.ts";
import { type Corpus, textOf } from "./encode-corpus.ts";

/** A question and the rest of the chunk that it was cut from. */
export interface HeldOut {
  readonly question: string;
  /** All that is missing from the document: the title, or the whole sentence. */
  readonly cut: string;
  readonly rest: string;
  /** Number of the document, and of the chunk among its own. */
  readonly document: number;
  readonly chunk: number;
}

/** Words of a question that was cut out of a sentence. */
const WORDS = [3, 5, 8, 12, 20] as const;
/** Words that a sentence must have to give a question, and that must be left of the chunk. */
const LEAST_WORDS = 3;
const LEAST_REST = 8;

/**
 * Questions from these documents, in random order until there are `wanted`: the title, or some words of a
 * sentence, and then the whole sentence is missing from the rest. A document's title is asked
 * for only where it has one chunk: other chunks would still hold it.
 */
export async function cutQuestions(
  collection: Collection,
  corpus: Corpus,
  documents: readonly number[],
  wanted: number,
  seed: number,
): Promise<readonly HeldOut[]> {
  const random = new Random(seed);
  const found: HeldOut[] = [];
  for (const at of random.permutation(documents.length)) {
    if (found.length === wanted) break;
    const document = documents[at]!;
    const { fields } = await collection.read(document);
    const { passages } = corpus.documents[document]!;
    const chunk = random.below(passages.length);
    const { start, end } = passages[chunk]!;
    const title = textOf(fields.title).trim();
    const text = textOf(fields.text).slice(start, end);
    const byTitle = passages.length === 1 && wordsIn(title) >= 2 && (random.bits() & 1) === 1;
    const parts = byTitle ? { question: title, cut: title, rest: text } : cutSentence(title, text, random);
    if (parts !== null && wordsIn(parts.rest) >= LEAST_REST) found.push({ ...parts, document, chunk });
  }
  return found;
}

function cutSentence(
  title: string,
  text: string,
  random: Random,
): Pick<HeldOut, "question" | "cut" | "rest"> | null {
  const usable = sentences(text).filter(([start, end]) => wordsIn(text.slice(start, end)) >= LEAST_WORDS);
  if (usable.length < 2) return null;
  const [start, end] = random.pick(usable);
  const words = text.slice(start, end).trim().split(/\s+/u);
  const count = Math.min(words.length, random.pick(WORDS));
  const first = random.below(words.length - count + 1);
  return {
    question: words.slice(first, first + count).join(" "),
    cut: text.slice(start, end),
    rest: `${title} ${text.slice(0, start)}${text.slice(end)}`.trim(),
  };
}

function wordsIn(text: string): number {
  return text.match(/\S+/gu)?.length ?? 0;
}
