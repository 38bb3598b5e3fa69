import { isSpace, sentences } from "./sentences.ts";

/** A stretch `[start, end)` of UTF-16 units with its number of tokens. */
export interface Unit {
  readonly start: number;
  readonly end: number;
  readonly tokens: number;
}

/**
 * The sentences within `[start, end)` as units of at most `budget` tokens: a longer
 * sentence is halved, at white space where it has any, until its parts fit. No unit
 * begins or ends with white space or inside a surrogate pair; only a single code
 * point can exceed the budget. One count per sentence, about two per part of a long
 * one, over n log n characters.
 */
export function unitsOf(
  text: string,
  start: number,
  end: number,
  budget: number,
  countTokens: (text: string) => number,
): Unit[] {
  const units: Unit[] = [];
  for (const [from, to] of sentences(text.slice(start, end))) {
    // A stack, not recursion: the right part waits while the left one is cut.
    const waiting: (readonly [number, number])[] = [[start + from, start + to]];
    for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
      const [a, b] = trimmed(text, part[0], part[1]);
      const tokens = countTokens(text.slice(a, b));
      const cut = tokens <= budget ? b : cutPoint(text, a, b);
      if (cut === b) units.push({ start: a, end: b, tokens });
      else waiting.push([cut, b], [a, cut]);
    }
  }
  return units;
}

/**
 * Units gathered into stretches of at most `budget` tokens. Each stretch aims at an
 * equal share of what is left rather than at the budget, so that the last one is not
 * a crumb; later ones begin with whole units of the one before, `overlap` tokens at
 * most. Linear in the units.
 */
export function pack(units: readonly Unit[], budget: number, overlap: number): Unit[] {
  const packed: Unit[] = [];
  let left = units.reduce((sum, unit) => sum + unit.tokens, 0);
  const limit = left <= budget ? budget : budget - overlap;
  let before = 0;
  let next = 0;
  while (next < units.length) {
    const target = left / Math.max(1, Math.ceil(left / limit));
    const first = next;
    let tokens = 0;
    for (; next < units.length; next++) {
      const more = units[next]!.tokens;
      // Past the target the nearer side wins: a unit that would stick out by more than half waits.
      if (next > first && (tokens + more > limit || tokens + more / 2 > target)) break;
      tokens += more;
    }
    left -= tokens;
    // Not all of the stretch before: starts must rise.
    let from = first;
    for (let spare = Math.min(overlap, budget - tokens); from > before + 1; from--) {
      const { tokens: cost } = units[from - 1]!;
      if (cost > spare) break;
      spare -= cost;
      tokens += cost;
    }
    packed.push({ start: units[from]!.start, end: units[next - 1]!.end, tokens });
    before = first;
  }
  return packed;
}

/**
 * Where to cut `[start, end)`: at the line end nearest to the middle if the middle
 * half has one, else at the nearest white space, else between the two code points in
 * the middle. `end` for a single code point. Halves of about equal length need fewer
 * counts than trying word by word.
 */
function cutPoint(text: string, start: number, end: number): number {
  const middle = (start + end) >>> 1;
  const line = nearest(text, middle, Math.min((end - start) >>> 2, middle - start), isNewline);
  if (line >= 0) return line;
  const space = nearest(text, middle, end - middle, isSpace);
  if (space > start && space < end) return space;
  const splitsPair = isLow(text.charCodeAt(middle)) && isHigh(text.charCodeAt(middle - 1));
  if (!splitsPair && middle > start) return middle;
  return middle - 1 > start ? middle - 1 : Math.min(end, middle + 1);
}

/** The unit nearest to `middle` that passes, at most `reach` away; -1 if there is none. */
function nearest(text: string, middle: number, reach: number, passes: (unit: number) => boolean): number {
  for (let distance = 0; distance <= reach; distance++) {
    if (passes(text.charCodeAt(middle - distance))) return middle - distance;
    if (passes(text.charCodeAt(middle + distance))) return middle + distance;
  }
  return -1;
}

function trimmed(text: string, start: number, end: number): readonly [number, number] {
  let a = start;
  let b = end;
  while (a < b && isSpace(text.charCodeAt(a))) a++;
  while (b > a && isSpace(text.charCodeAt(b - 1))) b--;
  return [a, b];
}

function isNewline(unit: number): boolean {
  return unit === 0x0a;
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
