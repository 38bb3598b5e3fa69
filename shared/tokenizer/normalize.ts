/**
 * BERT's normalisation and word splitting, code point by code point, with the place each
 * one came from. The rules are those of BertNormalizer and BertPreTokenizer in
 * huggingface/tokenizers: clean, space out CJK, decompose, drop marks, lower-case, split at
 * white space and punctuation.
 */
import { isBertPunctuation, isMark, isRemoved, isWhole } from "./bert-classes.ts";
import type { WordPieceFile } from "./tokenizer.ts";

/** A word after normalisation. `starts` and `ends` give, for each UTF-16 unit of `text`, where it came from. */
export interface NormalizedWord {
  readonly text: string;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** The rules in force. */
export type NormalizerRules = Pick<WordPieceFile, "lowercase" | "stripAccents" | "cleanText" | "splitCjk">;

const SPACE = /^\p{White_Space}$/u;

/** The words of a text. Cost: linear, some hundred nanoseconds a code point. */
export function normalizedWords(text: string, rules: NormalizerRules): readonly NormalizedWord[] {
  const words: NormalizedWord[] = [];
  let open = newWord();
  const close = (): void => {
    if (open.text !== "") words.push(open);
    open = newWord();
  };
  let at = 0;
  for (const char of text) {
    const start = at;
    at += char.length;
    const code = char.codePointAt(0)!;
    if (rules.cleanText && isDropped(code)) continue;
    if (isSpace(char, code)) {
      close();
      continue;
    }
    const alone = rules.splitCjk && isCjk(code);
    if (alone) close();
    for (const piece of normalizeChar(char, code, rules)) {
      const punctuation = isPunctuation(piece);
      if (punctuation) close();
      open.text += piece;
      for (let unit = 0; unit < piece.length; unit++) {
        open.starts.push(start);
        open.ends.push(at);
      }
      if (punctuation) close();
    }
    if (alone) close();
  }
  close();
  return words;
}

function newWord(): { text: string; starts: number[]; ends: number[] } {
  return { text: "", starts: [], ends: [] };
}

/** What one code point becomes: nothing, itself, or several code points. */
function normalizeChar(char: string, code: number, rules: NormalizerRules): string {
  if (code < 0x80) return rules.lowercase ? char.toLowerCase() : char;
  const plain = rules.stripAccents ? withoutMarks(char, code) : char;
  return rules.lowercase ? plain.toLowerCase() : plain;
}

function withoutMarks(char: string, code: number): string {
  if (isWhole(code)) return char;
  let kept = "";
  for (const part of char.normalize("NFD")) if (!isMark(part.codePointAt(0)!)) kept += part;
  return kept;
}

/** NUL, the replacement character, and control, format, private and surrogate code points other than tab and line ends. */
function isDropped(code: number): boolean {
  if (code === 0x09 || code === 0x0a || code === 0x0d) return false;
  if (code < 0x80) return code < 0x20 || code === 0x7f;
  return isRemoved(code) || (code >= 0xd800 && code <= 0xdfff);
}

function isSpace(char: string, code: number): boolean {
  return code < 0x80 ? code === 0x20 || (code >= 0x09 && code <= 0x0d) : SPACE.test(char);
}

/** The blocks that BERT calls Chinese characters; Hangul and kana are not among them. */
function isCjk(code: number): boolean {
  return (
    (code >= 0x4e00 && code <= 0x9fff) ||
    (code >= 0x3400 && code <= 0x4dbf) ||
    (code >= 0x20000 && code <= 0x2a6df) ||
    (code >= 0x2a700 && code <= 0x2b73f) ||
    (code >= 0x2b740 && code <= 0x2b81f) ||
    (code >= 0x2b920 && code <= 0x2ceaf) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0x2f800 && code <= 0x2fa1f)
  );
}

/** ASCII punctuation and symbols, and Unicode punctuation. */
function isPunctuation(char: string): boolean {
  const code = char.codePointAt(0)!;
  return code < 0x80 ? isAsciiPunctuation(code) : isBertPunctuation(code);
}

/** Every printable ASCII character that is no letter and no digit. */
export function isAsciiPunctuation(code: number): boolean {
  return (
    (code >= 0x21 && code <= 0x2f) ||
    (code >= 0x3a && code <= 0x40) ||
    (code >= 0x5b && code <= 0x60) ||
    (code >= 0x7b && code <= 0x7e)
  );
}
