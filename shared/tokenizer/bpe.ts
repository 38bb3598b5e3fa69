/**
 * BPE from its stored form. Written here because the library takes a second and a hundred megabytes
 * to load the tokenizer of a model of today, which a cold isolate has neither of: docs/decisions/0020.
 */
import { findAdded } from "./added-tokens.ts";
import { openMerges, openVocabulary } from "./bpe-parts.ts";
import { createWordCutter } from "./bpe-word.ts";
import { spelledBytes } from "./byte-spelling.ts";
import { lowerCase, originOf, type Placed, placedLowerCase, placedNfc } from "./places.ts";
import type { BpeFile, Token, Tokenizer } from "./tokenizer.ts";
import { libraryNfc } from "./unicode.ts";
import { META, wordMatcher } from "./words.ts";

/** A tokenizer from its stored form, whose shape is checked already. Throws `format/invalid` for parts that do not fit. */
export function createBpe(file: BpeFile): Tokenizer {
  const vocabulary = openVocabulary(file);
  const cutter = createWordCutter(file, vocabulary, openMerges(file));
  const { partEnd, wordEnd } = wordMatcher(file.words);
  const early = findAdded(file.added);
  const late = findAdded(file.addedLate);
  const named = new Map([...file.unused, ...file.addedLate, ...file.added]);
  const spaced = file.symbols === "characters";
  const utf8 = new TextEncoder();

  /** Whether U+2581 goes in front of a stretch. */
  const isPrepended = (stretch: string, from: number): boolean => {
    if (file.prepend === "never" || stretch === "") return false;
    if (file.prepend === "always") return true;
    return (
      !stretch.startsWith(META) && !stretch.startsWith(" ") && (file.prepend === "missing" || from === 0)
    );
  };

  /** Calls back for each word of a stretch until one gives false, and gives false then. */
  const eachWord = (
    text: string,
    start: number,
    stop: number,
    each: (from: number, to: number) => boolean,
  ): boolean => {
    for (let part = start; part < stop; ) {
      const end = partEnd(text, part, stop);
      for (let from = part; from < end; ) {
        const to = wordEnd(text, from, end);
        if (!each(from, to)) return false;
        from = to;
      }
      part = end;
    }
    return true;
  };

  /** The text that words are cut from: a stretch between added tokens, in NFC or with its spaces marked. */
  const prepared = (stretch: string, from: number): string => {
    if (!spaced) return file.nfc ? libraryNfc(stretch) : stretch;
    return (isPrepended(stretch, from) ? META : "") + stretch.replaceAll(" ", META);
  };

  /** The same with places. */
  const placed = (stretch: string, from: number): Placed => {
    if (!spaced) return file.nfc ? placedNfc(stretch) : { text: stretch };
    const text = prepared(stretch, from);
    if (text.length === stretch.length) return { text };
    // The mark in front belongs to the character that it stands before.
    const first = stretch.codePointAt(0)! > 0xffff ? 2 : 1;
    const units = Array.from({ length: stretch.length }, (_, at) => at);
    return { text, starts: [0, ...units], ends: [first, ...units.map((at) => at + 1)] };
  };

  return {
    vocabulary: file.size,
    idOf(token) {
      const id = named.get(token);
      if (id !== undefined) return id;
      const bytes = spaced ? utf8.encode(token) : spelledBytes(token);
      const found = bytes === null ? -1 : vocabulary.find(bytes, 0, bytes.length);
      return found < 0 ? undefined : found;
    },
    ids(text, limit = Number.POSITIVE_INFINITY) {
      const out: number[] = [];
      const whole = text.toWellFormed();
      const source = file.lowercase ? lowerCase(whole) : whole;
      const push = (id: number): boolean => out.push(id) < limit;
      early(source, 0, source.length, (from, to, id) => {
        if (id >= 0) return push(id);
        const stretch = prepared(from === 0 && to === source.length ? source : source.slice(from, to), from);
        return late(stretch, 0, stretch.length, (start, stop, lateId) => {
          if (lateId >= 0) return push(lateId);
          return eachWord(stretch, start, stop, (wordFrom, wordTo) => {
            for (const wordId of cutter.pieces(stretch.slice(wordFrom, wordTo)).ids) out.push(wordId);
            return out.length < limit;
          });
        });
      });
      if (out.length > limit) out.length = limit;
      return out;
    },
    tokens(text) {
      const out: Token[] = [];
      const whole = text.toWellFormed();
      const source: Placed = file.lowercase ? placedLowerCase(whole) : { text: whole };
      const push = (id: number, start: number, end: number): boolean => {
        const [first, last] = originOf(source, start, end);
        out.push({ id, start: first, end: last });
        return true;
      };
      early(source.text, 0, source.text.length, (from, to, id) => {
        if (id >= 0) return push(id, from, to);
        const stretch = placed(source.text.slice(from, to), from);
        const put = (tokenId: number, start: number, end: number): boolean => {
          const [first, last] = originOf(stretch, start, end);
          return push(tokenId, from + first, from + last);
        };
        return late(stretch.text, 0, stretch.text.length, (start, stop, lateId) => {
          if (lateId >= 0) return put(lateId, start, stop);
          return eachWord(stretch.text, start, stop, (wordFrom, wordTo) => {
            const word = stretch.text.slice(wordFrom, wordTo);
            const { ids, starts, ends } = cutter.placedPieces(word);
            ids.forEach((wordId, at) => {
              put(wordId, wordFrom + starts[at]!, wordFrom + ends[at]!);
            });
            return true;
          });
        });
      });
      return out;
    },
  };
}
