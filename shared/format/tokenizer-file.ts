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

/** A tokenizer's description as a file. Throws `format/invalid` for what cannot be written. */
export async function writeTokenizerFile(meta: TokenizerMeta, value: MsgpackValue): Promise<WrittenFile> {
  const bytes = packValue(value);
  if (bytes.length > MAX_BYTES) throw invalid(`A tokenizer of ${bytes.length} bytes is above 32 MiB.`);
  return writeEnvelope("tokenizer", { ...checkMeta(meta, "tokenizer") }, [{ name: "tokenizer", bytes }]);
}

/** The description in an open file. Throws `format/invalid`. */
export function readTokenizerFile(envelope: Envelope): TokenizerContent {
  const meta = checkMeta(envelope.meta, "tokenizer");
  const bytes = envelope.section("tokenizer");
  if (bytes.length > MAX_BYTES) throw invalid(`A tokenizer of ${bytes.length} bytes is above 32 MiB.`);
  return { meta, value: unpackValue(bytes, "tokenizer") };
}
