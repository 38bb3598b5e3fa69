/** Every tokenizer that is not WordPiece, by the reference library in JavaScript. */
import { Tokenizer as Reference } from "@huggingface/tokenizers";
import type { LibraryFile, Token, Tokenizer } from "./tokenizer.ts";

/** A tokenizer from its stored form. Throws what the library throws for JSON it cannot use. */
export function createLibraryTokenizer(file: LibraryFile): Tokenizer {
  const description = JSON.parse(file.json) as { readonly pre_tokenizer?: unknown };
  const reference = new Reference(description, {});
  const vocabulary = greatestId(reference.get_vocab()) + 1;
  const byteLevel = JSON.stringify(description.pre_tokenizer ?? null).includes('"ByteLevel"');
  const prepare = (text: string) => {
    const whole = text.toWellFormed();
    return file.lowercase ? whole.toLowerCase() : whole;
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
      return byteLevel ? byteOffsets(prepared, spellings) : searchedOffsets(prepared, spellings);
    },
  };
}

function greatestId(vocabulary: ReadonlyMap<string, number>): number {
  let greatest = -1;
  for (const id of vocabulary.values()) greatest = Math.max(greatest, id);
  return greatest;
}

type Spellings = readonly (readonly [id: number, token: string])[];

/** Byte-level tokens spell one byte a character, so lengths add up to places in the text's UTF-8. */
function byteOffsets(text: string, spellings: Spellings): readonly Token[] {
  const unitAt = utf16Places(text);
  let byte = 0;
  return spellings.map(([id, token]) => {
    const start = unitAt[Math.min(byte, unitAt.length - 1)]!;
    byte += token.length;
    // A token that ends inside a character stands for the whole of it.
    let last = Math.min(byte, unitAt.length - 1);
    while (last + 1 < unitAt.length && last > 0 && unitAt[last] === unitAt[last - 1]) last++;
    return { id, start, end: Math.max(start, unitAt[last]!) };
  });
}

/** For every byte of a text's UTF-8, and its end, the UTF-16 unit where that byte's character starts. */
function utf16Places(text: string): readonly number[] {
  const places: number[] = [];
  let unit = 0;
  for (const char of text) {
    const code = char.codePointAt(0)!;
    const bytes = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (let i = 0; i < bytes; i++) places.push(unit);
    unit += char.length;
  }
  places.push(unit);
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
