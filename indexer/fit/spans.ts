/**
 * Texts shaped like queries, taken from the corpus itself: what the table is fitted to.
 *
 * A frozen encoder has never been asked to be additive. Over the short texts that occur
 * in one corpus it nearly is, so spans of that corpus teach the table more than any
 * general collection of queries (docs/decisions/0002-fit.md).
 */

import { sentences } from "../../shared/segment/sentences.ts";
import { Random } from "../random.ts";

/** How many spans to take. Ranges, defaults and effects are those of docs/method.md, section 2. */
export interface SpanPlan {
  /** Short spans wanted over the whole collection, at most `shortPerSentence` for each sentence. */
  readonly short: number;
  readonly shortPerSentence: number;
  /** Long spans wanted over the whole collection, at most `longPerDocument` for each document. */
  readonly long: number;
  readonly longPerDocument: number;
}

/** The prototype's totals, capped for small collections so that encoding them stays short. Fewer keep less: decision 0002. */
export const SPAN_PLAN: SpanPlan = { short: 30_000, shortPerSentence: 4, long: 12_000, longPerDocument: 3 };

/** Words of a short span, inside one sentence; and of a long one, across sentences. */
const SHORT_WORDS = [2, 3, 4, 5, 6, 8, 10, 12, 16, 24] as const;
const LONG_WORDS = [25, 32, 40, 50, 60] as const;
/** A sentence or document with fewer words gives no span of that kind. */
const LEAST_SHORT = 3;
const LEAST_LONG = 20;

/** What must be known of a collection before spans can be drawn from one of its documents. */
export interface SpanCounts {
  readonly documents: number;
  readonly sentences: number;
}

/** Sentences of a text that can give short spans. */
export function usableSentences(text: string): readonly (readonly [number, number])[] {
  return sentences(text).filter(([start, end]) => wordBounds(text, start, end).length >= LEAST_SHORT);
}

/**
 * The spans of one document: they depend on the seed, the document and the two counts
 * alone, not on the other documents' texts, so that an unchanged document of a growing
 * collection keeps most of its spans, and with them their cached encodings.
 */
export function spansOf(
  title: string,
  text: string,
  seed: number,
  counts: SpanCounts,
  plan: SpanPlan,
): string[] {
  const random = new Random(seed);
  const spans: string[] = [];
  const perSentence = Math.min(plan.shortPerSentence, plan.short / Math.max(1, counts.sentences));
  for (const [start, end] of usableSentences(text)) {
    const bounds = wordBounds(text, start, end);
    for (let left = drawCount(random, perSentence); left > 0; left--)
      spans.push(cut(text, bounds, SHORT_WORDS, random));
  }
  const bounds = wordBounds(text, 0, text.length);
  if (bounds.length >= LEAST_LONG) {
    const perDocument = Math.min(plan.longPerDocument, plan.long / Math.max(1, counts.documents));
    for (let left = drawCount(random, perDocument); left > 0; left--)
      spans.push(cut(text, bounds, LONG_WORDS, random));
  }
  if (wordBounds(title, 0, title.length).length >= 2) spans.push(title);
  return spans;
}

/** A whole number whose mean is `rate`. */
function drawCount(random: Random, rate: number): number {
  const whole = Math.floor(rate);
  return whole + (random.bits() / 2 ** 32 < rate - whole ? 1 : 0);
}

type Bounds = readonly (readonly [number, number])[];

/** A run of words, as the text has them. */
function cut(text: string, bounds: Bounds, lengths: readonly number[], random: Random): string {
  const length = Math.min(bounds.length, random.pick(lengths));
  const first = random.below(bounds.length - length + 1);
  return text.slice(bounds[first]![0], bounds[first + length - 1]![1]);
}

/** Runs without white space in `[start, end)`. */
function wordBounds(text: string, start: number, end: number): Bounds {
  const bounds: [number, number][] = [];
  for (const match of text.slice(start, end).matchAll(/\S+/gu)) {
    bounds.push([start + match.index, start + match.index + match[0].length]);
  }
  return bounds;
}
