/**
 * The parameters of a URL, decoded strictly. `URLSearchParams` turns bad bytes into U+FFFD
 * and leaves `%zz` standing, so that two different requests could look the same; here both
 * are refused, as is a name that occurs twice. Raw bytes above 0x7f in a request line are out
 * of our hands: the runtime has made them U+FFFD before a Worker sees the URL.
 */
import { LightedgeError, printable } from "../shared/errors.ts";
import { HTTP_LIMITS } from "./limits.ts";

/** One parameter: its name and its value, both decoded. */
export type Parameter = readonly [name: string, value: string];

const PERCENT = 0x25;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** The undecoded path of a URL, from its first slash to the `?` or `#`. */
export function rawPath(url: string): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  if (start < 0) return "/";
  const ends = [url.indexOf("?", start), url.indexOf("#", start)].filter((at) => at >= 0);
  return url.slice(start, ends.length === 0 ? undefined : Math.min(...ends));
}

/**
 * The parameters of a URL in their order. Throws `request/invalid` naming the parameter
 * for a bad escape, bytes that are not UTF-8 and a repeated name.
 */
export function parameters(url: string): readonly Parameter[] {
  const from = url.indexOf("?");
  const hash = url.indexOf("#");
  if (from < 0 || (hash >= 0 && hash < from)) return [];
  const parts = url.slice(from + 1, hash < 0 ? undefined : hash).split("&");
  const pieces = parts.filter((piece) => piece !== "");
  if (pieces.length > HTTP_LIMITS.parameters) {
    throw new LightedgeError(
      "request/invalid",
      `There are more than ${HTTP_LIMITS.parameters} parameters in the URL.`,
      { field: "url", limit: HTTP_LIMITS.parameters },
    );
  }
  const seen = new Set<string>();
  return pieces.map((piece) => {
    const at = piece.indexOf("=");
    const name = percentDecode(at < 0 ? piece : piece.slice(0, at), "a parameter's name", true);
    if (seen.has(name)) {
      throw new LightedgeError("request/invalid", `The parameter ${printable(name)} occurs twice.`, {
        field: fieldName(name),
      });
    }
    seen.add(name);
    return [name, at < 0 ? "" : percentDecode(piece.slice(at + 1), fieldName(name), true)];
  });
}

/**
 * Percent-encoded UTF-8 as text; `+` is a space where `plusIsSpace`. Throws
 * `request/invalid` with this field for a bad escape or bytes that are not UTF-8.
 */
export function percentDecode(raw: string, field: string, plusIsSpace: boolean): string {
  const text = plusIsSpace ? raw.replaceAll("+", " ") : raw;
  if (!text.includes("%")) return text;
  const bytes = encoder.encode(text);
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (byte !== PERCENT) {
      bytes[length++] = byte;
      continue;
    }
    const high = hexDigit(bytes[i + 1]);
    const low = hexDigit(bytes[i + 2]);
    if (high < 0 || low < 0) {
      const message = `${field} holds a % that begins no escape; a percent sign is written %25.`;
      throw new LightedgeError("request/invalid", message, { field });
    }
    bytes[length++] = high * 16 + low;
    i += 2;
  }
  try {
    return decoder.decode(bytes.subarray(0, length));
  } catch (error) {
    const message = `${field} does not decode to UTF-8.`;
    throw new LightedgeError("request/invalid", message, { field }, error);
  }
}

/** A name that came from outside, short enough to be sent back as `field`. */
export function fieldName(name: string): string {
  return name.length > 64 ? `${name.slice(0, 61)}...` : name;
}

function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1;
}
