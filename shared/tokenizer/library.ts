/** Every tokenizer that is neither WordPiece nor BPE as we know it, by the reference library in JavaScript. */
import { Tokenizer as Reference } from "@huggingface/tokenizers";
import { BYTE_SPELLINGS } from "./byte-spelling.ts";
import { lowerCase } from "./places.ts";
import type { LibraryFile, Token, Tokenizer } from "./tokenizer.ts";

/** A tokenizer from its stored form. Throws what the library throws for JSON it cannot use. */
export function createLibraryTokenizer(file: LibraryFile): Tokenizer {
  const description = JSON.parse(file.json) as { readonly pre_tokenizer?: unknown };
  const reference = new Reference(description, {});
  const vocabulary = greatestId(reference.get_vocab()) + 1;
  const byteLevel = JSON.stringify(description.pre_tokenizer ?? null).includes('"ByteLevel"');
  // A trained vocabulary may lack bytes that its texts never had; they give no token.
  const spelt = BYTE_SPELLINGS.map((char) => reference.token_to_id(char) !== undefined);
  const prepare = (text: string) => {
    const whole = text.toWellFormed();
    return file.lowercase ? lowerCase(whole) : whole;
  };
  const idsOf = (text: string) => reference.encode(text, { add_special_tokens: false }).ids;

  return {
    vocabulary,
    idOf: (token) => reference.token_to_id(token),
    ids(text, limit) {
      // The library gives its own array, so cutting it touches nothing else.
      const ids = text === "" ? [] : idsOf(prepare(text));
      if (limit !== undefined && ids.length > limit) ids.length = limit;
      return ids;
    },
    tokens(text) {
      const prepared = prepare(text);
      if (prepared === "") return [];
      const spellings = idsOf(prepared).map((id: number) => [id, reference.id_to_token(id) ?? ""] as const);
      return byteLevel ? byteOffsets(prepared, spellings, spelt) : searchedOffsets(prepared, spellings);
    },
  };
}

function greatestId(vocabulary: ReadonlyMap<string, number>): number {
  let greatest = -1;
  for (const id of vocabulary.values()) greatest = Math.max(greatest, id);
  return greatest;
}

type Spellings = readonly (readonly [id: number, token: string])[];

/** Where a byte's character stands, in UTF-16 units. */
interface Place {
  readonly start: number;
  readonly end: number;
}

/**
 * Byte-level tokens spell one byte a character, so lengths add up to places in the text's UTF-8.
 * A token that begins or ends inside a character stands for the whole of it.
 */
function byteOffsets(text: string, spellings: Spellings, spelt: readonly boolean[]): readonly Token[] {
  const places = bytePlaces(text, spelt);
  let byte = 0;
  return spellings.map(([id, token]) => {
    const first = places[byte] ?? { start: text.length, end: text.length };
    byte += token.length;
    const last = places[Math.min(byte, places.length) - 1] ?? first;
    return { id, start: first.start, end: Math.max(first.start, last.end) };
  });
}

/** For every byte of a text's UTF-8 that is spelt at all, the character it is of. */
function bytePlaces(text: string, spelt: readonly boolean[]): readonly Place[] {
  const utf8 = new TextEncoder();
  const places: Place[] = [];
  let start = 0;
  for (const char of text) {
    const end = start + char.length;
    for (const byte of utf8.encode(char)) if (spelt[byte]) places.push({ start, end });
    start = end;
  }
  return places;
}

/** Other kinds say nothing about places: each spelling is looked for behind the one before it. */
function searchedOffsets(text: string, spellings: Spellings): readonly Token[] {
  const lower = text.toLowerCase();
  let from = 0;
  return spellings.map(([id, token]) => {
    const surface = token.replaceAll("\u2581", "").replace("##", "").toLowerCase();
    const found = surface === "" ? -1 : lower.indexOf(surface, from);
    const start = found < 0 ? from : found;
    const end = found < 0 ? from : found + surface.length;
    from = Math.min(end, text.length);
    return { id, start: Math.min(start, text.length), end: from };
  });
}
