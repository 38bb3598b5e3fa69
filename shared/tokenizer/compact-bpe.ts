/** The BPE of a tokenizer.json to its stored form, where all of it is known. */
import { bytesOf } from "../format/bytes.ts";
import { LONGEST_TOKEN, MOST_TOKENS } from "./bpe-parts.ts";
import { addedTokens, type BpeRules, bpeRules, isJson, type Json } from "./bpe-rules.ts";
import { fallbackSpelling } from "./bpe-word.ts";
import { BYTE_SPELLINGS, spelledBytes } from "./byte-spelling.ts";
import type { BpeFile, BpeParts, SpelledToken } from "./tokenizer.ts";
import { META } from "./words.ts";

/** Fields of a tokenizer.json, none of which may be one that we have not heard of. */
const FIELDS = new Set([
  ..."version truncation padding added_tokens normalizer pre_tokenizer post_processor decoder model".split(
    " ",
  ),
]);
const MODEL_FIELDS = new Set([
  ..."type dropout unk_token continuing_subword_prefix end_of_word_suffix fuse_unk byte_fallback".split(" "),
  ..."ignore_merges vocab merges".split(" "),
]);

/** The stored form, or null where anything about the file is not known here and the library has to read it. */
export function compactBpe(json: Json, lowercase: boolean): BpeFile | null {
  const { model, added_tokens = [] } = json;
  if (!isJson(model) || model.type !== "BPE" || !isKnown(json, FIELDS) || !isKnown(model, MODEL_FIELDS))
    return null;
  if (!isEmpty(model.dropout) && model.dropout !== 0) return null;
  if (!isEmpty(model.continuing_subword_prefix) || !isEmpty(model.end_of_word_suffix)) return null;
  const rules = bpeRules(json.normalizer, json.pre_tokenizer);
  const vocabulary = vocabularyOf(model.vocab);
  if (rules === null || vocabulary === null || !Array.isArray(added_tokens)) return null;
  const wholeWords = model.ignore_merges === true;
  if (!isCovered(model, rules, vocabulary) || (wholeWords && rules.symbols === "characters")) return null;
  const added = addedTokens(added_tokens, vocabulary, rules);
  const merges = mergesOf(model.merges, vocabulary);
  if (added === null || merges === null) return null;

  const spelled = spelledTokens(vocabulary, rules);
  const ids = [...vocabulary.values(), ...[...added.added, ...added.addedLate].map(([, id]) => id)];
  const size = ids.reduce((greatest, id) => Math.max(greatest, id), -1) + 1;
  if (size > MOST_TOKENS || spelled.tokens.some(({ bytes }) => bytes.length > LONGEST_TOKEN)) return null;
  // Text need not be merged whole where no merge reaches across the beginning of a word.
  const crosses = rules.words === "spaces" && (merges.crosses || !vocabulary.has(META));
  return {
    kind: "bpe",
    unicode: 1,
    ...rules,
    words: crosses ? "whole" : rules.words,
    wholeWords,
    lowercase,
    size,
    ...added,
    unused: spelled.unused,
    lengths: lengthsOf(spelled.tokens),
    parts: { ...tokenParts(spelled.tokens), ...mergeParts(merges.byPair, size) },
  };
}

const isEmpty = (value: unknown): boolean => value === undefined || value === null || value === "";
const isKnown = (json: Json, known: ReadonlySet<string>): boolean =>
  Object.keys(json).every((key) => known.has(key));

/** Ids by spelling. None where ids repeat or are none, or a token is empty. */
function vocabularyOf(vocab: unknown): ReadonlyMap<string, number> | null {
  if (!isJson(vocab)) return null;
  const ids = new Map<string, number>();
  for (const [token, id] of Object.entries(vocab)) {
    if (token === "" || !token.isWellFormed() || typeof id !== "number" || !Number.isInteger(id) || id < 0)
      return null;
    ids.set(token, id);
  }
  return new Set(ids.values()).size === ids.size ? ids : null;
}

/** Whether no text has a part that becomes the unknown token. */
function isCovered(model: Json, { symbols }: BpeRules, vocabulary: ReadonlyMap<string, number>): boolean {
  // A character that is a token is never spelt in bytes, so one of ASCII may lack its byte.
  if (symbols === "characters")
    return (
      model.byte_fallback === true &&
      BYTE_SPELLINGS.every(
        (_, byte) =>
          vocabulary.has(fallbackSpelling(byte)) ||
          (byte < 0x80 && vocabulary.has(String.fromCharCode(byte))),
      )
    );
  const whole = BYTE_SPELLINGS.every((char) => vocabulary.has(char));
  // A byte without a token gives none, unless there is a token for what is unknown.
  return whole || (isEmpty(model.unk_token) && model.byte_fallback !== true);
}

