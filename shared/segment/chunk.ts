import { LightedgeError } from "../errors.ts";
import type { SourceDocument } from "./document.ts";
import { pack, type Unit, unitsOf } from "./pack.ts";

/** A stretch of a document that is encoded as one vector and one posting list. */
export interface Chunk {
  /** `[start, end)` in UTF-16 units of `fields.text`, no white space at either end; both 0 where the document has no text. */
  readonly start: number;
  readonly end: number;
  /** The nearest heading at or above `start`, and its anchor; absent in front of the first heading. */
  readonly heading?: string;
  readonly anchor?: string;
  /** What is encoded: title, heading (unless the slice opens with it or the title says it) and slice, joined by spaces. */
  readonly text: string;
}

/** How documents are cut. */
export interface ChunkOptions {
  /** Tokens of a text, special tokens left out. Must add up over pieces cut at white space. */
  readonly countTokens: (text: string) => number;
  /** Tokens of `Chunk.text`, at least 2; what the encoder adds (prompt, special tokens) is the caller's to subtract. */
  readonly maxTokens: number;
  /** Tokens at most that a chunk repeats from the one before it in the same section, in whole sentences; 0 by default. */
  readonly overlapTokens?: number;
}

/** A section below this many tokens shares a chunk: a vector of three words says little. */
const SMALL_SECTION = 32;

/** A chunk in the making. `budget` is for the slice alone; `prefix` is the heading as far as it is encoded. */
interface Span extends Unit {
  readonly budget: number;
  readonly prefix: string;
  readonly heading?: string;
  readonly anchor?: string;
}

/**
 * The chunks of a document in the order of its text. Together they cover every
 * character that is not white space. Sections are cut apart, sentences are kept
 * whole where they fit, and a section that needs n chunks gets n of about equal
 * length. A section of fewer than 32 tokens (or a quarter of `maxTokens`) shares a
 * chunk with the one before it where both fit, under the first one's heading.
 *
 * Title and heading may take half of the budget: beyond that the heading is left out
 * of the encoded text and the title is cut. Without text there is one chunk with an
 * empty slice; without a title either, its text is empty and the document can be
 * found by its id alone. Only a single code point can break the budget.
 *
 * Cost: one count per sentence, title and heading, and about two per part of a
 * sentence above the budget. Throws `usage/invalid` for options out of range.
 */
export function chunkDocument(document: SourceDocument, options: ChunkOptions): readonly Chunk[] {
  const { maxTokens, overlapTokens = 0, countTokens } = options;
  if (!(maxTokens >= 2)) throw outOfRange("maxTokens", maxTokens, "2 or more", 2);
  if (!(overlapTokens >= 0 && overlapTokens <= maxTokens / 2)) {
    throw outOfRange("overlapTokens", overlapTokens, "0 to half of maxTokens", maxTokens / 2);
  }
  const text = stringField(document, "text");
  const fullTitle = stringField(document, "title").trim();
  if (text.trim() === "")
    return [{ start: 0, end: 0, text: cutTitle(fullTitle, maxTokens, countTokens).text }];

  const half = Math.floor(maxTokens / 2);
  const small = Math.min(SMALL_SECTION, Math.floor(maxTokens / 4));
  const title = cutTitle(fullTitle, half, countTokens);
  const spans: Span[] = [];
  for (const { start, end, heading, anchor } of segments(document, text.length)) {
    const said = heading === undefined || heading === fullTitle;
    const cost = said ? 0 : countTokens(heading);
    const prefix = said || title.tokens + cost > half ? "" : heading;
    const budget = maxTokens - title.tokens - (prefix === "" ? 0 : cost);
    const units = unitsOf(text, start, end, budget, countTokens);
    const packed = pack(units, budget, Math.min(overlapTokens, Math.floor(budget / 2)));
    const section = {
      ...(heading === undefined ? {} : { heading }),
      ...(anchor === undefined ? {} : { anchor }),
    };
    packed.forEach((unit, i) => {
      const opens = i === 0 && text.startsWith(prefix, unit.start);
      const span = { ...unit, ...section, budget, prefix: opens ? "" : prefix };
      const last = spans.at(-1);
      if (packed.length === 1 && last !== undefined && mayJoin(last, unit, small)) {
        spans[spans.length - 1] = { ...last, end: unit.end, tokens: last.tokens + unit.tokens };
      } else spans.push(span);
    });
  }
  return spans.map(({ start, end, heading, anchor, prefix }) => ({
    start,
    end,
    ...(heading === undefined ? {} : { heading }),
    ...(anchor === undefined ? {} : { anchor }),
    text: [title.text, prefix, text.slice(start, end)].filter((part) => part !== "").join(" "),
  }));
}

/** Whether a whole section may go into the chunk before it. */
function mayJoin(last: Span, unit: Unit, small: number): boolean {
  return (last.tokens < small || unit.tokens < small) && last.tokens + unit.tokens <= last.budget;
}

/** The stretches that begin at the headings, and the one in front of the first. */
function segments(document: SourceDocument, length: number) {
  const { sections } = document;
  const opening = { start: 0, heading: undefined, anchor: undefined };
  return [opening, ...sections]
    .map(({ start, heading, anchor }, i) => ({ start, end: sections[i]?.start ?? length, heading, anchor }))
    .filter(({ start, end }) => start < end);
}

/** As much of a title as fits, cut like a sentence. */
function cutTitle(title: string, limit: number, countTokens: ChunkOptions["countTokens"]) {
  if (title === "") return { text: "", tokens: 0 };
  const tokens = countTokens(title);
  if (tokens <= limit) return { text: title, tokens };
  const kept = { end: 0, tokens: 0 };
  for (const unit of unitsOf(title, 0, title.length, limit, countTokens)) {
    if (kept.tokens + unit.tokens > limit) break;
    kept.end = unit.end;
    kept.tokens += unit.tokens;
  }
  return { text: title.slice(0, kept.end), tokens: kept.tokens };
}

function stringField(document: SourceDocument, name: "title" | "text"): string {
  const value = document.fields[name];
  return typeof value === "string" ? value : "";
}

function outOfRange(field: string, value: number, range: string, limit: number): LightedgeError {
  return new LightedgeError("usage/invalid", `${field} must be ${range}, not ${value}.`, {
    field,
    value: String(value),
    limit,
  });
}
