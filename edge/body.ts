/** A request's body as a JSON value, with every bound checked on the way in. */
import { LightedgeError } from "../shared/errors.ts";
import { KIB, REQUEST_LIMITS } from "../shared/limits.ts";
import { checkJsonShape } from "./json-shape.ts";

/**
 * The JSON value of a body of `application/json`. Reads at most `limit` bytes, those of a search
 * when left out, and one chunk more, whatever Content-Length says. Throws `request/too-large`, or
 * `request/invalid` for a wrong content type, bytes that are not UTF-8, text that is not
 * JSON, nesting above `bodyDepth` and a key that occurs twice in one object.
 */
export async function readJson(request: Request, limit: number = REQUEST_LIMITS.bodyBytes): Promise<unknown> {
  checkHeaders(request.headers, limit);
  const text = decode(await readBytes(request, limit));
  checkJsonShape(text, REQUEST_LIMITS.bodyDepth);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalidBody("The body is not JSON.", error);
  }
}

/** Bytes of the first space for a body; it grows by doubling. */
const FIRST_BYTES = 64 * KIB;

function checkHeaders(headers: Headers, limit: number): void {
  const given = headers.get("content-type") ?? "";
  const end = given.indexOf(";");
  const type = (end < 0 ? given : given.slice(0, end)).trim().toLowerCase();
  if (type !== "application/json") {
    throw new LightedgeError("request/invalid", "The content type of the body must be application/json.", {
      field: "content-type",
    });
  }
  const coding = headers.get("content-encoding");
  if (coding !== null && coding.trim().toLowerCase() !== "identity") {
    throw new LightedgeError("request/invalid", "A compressed body is not accepted.", {
      field: "content-encoding",
    });
  }
  // A sender that says so is refused before it sends; one that lies is counted below.
  if (Number(headers.get("content-length") ?? 0) > limit) throw tooLarge(limit);
}

async function readBytes(request: Request, limit: number): Promise<Uint8Array> {
  let bytes = new Uint8Array(Math.min(limit, FIRST_BYTES));
  let length = 0;
  if (request.body === null) return bytes.subarray(0, 0);
  const reader = request.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return bytes.subarray(0, length);
    if (length + value.length > limit) {
      // Nobody waits for the rest, and a sender that never ends must not hold the answer up.
      reader.cancel().catch(() => undefined);
      throw tooLarge(limit);
    }
    if (length + value.length > bytes.length) {
      const grown = new Uint8Array(Math.min(limit, 2 * (length + value.length)));
      grown.set(bytes.subarray(0, length));
      bytes = grown;
    }
    bytes.set(value, length);
    length += value.length;
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw invalidBody("The body is not UTF-8.", error);
  }
}

function tooLarge(limit: number): LightedgeError {
  return new LightedgeError("request/too-large", `The body is larger than ${limit} bytes.`, {
    field: "body",
    limit,
  });
}

function invalidBody(message: string, cause: unknown): LightedgeError {
  return new LightedgeError("request/invalid", message, { field: "body" }, cause);
}
