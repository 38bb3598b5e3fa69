/** Text to token ids: what a tokenizer gives, whatever its kind. */

/** A token of a text. */
export interface Token {
  readonly id: number;
  /** `[start, end)` of the text it stands for, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
}

/** A model's tokenizer without the special tokens it would add around a text. */
export interface Tokenizer {
  /** Token ids are 0 to `vocabulary` - 1. */
  readonly vocabulary: number;
  /** The ids of a text, at most `limit` of them. Never throws; a lone surrogate counts as U+FFFD. */
  ids(text: string, limit?: number): number[];
  /** The same tokens with their places. Slower than `ids`. */
  tokens(text: string): readonly Token[];
  /** The id of a token by its own spelling in the vocabulary. */
  idOf(token: string): number | undefined;
}

/**
 * A tokenizer as it is stored: a plain value of text, numbers, booleans and lists, and for BPE
 * parts of bytes. Those two load in milliseconds; the last carries the reference library's own JSON.
 */
export type TokenizerFile = WordPieceFile | BpeFile | LibraryFile;

/** BERT's tokenizer: BertNormalizer, BertPreTokenizer, WordPiece. */
export type WordPieceFile = {
  readonly kind: "wordpiece";
  /** Tokens in the order of their ids, with a line feed between. */
  readonly vocabulary: string;
  readonly unknown: string;
  /** What continues a word, `##`. */
  readonly prefix: string;
  readonly lowercase: boolean;
  readonly stripAccents: boolean;
  readonly cleanText: boolean;
  readonly splitCjk: boolean;
  /** A word of more code points is one unknown token. */
  readonly maxWordChars: number;
  /** Spellings that are one token wherever they occur in a text. */
  readonly added: readonly string[];
};

/** Byte-pair encoding (Sennrich et al. 2016), byte-level as in GPT-2 or with byte fallback as in SentencePiece. */
export type BpeFile = {
  readonly kind: "bpe";
  /** Which tables of code points are meant: 1 is those of `shared/tokenizer/unicode.ts`. */
  readonly unicode: 1;
  /** What is merged: the bytes of UTF-8, or characters, those without a token as their bytes. */
  readonly symbols: "bytes" | "characters";
  /** How text falls into the words that are merged each by itself: `shared/tokenizer/words.ts`. */
  readonly words: WordRule;
  /** Whether text is put in NFC first. */
  readonly nfc: boolean;
  /** Where U+2581 is put in front, besides standing for spaces: only with characters. */
  readonly prepend: "never" | "always" | "missing" | "first";
  /** Whether a word that is a token as it stands is that token, whatever the merges would give. */
  readonly wholeWords: boolean;
  /** Whether text is lower-cased first, whatever the tokenizer itself does. */
  readonly lowercase: boolean;
  /** Token ids are 0 to `size` - 1. */
  readonly size: number;
  /** Spellings that are one token wherever they occur in a text, with their ids: before NFC, and after. */
  readonly added: readonly SpelledToken[];
  readonly addedLate: readonly SpelledToken[];
  /** Tokens that no text gives, which have an id all the same. */
  readonly unused: readonly SpelledToken[];
  /** How many tokens have 1 byte, 2 bytes and so on. */
  readonly lengths: readonly number[];
  readonly parts: BpeParts;
};

/** A rule of words: see `shared/tokenizer/words.ts`. */
export type WordRule = "gpt2" | "gpt2-digits" | "llama3" | "qwen2" | "spaces" | "each-space" | "whole";

/** A token that is given as text. */
export type SpelledToken = readonly [spelling: string, id: number];

/** Numbers are little-endian u32. docs/format.md section 9. */
export type BpeParts = {
  /** The tokens' bytes, the shorter tokens first, those of one length in the order of their bytes. */
  readonly tokens: Uint8Array<ArrayBuffer>;
  /** The id of each. */
  readonly ids: Uint8Array<ArrayBuffer>;
  /** `size` + 1 numbers: merges whose left token is i are those from the i-th number on. */
  readonly firsts: Uint8Array<ArrayBuffer>;
  /** For each merge its right token, ascending for a left one. */
  readonly rights: Uint8Array<ArrayBuffer>;
  /** For each merge the token it makes. */
  readonly made: Uint8Array<ArrayBuffer>;
  /** For each merge its rank, the lowest first; empty where the made tokens' ids have the same order. */
  readonly ranks: Uint8Array<ArrayBuffer>;
};

/** Any other tokenizer, read by @huggingface/tokenizers. */
export type LibraryFile = {
  readonly kind: "library";
  /** A tokenizer.json without truncation, padding and post-processing. */
  readonly json: string;
  /** Whether text is lower-cased first, whatever the tokenizer itself does. */
  readonly lowercase: boolean;
};
