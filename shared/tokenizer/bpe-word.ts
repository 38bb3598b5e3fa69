/** A word into tokens: its symbols, merged. */
import { invalid } from "../format/bytes.ts";
import type { Merges, Vocabulary } from "./bpe-parts.ts";
import { mergeSymbols, reserve, type Symbols } from "./merge.ts";
import type { BpeFile } from "./tokenizer.ts";

/** Words whose tokens are remembered, and the longest of them; at the limit all are forgotten. Some 700 KB. */
const CACHE = 4096;
const CACHED_UNITS = 64;

/** Tokens of a word, and the bytes of its UTF-8 at which each ends. */
export interface Pieces {
  readonly ids: readonly number[];
  readonly ends: readonly number[];
}

/** Tokens of a word with the UTF-16 units they stand for: whole characters, so that neighbours may overlap. */
export interface PlacedPieces {
  readonly ids: readonly number[];
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** What cuts words. */
export interface WordCutter {
  pieces(word: string): Pieces;
  placedPieces(word: string): PlacedPieces;
}

/** A cutter for a tokenizer. Throws `format/invalid` where a file of characters lacks tokens for bytes. */
export function createWordCutter(file: BpeFile, vocabulary: Vocabulary, merges: Merges): WordCutter {
  const utf8 = new TextEncoder();
  const characters = file.symbols === "characters";
  const byteIds = characters ? fallbackIds(vocabulary) : ownIds(vocabulary);
  /** What ASCII characters are. */
  const asciiIds = characters ? ownIds(vocabulary).subarray(0, 128) : byteIds;
  const symbols: Symbols = { ids: new Int32Array(0), ends: new Int32Array(0), count: 0 };
  const cache = new Map<string, Pieces>();
  let bytes = new Uint8Array(256);
  /** The last word's bytes of `bytes`. */
  let length = 0;

  function write(word: string): void {
    if (bytes.length < 3 * word.length) bytes = new Uint8Array(6 * word.length);
    length = 0;
    for (; length < word.length; length++) {
      const code = word.charCodeAt(length);
      if (code > 0x7f) break;
      bytes[length] = code;
    }
    if (length < word.length) length += utf8.encodeInto(word.slice(length), bytes.subarray(length)).written;
  }

  function add(id: number, end: number): void {
    if (id < 0) return;
    symbols.ids[symbols.count] = id;
    symbols.ends[symbols.count++] = end;
  }

  /** The character at a place by itself, or its bytes where it is no token. */
  function addCharacter(at: number): number {
    const lead = bytes[at]!;
    const end = at + (lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4);
    const id = lead < 0x80 ? asciiIds[lead]! : vocabulary.find(bytes, at, end);
    if (id >= 0) add(id, end);
    else for (let byte = at; byte < end; byte++) add(byteIds[bytes[byte]!]!, byte + 1);
    return end;
  }

  function cut(word: string): Pieces {
    write(word);
    if (file.wholeWords) {
      const id = vocabulary.find(bytes, 0, length);
      if (id >= 0) return { ids: [id], ends: [length] };
    }
    reserve(symbols, length);
    symbols.count = 0;
    if (characters) for (let at = 0; at < length; ) at = addCharacter(at);
    else for (let at = 0; at < length; at++) add(byteIds[bytes[at]!]!, at + 1);
    mergeSymbols(symbols, merges);
    return {
      ids: Array.from(symbols.ids.subarray(0, symbols.count)),
      ends: Array.from(symbols.ends.subarray(0, symbols.count)),
    };
  }

  function pieces(word: string): Pieces {
    const known = cache.get(word);
    if (known !== undefined) return known;
    const found = cut(word);
    if (word.length > CACHED_UNITS) return found;
    if (cache.size >= CACHE) cache.clear();
    cache.set(word, found);
    return found;
  }

  return {
    pieces,
    placedPieces(word) {
      const { ids, ends } = pieces(word);
      const places = bytePlaces(word, characters ? null : byteIds);
      let byte = 0;
      const starts: number[] = [];
      const stops: number[] = [];
      ends.forEach((end) => {
        // Bytes that no token spells belong to nothing, so a token begins behind them.
        while (byte + 1 < end && places.starts[byte]! < 0) byte++;
        starts.push(places.starts[byte]!);
        stops.push(places.ends[end - 1]!);
        byte = end;
      });
      return { ids, starts, ends: stops };
    },
  };
}

/** For each byte of a word's UTF-8 the units of its character; start -1 where no token spells the byte. */
function bytePlaces(
  word: string,
  spelt: Int32Array | null,
): { readonly starts: number[]; readonly ends: number[] } {
  const starts: number[] = [];
  const ends: number[] = [];
  const utf8 = new TextEncoder();
  let at = 0;
  for (const char of word) {
    const end = at + char.length;
    for (const byte of utf8.encode(char)) {
      starts.push(spelt !== null && spelt[byte]! < 0 ? -1 : at);
      ends.push(end);
    }
    at = end;
  }
  return { starts, ends };
}

/** The ids of tokens that are one byte, -1 for none. */
function ownIds(vocabulary: Vocabulary): Int32Array {
  return Int32Array.from({ length: 256 }, (_, byte) => vocabulary.find(Uint8Array.of(byte), 0, 1));
}

/** The ids of `<0x00>` to `<0xFF>`, -1 where the character itself is a token. */
function fallbackIds(vocabulary: Vocabulary): Int32Array {
  return Int32Array.from({ length: 256 }, (_, byte) => {
    const spelling = new TextEncoder().encode(fallbackSpelling(byte));
    const id = vocabulary.find(spelling, 0, spelling.length);
    if (id < 0 && vocabulary.find(Uint8Array.of(byte), 0, 1) < 0)
      throw invalid(`The tokenizer has no token for the byte ${byte}.`);
    return id;
  });
}

/** How SentencePiece spells a byte. */
export function fallbackSpelling(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
}
