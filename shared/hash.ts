/** SHA-256 over Web Crypto, which Node, workerd and browsers share. */

/** A SHA-256 digest in 64 lower-case hexadecimal digits. */
export type Sha256 = string & { readonly __brand: "Sha256" };

const HEX = /^[0-9a-f]{64}$/;

/** Whether a text has the form of a digest. */
export function isSha256(text: string): text is Sha256 {
  return HEX.test(text);
}

/** The digest of these bytes as 32 bytes. */
export async function sha256Bytes(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

/** The digest of these bytes, or of this text as UTF-8. */
export async function sha256(data: Uint8Array<ArrayBuffer> | string): Promise<Sha256> {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  return toHex(await sha256Bytes(bytes)) as Sha256;
}

/** Bytes as lower-case hexadecimal digits. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

/** The bytes that these hexadecimal digits, two for each, stand for. */
export function fromHex(digits: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: digits.length / 2 }, (_, at) =>
    Number.parseInt(digits.slice(2 * at, 2 * at + 2), 16),
  );
}

/**
 * The digest of a JSON value with the keys of every object in code-unit order, so
 * that two spellings of the same description hash alike. Numbers, strings, booleans,
 * null, arrays and plain objects only.
 */
export async function sha256OfJson(value: unknown): Promise<Sha256> {
  return sha256(canonicalJson(value));
}

/** A JSON value as text with sorted keys and no white space. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`);
    return `{${entries.join(",")}}`;
  }
  return JSON.stringify(value);
}
