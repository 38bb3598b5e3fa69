/** The lexicon file: the words of a corpus, in order, each with how many documents hold it. docs/format.md section 10. */

import type { LightedgeError } from "../errors.ts";
import { FORMAT_LIMITS } from "../limits.ts";
import { bytesOf, checkAscending, checkStarts, invalid, uint16s, uint32s } from "./bytes.ts";
import { type Envelope, type WrittenFile, writeEnvelope } from "./envelope.ts";
import { integer, object } from "./shape.ts";

/** Words of a block; the first of each is written in full, so that a search can begin there. */
export const LEXICON_BLOCK = 32;
/** Letters of a word, least and most. Two letters are too few to tell a misspelling from a word. */
export const LEXICON_LETTERS = { least: 3, most: 32 } as const;
/** Letters of an alphabet: a letter is one byte in a word, and 255 is left for those of no word. */
const MAX_ALPHABET = 255;

/** A word and the documents that hold it, 1 to 65,535. */
export interface LexiconEntry {
  /** Folded, of letters below U+10000. */
  readonly word: string;
  readonly frequency: number;
}

/** A lexicon, as it is written and read. W words in B blocks; A letters. */
export interface LexiconFile {
  readonly meta: { readonly words: number };
  /** A: the UTF-16 units that occur in the words, ascending; a letter's code is its place here. */
  readonly alphabet: Uint16Array<ArrayBuffer>;
  /** B + 1: first byte of each block in `words`. */
  readonly starts: Uint32Array<ArrayBuffer>;
  /** Per word: letters shared with the word before (0 at the head of a block), letters of its own, and their codes. */
  readonly words: Uint8Array<ArrayBuffer>;
  /** W: the words' frequencies. */
  readonly frequencies: Uint16Array<ArrayBuffer>;
}

const checkMeta = object<LexiconFile["meta"]>({ words: integer(1, FORMAT_LIMITS.lexiconWords) });

/** A lexicon as a file. Throws `format/invalid` for what `readLexicon` would refuse. */
export async function writeLexicon(lexicon: LexiconFile): Promise<WrittenFile> {
  checkMeta(lexicon.meta, "lexicon");
  checkLexicon(lexicon);
  return writeEnvelope("lexicon", { ...lexicon.meta }, [
    { name: "alphabet", bytes: bytesOf(lexicon.alphabet) },
    { name: "starts", bytes: bytesOf(lexicon.starts) },
    { name: "words", bytes: lexicon.words },
    { name: "frequencies", bytes: bytesOf(lexicon.frequencies) },
  ]);
}

/** The lexicon of an open file: views of its bytes, all of them checked. Throws `format/invalid`. */
export function readLexicon(envelope: Envelope): LexiconFile {
  const meta = checkMeta(envelope.meta, "lexicon");
  const alphabet = envelope.section("alphabet");
  const blocks = Math.ceil(meta.words / LEXICON_BLOCK);
  const lexicon: LexiconFile = {
    meta,
    alphabet: uint16s(alphabet, alphabet.length >> 1, "lexicon section alphabet"),
    starts: uint32s(envelope.section("starts"), blocks + 1, "lexicon section starts"),
    words: envelope.section("words"),
    frequencies: uint16s(envelope.section("frequencies"), meta.words, "lexicon section frequencies"),
  };
  checkLexicon(lexicon);
  return lexicon;
}

/** Entries as a lexicon. They must be in ascending order of UTF-16 units, no word twice; checked when it is written. */
export function packLexicon(entries: readonly LexiconEntry[]): LexiconFile {
  const units = new Set<number>();
  for (const { word } of entries) for (let i = 0; i < word.length; i++) units.add(word.charCodeAt(i));
  const alphabet = Uint16Array.from(units).sort();
  const codes = new Map(Array.from(alphabet, (unit, code) => [unit, code]));
  const bytes: number[] = [];
  const starts: number[] = [];
  let before = "";
  entries.forEach(({ word }, at) => {
    if (at % LEXICON_BLOCK === 0) {
      starts.push(bytes.length);
      before = "";
    }
    let shared = 0;
    while (shared < before.length && word[shared] === before[shared]) shared++;
    bytes.push(shared, word.length - shared);
    for (let i = shared; i < word.length; i++) bytes.push(codes.get(word.charCodeAt(i)) ?? MAX_ALPHABET);
    before = word;
  });
  return {
    meta: { words: entries.length },
    alphabet,
    starts: Uint32Array.of(...starts, bytes.length),
    words: Uint8Array.from(bytes),
    frequencies: Uint16Array.from(entries, ({ frequency }) => frequency),
  };
}

/** The words of a lexicon with their frequencies, in order. */
export function* lexiconEntries({ alphabet, words, frequencies }: LexiconFile): Iterable<LexiconEntry> {
  const letters = Array.from(alphabet, (unit) => String.fromCharCode(unit));
  let word = "";
  for (let at = 0, number = 0; at < words.length; number++) {
    const [shared, own] = [words[at]!, words[at + 1]!];
    at += 2 + own;
    word = word.slice(0, shared) + Array.from(words.subarray(at - own, at), (code) => letters[code]).join("");
    yield { word, frequency: frequencies[number]! };
  }
}

/** Every rule of section 10 but those of the envelope. Linear, and on the way of every cold start: no allocation per word. */
function checkLexicon({ meta, alphabet, starts, words, frequencies }: LexiconFile): void {
  if (alphabet.length === 0 || alphabet.length > MAX_ALPHABET)
    throw invalid(`A lexicon's alphabet has 1 to ${MAX_ALPHABET} letters, not ${alphabet.length}.`);
  if (alphabet.some((unit) => unit >= 0xd800 && unit <= 0xdfff))
    throw invalid("A lexicon's alphabet holds half of a surrogate pair.");
  checkAscending(Uint32Array.from(alphabet), "lexicon section alphabet");
  checkStarts(starts, words.length, "lexicon section starts");
  if (frequencies.includes(0)) throw invalid("lexicon section frequencies: a word is in no document.");
  const before = new Uint8Array(LEXICON_LETTERS.most);
  let length = 0;
  let at = 0;
  for (let number = 0; number < meta.words; number++) {
    const isHead = number % LEXICON_BLOCK === 0;
    if (isHead && starts[number / LEXICON_BLOCK] !== at)
      throw wrong(number, "does not begin where its block does");
    const shared = words[at] ?? 0;
    const own = words[at + 1] ?? 0;
    const first = at + 2;
    const now = shared + own;
    if (shared > (isHead ? 0 : length) || own === 0)
      throw wrong(number, "shares more letters than there are");
    if (now < LEXICON_LETTERS.least || now > LEXICON_LETTERS.most) throw wrong(number, `has ${now} letters`);
    if (first + own > words.length) throw wrong(number, "does not end within the section");
    // Letters shared are counted to the last, so one comparison shows the order and that there is one spelling.
    let differs = shared;
    if (isHead)
      while (differs < length && differs < own && words[first + differs] === before[differs]) differs++;
    const ascends =
      differs === length
        ? now > length
        : now > differs && words[first + differs - shared]! > before[differs]!;
    if (number > 0 && !ascends) throw wrong(number, "is not above the one before");
    for (let i = 0; i < own; i++) {
      const code = words[first + i]!;
      if (code >= alphabet.length) throw wrong(number, "holds a letter of no alphabet");
      before[shared + i] = code;
    }
    length = now;
    at = first + own;
  }
  if (at !== words.length) throw invalid("lexicon section words goes on after the last word.");
}

function wrong(number: number, why: string): LightedgeError {
  return invalid(`lexicon section words: word ${number} ${why}.`);
}
