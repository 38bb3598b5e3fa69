/**
 * What a tokenizer.json says of its BPE, told strictly: every field of every part must be one that
 * is known, with a value that is known, or there are no rules and the library takes the file.
 */
import type { BpeFile, SpelledToken, WordRule } from "./tokenizer.ts";
import { META } from "./words.ts";

/** A JSON object. */
export type Json = { readonly [key: string]: unknown };

/** The rules of a file that do not depend on its vocabulary. */
export type BpeRules = Pick<BpeFile, "symbols" | "words" | "nfc" | "prepend">;

const CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const MODERN_END = " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const modern = (digits: string) => `${CONTRACTIONS}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}|${MODERN_END}`;
/** Expressions as models spell them. */
const EXPRESSIONS: ReadonlyMap<string, WordRule> = new Map([
  [modern("\\p{N}{1,3}"), "llama3"],
  [modern("\\p{N}"), "qwen2"],
  ["'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+", "gpt2"],
]);

/** The rules, or null where one of them is not known here. */
export function bpeRules(normalizer: unknown, preTokenizer: unknown): BpeRules | null {
  const normal = inSequence(normalizer, "normalizers");
  const steps = inSequence(preTokenizer, "pretokenizers");
  if (normal === null || steps === null) return null;
  return byteRules(normal, steps) ?? characterRules(normal, steps);
}

/** The parts of a sequence, or the one part there is, or none. */
function inSequence(part: unknown, list: "normalizers" | "pretokenizers"): readonly Json[] | null {
  if (part === null || part === undefined) return [];
  if (!isJson(part)) return null;
  if (part.type !== "Sequence") return [part];
  const parts = part[list];
  return has(part, { type: "Sequence", [list]: ANY }) && Array.isArray(parts) && parts.every(isJson)
    ? parts
    : null;
}

function byteRules(normal: readonly Json[], steps: readonly Json[]): BpeRules | null {
  const nfc = normal.length === 1 && has(normal[0]!, { type: "NFC" });
  if (normal.length > 0 && !nfc) return null;
  const words = byteWords(steps);
  return words === null ? null : { symbols: "bytes", words, nfc, prepend: "never" };
}

function byteWords(steps: readonly Json[]): WordRule | null {
  const last = steps.at(-1);
  const byteLevel = (useRegex: boolean) =>
    last !== undefined &&
    has(last, { type: "ByteLevel", add_prefix_space: false, trim_offsets: ANY, use_regex: useRegex });
  if (steps.length === 1) return byteLevel(true) ? "gpt2" : null;
  if (steps.length !== 2) return null;
  const first = steps[0]!;
  if (byteLevel(true)) return has(first, { type: "Digits", individual_digits: true }) ? "gpt2-digits" : null;
  if (!byteLevel(false)) return null;
  const { pattern } = first;
  if (!isJson(pattern) || !has(pattern, { Regex: ANY })) return null;
  if (!has(first, { type: "Split", pattern: ANY, behavior: "Isolated", invert: false })) return null;
  return EXPRESSIONS.get(String(pattern.Regex)) ?? null;
}

function characterRules(normal: readonly Json[], steps: readonly Json[]): BpeRules | null {
  const rules = (prepend: BpeRules["prepend"], words: WordRule) =>
    ({ symbols: "characters", words, nfc: false, prepend }) as const;
  if (normal.length === 0) {
    const meta = steps.length === 1 ? metaspace(steps[0]!) : null;
    return meta === null ? null : rules(meta.prepend, meta.split ? "each-space" : "spaces");
  }
  const marks = normal.at(-1)!;
  if (!isPattern(marks.pattern, " ") || !has(marks, { type: "Replace", pattern: ANY, content: META }))
    return null;
  // No space is left to split at.
  const idle =
    steps.length === 1 &&
    isPattern(steps[0]!.pattern, " ") &&
    has(steps[0]!, { type: "Split", pattern: ANY, behavior: "MergedWithPrevious", invert: false });
  if (steps.length > 0 && !idle) return null;
  if (normal.length === 1) return rules("never", "spaces");
  const front = normal.length === 2 && has(normal[0]!, { type: "Prepend", prepend: META });
  return front ? rules("always", "spaces") : null;
}

function metaspace(step: Json): { readonly prepend: BpeRules["prepend"]; readonly split: boolean } | null {
  const scheme = { always: "missing", first: "first", never: "never" } as const;
  const { prepend_scheme, split } = step;
  const known = has(step, { type: "Metaspace", replacement: META, prepend_scheme: ANY, split: ANY });
  if (!known || typeof split !== "boolean") return null;
  if (prepend_scheme !== "always" && prepend_scheme !== "first" && prepend_scheme !== "never") return null;
  return { prepend: scheme[prepend_scheme], split };
}

function isPattern(pattern: unknown, text: string): boolean {
  return isJson(pattern) && has(pattern, { String: text });
}

/**
 * Added tokens in the two rounds of the library, or null where one has a rule of its own or another
 * id than the library would give it: that of its spelling in the vocabulary, else the next one free.
 */
export function addedTokens(
  added: readonly unknown[],
  vocabulary: ReadonlyMap<string, number>,
  rules: BpeRules,
): Pick<BpeFile, "added" | "addedLate"> | null {
  const early: SpelledToken[] = [];
  const late: SpelledToken[] = [];
  let next = vocabulary.size;
  for (const token of added) {
    if (!isJson(token)) return null;
    const plain = { single_word: false, lstrip: false, rstrip: false };
    const { content, id, normalized } = token;
    if (!has(token, { ...plain, id: ANY, content: ANY, normalized: ANY, special: ANY })) return null;
    if (typeof content !== "string" || content === "" || !content.isWellFormed()) return null;
    const expected = vocabulary.get(content) ?? next++;
    if (id !== expected || typeof normalized !== "boolean") return null;
    // Those are looked for in changed text, as they would be changed themselves.
    const same = rules.symbols === "bytes" && (!rules.nfc || !/[\u0300-\u{10ffff}]/u.test(content));
    if (normalized && !same) return null;
    (normalized ? late : early).push([content, expected]);
  }
  const all = new Set([...early, ...late].map(([content]) => content));
  return all.size === added.length ? { added: early, addedLate: late } : null;
}

/** Stands for any value of a field. */
const ANY = Symbol("any");

/** Whether an object has these fields with these values and no others. Fields may be absent where any value goes. */
function has(json: Json, fields: Readonly<Record<string, unknown>>): boolean {
  if (Object.keys(json).some((key) => !Object.hasOwn(fields, key))) return false;
  return Object.entries(fields).every(([key, value]) => value === ANY || json[key] === value);
}

/** Whether a value is an object with fields. */
export function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
