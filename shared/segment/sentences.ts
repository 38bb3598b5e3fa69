/**
 * A sentence splitter for documents of any kind: no dictionary beyond a few
 * abbreviations, no regular expression, one pass. Each character is looked at a
 * bounded number of times, so a hostile text costs no more than an honest one.
 */

/** Abbreviations after which a sentence goes on, whatever follows. */
const ALWAYS = new Set(
  "mr mrs ms dr prof rev gen sen rep gov capt lt sgt st mt vs viz cf al e.g i.e eg ie approx ca resp".split(
    " ",
  ),
);
/** Abbreviations that may close a sentence: it goes on when a lower-case letter or a digit follows. */
const BEFORE_LOWER = new Set(
  "etc inc ltd co corp jr sr dept univ est a.m p.m ph.d jan feb mar apr jun jul aug sep sept oct nov dec".split(
    " ",
  ),
);
/** Words that are abbreviations only in front of a number: "no. 5" against "she said no." */
const BEFORE_DIGIT = new Set("no nos fig figs vol vols p pp sec ch eq eqs art ref refs tab ver".split(" "));
/** Units looked back from a full stop for an abbreviation; longer words are none. */
const LOOK_BACK = 8;

const NEWLINE = 0x0a;
const FULL_STOP = 0x2e;
const ELLIPSIS = 0x2026;

/** Whether a UTF-16 unit is white space: the set of `\s`, so that "blank" means the same everywhere. */
export function isSpace(unit: number): boolean {
  if (unit <= 0x20) return unit === 0x20 || (unit >= 0x09 && unit <= 0x0d);
  if (unit < 0xa0) return false;
  if (unit >= 0x2000 && unit <= 0x200a) return true;
  return (
    unit === 0xa0 ||
    unit === 0x1680 ||
    unit === 0x2028 ||
    unit === 0x2029 ||
    unit === 0x202f ||
    unit === 0x205f ||
    unit === 0x3000 ||
    unit === 0xfeff
  );
}

/**
 * The sentences of a text as `[start, end)` in UTF-16 units: ascending, disjoint,
 * without white space at either end, covering every character that is not white
 * space. A sentence ends
 * - after `.`, `!`, `?` or an ellipsis, closing quotes and brackets included, where
 *   white space follows; not after known abbreviations, initials and list numbers;
 * - after the full-width stops of Chinese and Japanese, white space or not;
 * - at a line end, unless the next line goes on at once with a lower-case letter,
 *   as a hard-wrapped paragraph does; an empty line always ends it.
 *
 * Cost: linear in the text; no copy of it is made.
 */
export function sentences(text: string): readonly (readonly [number, number])[] {
  const found: (readonly [number, number])[] = [];
  const length = text.length;
  let start = skipSpace(text, 0);
  let at = start;
  while (at < length) {
    const end = sentenceEnd(text, start, at);
    if (end < 0) {
      at = -end;
      continue;
    }
    found.push([start, end]);
    start = skipSpace(text, end);
    at = start;
  }
  if (start < length) found.push([start, lastNonSpace(text, start, length)]);
  return found;
}

/** The end of the sentence if it ends at this unit, otherwise minus the unit to look at next. */
function sentenceEnd(text: string, start: number, at: number): number {
  const unit = text.charCodeAt(at);
  if (isSpace(unit)) {
    const next = skipSpace(text, at);
    return breaksLine(text, at, next) ? at : -next;
  }
  if (isFullWidthStop(unit)) return afterClosers(text, at + 1);
  if (!isStop(unit)) return -(at + 1);
  let run = at + 1;
  while (run < text.length && isStop(text.charCodeAt(run))) run++;
  const end = afterClosers(text, run);
  if (end >= text.length) return end;
  if (!isSpace(text.charCodeAt(end))) return -end;
  const next = text.charCodeAt(skipSpace(text, end));
  // A full stop alone is the doubtful one; "..." trails off when the next word is in lower case.
  if (unit === FULL_STOP && run === at + 1) return goesOn(text, start, at, next) ? -end : end;
  if ((unit === ELLIPSIS || unit === FULL_STOP) && isLower(next)) return -end;
  return end;
}

/** Whether the white space `[at, next)` ends a sentence by its line ends. */
function breaksLine(text: string, at: number, next: number): boolean {
  let lines = 0;
  for (let i = at; i < next; i++) if (text.charCodeAt(i) === NEWLINE) lines++;
  if (lines !== 1) return lines > 1;
  // An indented line is code or a list, not a wrapped paragraph.
  return text.charCodeAt(next - 1) !== NEWLINE || !isLower(text.charCodeAt(next));
}

/** Whether the full stop at `at` belongs to an abbreviation, an initial or a list number. */
function goesOn(text: string, start: number, at: number, next: number): boolean {
  let from = at;
  while (from > start && at - from <= LOOK_BACK && isWordUnit(text.charCodeAt(from - 1))) from--;
  if (at - from > LOOK_BACK || from === at) return false;
  const word = text.slice(from, at);
  // "3." at the start of a sentence numbers it.
  if (from === start && isDigits(word)) return true;
  // "J." and the last letter of "U.S.": an upper-case letter on its own.
  const alone = word.length === 1 || word.charCodeAt(word.length - 2) === FULL_STOP;
  const last = word.charCodeAt(word.length - 1);
  if (alone && last !== 0x49 && last >= 0x41 && last <= 0x5a) return true;
  const lower = word.toLowerCase();
  if (ALWAYS.has(lower)) return true;
  if (BEFORE_LOWER.has(lower)) return isLower(next) || isDigit(next);
  return BEFORE_DIGIT.has(lower) && isDigit(next);
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && isSpace(text.charCodeAt(at))) at++;
  return at;
}

function lastNonSpace(text: string, start: number, end: number): number {
  let at = end;
  while (at > start && isSpace(text.charCodeAt(at - 1))) at--;
  return at;
}

function afterClosers(text: string, from: number): number {
  let at = from;
  while (at < text.length && CLOSERS.has(text.charCodeAt(at))) at++;
  return at;
}

/** Closing quotes and brackets, straight, typographic and full-width. */
const CLOSERS = new Set(
  Array.from("\"')]}\u2019\u201d\u00bb\u203a\u300d\u300f\u3011\uff09", (c) => c.charCodeAt(0)),
);

function isStop(unit: number): boolean {
  return unit === FULL_STOP || unit === 0x21 || unit === 0x3f || unit === ELLIPSIS;
}

/** Ideographic and half-width full stop, full-width exclamation and question mark. */
function isFullWidthStop(unit: number): boolean {
  return unit === 0x3002 || unit === 0xff61 || unit === 0xff01 || unit === 0xff1f;
}

function isWordUnit(unit: number): boolean {
  return unit === FULL_STOP || isDigit(unit) || isAsciiLetter(unit);
}

function isAsciiLetter(unit: number): boolean {
  return (unit >= 0x41 && unit <= 0x5a) || (unit >= 0x61 && unit <= 0x7a);
}

function isDigit(unit: number): boolean {
  return unit >= 0x30 && unit <= 0x39;
}

function isDigits(word: string): boolean {
  for (let i = 0; i < word.length; i++) if (!isDigit(word.charCodeAt(i))) return false;
  return true;
}

/** Whether a unit is a lower-case letter of any script that has two cases (outside the astral planes). */
function isLower(unit: number): boolean {
  if (unit < 0x80) return unit >= 0x61 && unit <= 0x7a;
  if (Number.isNaN(unit)) return false;
  const letter = String.fromCharCode(unit);
  return letter !== letter.toUpperCase() && letter === letter.toLowerCase();
}