interface TokenBytes {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly id: number;
}

/** The tokens that text can give, shorter ones first, and those it cannot. */
function spelledTokens(
  vocabulary: ReadonlyMap<string, number>,
  { symbols }: BpeRules,
): { readonly tokens: readonly TokenBytes[]; readonly unused: readonly SpelledToken[] } {
  const utf8 = new TextEncoder();
  const tokens: TokenBytes[] = [];
  const unused: SpelledToken[] = [];
  for (const [spelling, id] of vocabulary) {
    const bytes = symbols === "bytes" ? spelledBytes(spelling) : utf8.encode(spelling);
    if (bytes === null) unused.push([spelling, id]);
    else tokens.push({ bytes, id });
  }
  tokens.sort((a, b) => a.bytes.length - b.bytes.length || byBytes(a.bytes, b.bytes));
  return { tokens, unused };
}

function byBytes(a: Uint8Array, b: Uint8Array): number {
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return a[at]! - b[at]!;
  return 0;
}

function lengthsOf(tokens: readonly TokenBytes[]): number[] {
  const lengths: number[] = new Array(tokens.at(-1)?.bytes.length ?? 0).fill(0);
  for (const { bytes } of tokens) lengths[bytes.length - 1]!++;
  return lengths;
}

function tokenParts(tokens: readonly TokenBytes[]): Pick<BpeParts, "tokens" | "ids"> {
  const all = new Uint8Array(tokens.reduce((sum, { bytes }) => sum + bytes.length, 0));
  let at = 0;
  for (const { bytes } of tokens) {
    all.set(bytes, at);
    at += bytes.length;
  }
  return { tokens: all, ids: bytesOf(Uint32Array.from(tokens, ({ id }) => id)) };
}

interface Merge {
  readonly left: number;
  readonly right: number;
  readonly made: number;
  readonly rank: number;
}

/** Merges by their pair, of which the last stands; null where one is not of tokens. `crosses`: one reaches from a word to the next. */
function mergesOf(
  list: unknown,
  vocabulary: ReadonlyMap<string, number>,
): { readonly byPair: ReadonlyMap<number, Merge>; readonly crosses: boolean } | null {
  if (!Array.isArray(list) || list.length >= MOST_TOKENS) return null;
  const byPair = new Map<number, Merge>();
  let crosses = false;
  for (const [rank, item] of list.entries()) {
    const pair: unknown = typeof item === "string" ? item.split(" ") : item;
    if (!Array.isArray(pair) || pair.length !== 2) return null;
    const [first, second] = pair as readonly unknown[];
    if (
      typeof first !== "string" ||
      typeof second !== "string" ||
      (rank === 0 && first.startsWith("#version"))
    )
      return null;
    const left = vocabulary.get(first);
    const right = vocabulary.get(second);
    const made = vocabulary.get(first + second);
    if (left === undefined || right === undefined || made === undefined) return null;
    if (/[^\u2581]\u2581/u.test(first + second)) crosses = true;
    byPair.set(left * MOST_TOKENS + right, { left, right, made, rank });
  }
  return { byPair, crosses };
}

function mergeParts(
  byPair: ReadonlyMap<number, Merge>,
  size: number,
): Pick<BpeParts, "firsts" | "rights" | "made" | "ranks"> {
  const merges = [...byPair.values()];
  const inRank = [...merges].sort((a, b) => a.rank - b.rank);
  const ordered = inRank.every(({ made }, at) => at === 0 || made > inRank[at - 1]!.made);
  merges.sort((a, b) => a.left - b.left || a.right - b.right);
  const firsts = new Uint32Array(size + 1);
  for (const { left } of merges) firsts[left + 1]!++;
  for (let left = 0; left < size; left++) firsts[left + 1]! += firsts[left]!;
  const part = (pick: (merge: Merge) => number) => bytesOf(Uint32Array.from(merges, pick));
  return {
    firsts: bytesOf(firsts),
    rights: part(({ right }) => right),
    made: part(({ made }) => made),
    ranks: ordered ? new Uint8Array(0) : part(({ rank }) => rank),
  };
}
