/**
 * Text into words, by hand-written matchers of the regular expressions that models come with.
 * Each gives the end of the word that begins at a place, so a reader can stop where it has enough.
 * They are told from a tokenizer.json by the expression's own text: `shared/tokenizer/bpe-rules.ts`.
 */
import type { WordRule } from "./tokenizer.ts";
import { classOf, isDigit, LETTER, NUMBER, OTHER, SPACE } from "./unicode.ts";

/** The end of the word of `[from, to)` that begins at `from`; above `from`, at most `to`. UTF-16 units; no lone surrogates. */
export type WordEnd = (text: string, from: number, to: number) => number;

/** A rule of words: parts that do not see each other, and the words of a part. */
export interface WordMatcher {
  readonly partEnd: WordEnd;
  readonly wordEnd: WordEnd;
}

const whole: WordEnd = (_text, _from, to) => to;

const MATCHERS: Readonly<Record<WordRule, WordMatcher>> = {
  gpt2: { partEnd: whole, wordEnd: gpt2End },
  "gpt2-digits": { partEnd: digitsEnd, wordEnd: gpt2End },
  llama3: { partEnd: whole, wordEnd: (text, from, to) => modernEnd(text, from, to, 3) },
  qwen2: { partEnd: whole, wordEnd: (text, from, to) => modernEnd(text, from, to, 1) },
  spaces: { partEnd: whole, wordEnd: spacesEnd },
  "each-space": { partEnd: whole, wordEnd: eachSpaceEnd },
  whole: { partEnd: whole, wordEnd: whole },
};

/** The matcher of a rule. */
export function wordMatcher(rule: WordRule): WordMatcher {
  return MATCHERS[rule];
}

const LINE_FEED = 0x0a;
const RETURN = 0x0d;
const BLANK = 0x20;
const APOSTROPHE = 0x27;
/** The space of SentencePiece. */
export const META = "\u2581";

const isLineEnd = (code: number): boolean => code === LINE_FEED || code === RETURN;
const widthOf = (code: number): number => (code > 0xffff ? 2 : 1);

/** Where a run of one class ends that `from` may be inside of; `most` code points of it at most. */
function runEnd(
  text: string,
  from: number,
  to: number,
  kind: number,
  most = Number.POSITIVE_INFINITY,
): number {
  let at = from;
  for (let count = 0; at < to && count < most; count++) {
    const code = text.codePointAt(at)!;
    if (classOf(code) !== kind) break;
    at += widthOf(code);
  }
  return at;
}

/** `\s+(?!\S)|\s+`: white space but for the last of it, which the next word takes where it can. */
function spaceEnd(text: string, from: number, to: number): number {
  const end = runEnd(text, from, to, SPACE);
  return end === to || end === from + 1 ? end : end - 1;
}

/** `'s|'t|'re|'ve|'m|'ll|'d`: the end, or `from` where there is none. Only some expressions take capitals, and U+017F for s. */
function contractionEnd(text: string, from: number, to: number, anyCase: boolean): number {
  const letter = (at: number): string => {
    const char = at < to ? text[at]! : "";
    if (!anyCase) return char;
    return char === "\u017f" ? "s" : char >= "A" && char <= "Z" ? char.toLowerCase() : char;
  };
  switch (letter(from + 1)) {
    case "s":
    case "t":
    case "m":
    case "d":
      return from + 2;
    case "r":
    case "v":
      return letter(from + 2) === "e" ? from + 3 : from;
    case "l":
      return letter(from + 2) === "l" ? from + 3 : from;
    default:
      return from;
  }
}

/** GPT-2: `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+` */
function gpt2End(text: string, from: number, to: number): number {
  const first = text.codePointAt(from)!;
  if (first === APOSTROPHE) {
    const end = contractionEnd(text, from, to, false);
    if (end > from) return end;
  }
  const start = first === BLANK && from + 1 < to ? from + 1 : from;
  const kind = classOf(text.codePointAt(start)!);
  return kind === SPACE ? spaceEnd(text, from, to) : runEnd(text, start, to, kind);
}

/**
 * Llama 3 with three digits, Qwen 2 with one: `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|
 * ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
 */
function modernEnd(text: string, from: number, to: number, digits: number): number {
  const first = text.codePointAt(from)!;
  if (first === APOSTROPHE) {
    const end = contractionEnd(text, from, to, true);
    if (end > from) return end;
  }
  const kind = classOf(first);
  if (kind === NUMBER) return runEnd(text, from, to, NUMBER, digits);
  const next = from + widthOf(first);
  if (kind === LETTER) return runEnd(text, next, to, LETTER);
  const nextKind = next < to ? classOf(text.codePointAt(next)!) : SPACE;
  if (nextKind === LETTER && !isLineEnd(first)) return runEnd(text, next, to, LETTER);
  if (kind === OTHER || (first === BLANK && nextKind === OTHER)) {
    let end = runEnd(text, next, to, OTHER);
    while (end < to && isLineEnd(text.charCodeAt(end))) end++;
    return end;
  }
  const end = runEnd(text, next, to, SPACE);
  for (let at = end; at > from; at--) if (isLineEnd(text.charCodeAt(at - 1))) return at;
  return end === to || end === next ? end : end - 1;
}

/** One digit, or all up to the next. */
function digitsEnd(text: string, from: number, to: number): number {
  const first = text.codePointAt(from)!;
  let at = from + widthOf(first);
  if (isDigit(first)) return at;
  while (at < to) {
    const code = text.codePointAt(at)!;
    if (isDigit(code)) break;
    at += widthOf(code);
  }
  return at;
}

/** Up to a space behind something that is none: nothing merges across, which is why a text need not be merged whole. */
function spacesEnd(text: string, from: number, to: number): number {
  let at = from;
  while (at < to && text[at] === META) at++;
  const next = text.indexOf(META, at);
  return next < 0 || next > to ? to : next;
}

/** Up to the next space, each of which begins a word. */
function eachSpaceEnd(text: string, from: number, to: number): number {
  const next = text.indexOf(META, from + 1);
  return next < 0 || next > to ? to : next;
}
