/** Small records that are changed in place: canonical JSON with the digest of all else in it, so that no flipped bit is believed. */

import { LightedgeError, printable } from "../errors.ts";
import { canonicalJson, sha256 } from "../hash.ts";
import { invalid } from "./bytes.ts";
import { type Check, plainObject } from "./shape.ts";

/** The content and, under `sha256`, the digest of its canonical JSON, as canonical JSON in UTF-8. */
export async function serializeSealed(content: object): Promise<Uint8Array<ArrayBuffer>> {
  const sealed = { ...content, sha256: await sha256(canonicalJson(content)) };
  return new TextEncoder().encode(canonicalJson(sealed));
}

/**
 * The content of a record. Throws `blob/corrupt` where bits differ from what was written,
 * `format/unsupported` above `format` and what `check` throws.
 */
export async function parseSealed<T>(
  bytes: Uint8Array,
  key: string,
  { format, limit, check }: { readonly format: number; readonly limit: number; readonly check: Check<T> },
): Promise<T> {
  // Before parsing: JSON grows when it is parsed.
  if (bytes.length > limit) throw invalid(`${key} has ${bytes.length} bytes; at most ${limit} are allowed.`);
  const { sha256: promised, ...content } = plainObject(decode(bytes, key), key);
  if ((await sha256(canonicalJson(content))) !== promised) {
    throw new LightedgeError("blob/corrupt", `${key} is damaged: its digest is another.`, { blob: key });
  }
  const found = content.format;
  if (typeof found === "number" && Number.isSafeInteger(found) && found > format) {
    throw new LightedgeError(
      "format/unsupported",
      `${key} has format ${found}; this version reads up to ${format}. Upgrade Lightedge where it reads.`,
      { value: printable(found), limit: format, blob: key },
    );
  }
  return check(content, key);
}

/** Bytes that are no JSON were written as JSON once, so they are damaged rather than of another shape. */
function decode(bytes: Uint8Array, key: string): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (error) {
    throw new LightedgeError("blob/corrupt", `${key} is not JSON in UTF-8.`, { blob: key }, error);
  }
}
