/** A tokenizer.json to its stored form, and the stored form to a tokenizer. */
import { LightedgeError } from "../errors.ts";
import { createBpe } from "./bpe.ts";
import { MOST_TOKENS } from "./bpe-parts.ts";
import { compactBpe } from "./compact-bpe.ts";
import { createLibraryTokenizer } from "./library.ts";
import type { BpeFile, LibraryFile, Tokenizer, TokenizerFile, WordPieceFile } from "./tokenizer.ts";
import { createWordPiece } from "./wordpiece.ts";

/** The parts of a tokenizer.json that are looked at. */
interface TokenizerJson {
  readonly added_tokens?: readonly { readonly content: string; readonly normalized: boolean }[];
  readonly normalizer?: { readonly type: string; readonly [key: string]: unknown } | null;
  readonly pre_tokenizer?: { readonly type: string } | null;
  readonly model: {
    readonly type?: string;
    readonly vocab?: unknown;
    readonly unk_token?: string;
    readonly continuing_subword_prefix?: string;
    readonly max_input_chars_per_word?: number;
  };
}

/**
 * The stored form of a tokenizer.json: BERT's kind and the BPE of today's models in compact forms,
 * every other as the library takes it. `lowercase` is the model's own case rule, before the tokenizer's.
 * Throws `model/invalid` for what is no tokenizer.json.
 */
export function compactTokenizer(json: string, lowercase: boolean): TokenizerFile {
  const parsed = parse(json);
  const wordPiece = asWordPiece(parsed, lowercase);
  if (wordPiece !== null) return wordPiece;
  const bpe = compactBpe({ ...parsed }, lowercase);
  return bpe ?? bareFile(parsed, lowercase);
}

/** The stored form that the library reads, of any tokenizer.json. Throws `model/invalid`. */
export function libraryFile(json: string, lowercase: boolean): LibraryFile {
  return bareFile(parse(json), lowercase);
}

function bareFile(parsed: TokenizerJson, lowercase: boolean): LibraryFile {
  const bare = { ...parsed, truncation: null, padding: null, post_processor: null };
  return { kind: "library", json: JSON.stringify(bare), lowercase };
}

function parse(json: string): TokenizerJson {
  try {
    const value = JSON.parse(json) as TokenizerJson | null;
    if (typeof value?.model === "object" && value.model !== null) return value;
  } catch (error) {
    throw new LightedgeError(
      "model/invalid",
      "The tokenizer file is not JSON.",
      { field: "tokenizer" },
      error,
    );
  }
  throw new LightedgeError("model/invalid", "The tokenizer file has no model.", { field: "tokenizer" });
}

function asWordPiece(
  { model, normalizer, pre_tokenizer, added_tokens = [] }: TokenizerJson,
  lowercase: boolean,
): WordPieceFile | null {
  const bert = normalizer?.type === "BertNormalizer" && pre_tokenizer?.type === "BertPreTokenizer";
  const plain = added_tokens.every(({ normalized }) => !normalized);
  if (
    model.type !== "WordPiece" ||
    !bert ||
    !plain ||
    typeof model.vocab !== "object" ||
    model.vocab === null
  )
    return null;
  const spellings: string[] = [];
  for (const [token, id] of Object.entries(model.vocab as Readonly<Record<string, number>>))
    spellings[id] = token;
  // The stored list has no room for holes or line feeds; no BERT has either.
  if (spellings.includes("") || Object.keys(spellings).length !== spellings.length) return null;
  if (spellings.some((token) => token.includes("\n"))) return null;
  const lower = lowercase || normalizer.lowercase === true;
  return {
    kind: "wordpiece",
    vocabulary: spellings.join("\n"),
    unknown: model.unk_token ?? "[UNK]",
    prefix: model.continuing_subword_prefix ?? "##",
    lowercase: lower,
    // Null means "as the normaliser lower-cases", as in the reference.
    stripAccents: (normalizer.strip_accents ?? normalizer.lowercase) === true,
    cleanText: normalizer.clean_text !== false,
    splitCjk: normalizer.handle_chinese_chars !== false,
    maxWordChars: model.max_input_chars_per_word ?? 100,
    added: added_tokens.map(({ content }) => content),
  };
}

/** A tokenizer from a stored value, which is checked: it comes from a file. Throws `format/invalid`. */
export function loadTokenizer(stored: unknown): Tokenizer {
  const file = checkFile(stored);
  try {
    if (file.kind === "wordpiece") return createWordPiece(file);
    return file.kind === "bpe" ? createBpe(file) : createLibraryTokenizer(file);
  } catch (error) {
    throw new LightedgeError(
      "format/invalid",
      "The stored tokenizer cannot be used.",
      { field: "tokenizer" },
      error,
    );
  }
}

const WORDPIECE_SHAPE = {
  vocabulary: "string",
  unknown: "string",
  prefix: "string",
  lowercase: "boolean",
  stripAccents: "boolean",
  cleanText: "boolean",
  splitCjk: "boolean",
  maxWordChars: "number",
} as const;
const BPE_SHAPE = { nfc: "boolean", wholeWords: "boolean", lowercase: "boolean", size: "number" } as const;
const BPE_CHOICES = {
  unicode: [1],
  symbols: ["bytes", "characters"],
  words: ["gpt2", "gpt2-digits", "llama3", "qwen2", "spaces", "each-space", "whole"],
  prepend: ["never", "always", "missing", "first"],
} as const;
const BPE_PARTS = ["tokens", "ids", "firsts", "rights", "made", "ranks"] as const;
const LIBRARY_SHAPE = { json: "string", lowercase: "boolean" } as const;

function checkFile(stored: unknown): TokenizerFile {
  const record = stored as Readonly<Record<string, unknown>> | null;
  const has = (shape: Readonly<Record<string, string>>) =>
    Object.entries(shape).every(([name, type]) => typeof record?.[name] === type);
  const added = record?.added;
  const listed = Array.isArray(added) && added.every((token) => typeof token === "string" && token !== "");
  if (record?.kind === "wordpiece" && has(WORDPIECE_SHAPE) && listed) return stored as WordPieceFile;
  if (record?.kind === "library" && has(LIBRARY_SHAPE)) return stored as TokenizerFile;
  if (record?.kind === "bpe" && has(BPE_SHAPE) && isBpe(record)) return stored as BpeFile;
  throw new LightedgeError("format/invalid", "The stored tokenizer is of no known kind.", {
    field: "tokenizer",
  });
}

function isBpe({
  added,
  addedLate,
  unused,
  lengths,
  size,
  parts,
  ...rest
}: Readonly<Record<string, unknown>>): boolean {
  const count = size as number;
  const isId = (id: unknown) => typeof id === "number" && Number.isInteger(id) && id >= 0 && id < count;
  const spelled = (list: unknown) =>
    Array.isArray(list) &&
    list.every(
      (token: unknown) =>
        Array.isArray(token) &&
        token.length === 2 &&
        typeof token[0] === "string" &&
        token[0] !== "" &&
        isId(token[1]),
    );
  const chosen = Object.entries(BPE_CHOICES).every(([field, choices]) =>
    (choices as readonly unknown[]).includes(rest[field]),
  );
  const bytes = parts as Readonly<Record<string, unknown>> | null | undefined;
  return (
    Number.isInteger(count) &&
    count >= 0 &&
    count <= MOST_TOKENS &&
    chosen &&
    [added, addedLate, unused].every(spelled) &&
    Array.isArray(lengths) &&
    BPE_PARTS.every((name) => bytes?.[name] instanceof Uint8Array)
  );
}
