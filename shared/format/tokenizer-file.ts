/** The tokenizer file: how text becomes token ids, as one value. docs/format.md section 9. */

import type { Sha256 } from "../hash.ts";
import { MIB } from "../limits.ts";
import { invalid } from "./bytes.ts";
import { type Envelope, type WrittenFile, writeEnvelope } from "./envelope.ts";
import { type MsgpackValue, packValue, unpackValue } from "./msgpack.ts";
import { digest, flag, object } from "./shape.ts";

/** What a tokenizer file says about itself. */
export interface TokenizerMeta {
  /** Digest of the document encoder's files, from which the tokenizer was taken. */
  readonly encoder: Sha256;
  /** Whether text is lower-cased first, whatever the tokenizer itself does. */
  readonly lowercase: boolean;
}

/** A tokenizer file, open. */
export interface TokenizerContent {
  readonly meta: TokenizerMeta;
  /** As it was written; `shared/tokenizer` checks its shape. */
  readonly value: unknown;
}

/** The largest vocabularies in use, 250,000 tokens with merges, take about 20 MB. */
const MAX_BYTES = 32 * MIB;

const checkMeta = object<TokenizerMeta>({ encoder: digest, lowercase: flag });

/** What is stored: a plain value, or one whose field `parts` holds bytes by name. */
export type TokenizerValue =
  | MsgpackValue
  | {
      readonly [key: string]: MsgpackValue | Parts;
      readonly parts: Parts;
    };

/** Bytes by name. Each becomes a section of its own, aligned so that it is used where it lies. */
type Parts = Readonly<Record<string, Uint8Array<ArrayBuffer>>>;

/** Parts of one tokenizer at most; a file has room for 64 sections. */
const MAX_PARTS = 16;

/** A tokenizer's description as a file. Throws `format/invalid` for what cannot be written. */
export async function writeTokenizerFile(meta: TokenizerMeta, value: TokenizerValue): Promise<WrittenFile> {
  const [plain, parts] = hasParts(value) ? apart(value) : [value, []];
  const sections = [{ name: SECTION, bytes: packValue(plain) }, ...parts];
  checkBytes(sections.reduce((sum, { bytes }) => sum + bytes.length, 0));
  return writeEnvelope("tokenizer", { ...checkMeta(meta, "tokenizer") }, sections);
}

/** The description in an open file, its parts as views of the file. Throws `format/invalid`. */
export function readTokenizerFile(envelope: Envelope): TokenizerContent {
  const meta = checkMeta(envelope.meta, "tokenizer");
  const bytes = envelope.section(SECTION);
  checkBytes(bytes.length);
  const value = unpackValue(bytes, "tokenizer");
  const names = isMap(value) ? value.parts : undefined;
  if (!isMap(value) || names === undefined) return { meta, value };
  if (!Array.isArray(names) || names.length > MAX_PARTS || !names.every((name) => typeof name === "string"))
    throw invalid("The tokenizer's list of parts is none.");
  const parts = Object.fromEntries(names.map((name: string) => [name, envelope.section(name)]));
  checkBytes(Object.values(parts).reduce((sum, part) => sum + part.length, bytes.length));
  return { meta, value: { ...value, parts } };
}

const SECTION = "tokenizer";

function hasParts(value: TokenizerValue): value is Exclude<TokenizerValue, MsgpackValue> {
  if (!isMap(value) || !isMap(value.parts)) return false;
  return Object.values(value.parts).every((part) => part instanceof Uint8Array);
}

/** The value with names instead of parts, and the sections. */
function apart(
  value: Exclude<TokenizerValue, MsgpackValue>,
): [MsgpackValue, { readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> }[]] {
  const { parts, ...rest } = value;
  const sections = Object.entries(parts).map(([name, bytes]) => ({ name, bytes }));
  return [{ ...(rest as Record<string, MsgpackValue>), parts: sections.map(({ name }) => name) }, sections];
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function checkBytes(bytes: number): void {
  if (bytes > MAX_BYTES) throw invalid(`A tokenizer of ${bytes} bytes is above 32 MiB.`);
}
