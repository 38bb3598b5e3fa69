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
 * A tokenizer as it is stored: a plain value of text, numbers, booleans and lists. The
 * WordPiece form loads in milliseconds; the other carries the reference library's own JSON.
 */
export type TokenizerFile = WordPieceFile | LibraryFile;

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

/** Any other tokenizer, read by @huggingface/tokenizers. */
export type LibraryFile = {
  readonly kind: "library";
  /** A tokenizer.json without truncation, padding and post-processing. */
  readonly json: string;
  /** Whether text is lower-cased first, whatever the tokenizer itself does. */
  readonly lowercase: boolean;
};
