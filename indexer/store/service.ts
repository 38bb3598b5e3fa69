import { asLightedgeError, LightedgeError } from "../../shared/errors.ts";
import { checkKey } from "../../shared/store/keys.ts";
import { checkRange } from "../../shared/store/range.ts";
import type { ObjectInfo, ReadStore } from "../../shared/store/store.ts";

const RANGE = /^bytes=(\d{1,16})-(\d{1,16})$/;

/**
 * Answers one request for an object, so that a Worker can read any store of ours through
 * a service binding; `edge/store-service.ts` is the other side. `GET /{key}` is 200 with
 * the body, or 206 for `Range: bytes=first-last` (both included); `HEAD` has no body. Whole
 * objects carry `etag`, `x-object-modified` in ms since 1970, and `x-object-bytes`: a length of our
 * own, since servers and clients on the way drop or rewrite `content-length`. 404 means no such object, 400 that it cannot
 * be a key, 405 another method, 416 a range that the object does not fill, 503 a store that
 * is down. Never throws.
 */
export async function storeResponse(store: ReadStore, request: Request): Promise<Response> {
  try {
    return await answer(store, request);
  } catch (error) {
    const { code, message } = asLightedgeError(error);
    if (code === "store/invalid-key") return refusal(400, message);
    if (code === "blob/corrupt") return refusal(416, message);
    return refusal(code === "store/unavailable" ? 503 : 500, message);
  }
}

async function answer(store: ReadStore, request: Request): Promise<Response> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return refusal(405, "Objects can be read by GET and HEAD only.", { allow: "GET, HEAD" });
  }
  // No decoding: no key needs escapes, and "%" is refused like any other stray character.
  const key = new URL(request.url).pathname.slice(1);
  checkKey(key);
  if (request.method === "HEAD") {
    const info = await store.head(key);
    return info === null ? refusal(404, null) : new Response(null, { headers: facts(info) });
  }
  const range = request.headers.get("range");
  if (range !== null) return part(store, key, range);
  const found = await store.get(key);
  return found === null ? missing(key) : new Response(found.body, { headers: facts(found) });
}

async function part(store: ReadStore, key: string, range: string): Promise<Response> {
  const [, first, last] = RANGE.exec(range) ?? [];
  const length = Number(last) - Number(first) + 1;
  // NaN where the header does not match, which no range allows.
  if (!(length > 0)) throw new LightedgeError("blob/corrupt", "The range must be bytes=first-last.");
  checkRange(key, Number(first), length);
  const bytes = await store.getRange(key, Number(first), length);
  if (bytes === null) return missing(key);
  const headers = { "content-range": `bytes ${first}-${last}/*`, "content-type": "application/octet-stream" };
  return new Response(bytes, { status: 206, headers });
}

function facts({ etag, bytes, modified }: ObjectInfo): Record<string, string> {
  return {
    etag: `"${etag}"`,
    "x-object-bytes": String(bytes),
    "x-object-modified": String(modified),
    "content-type": "application/octet-stream",
  };
}

function missing(key: string): Response {
  return refusal(404, `There is no object ${key}.`);
}

function refusal(status: number, message: string | null, headers: Record<string, string> = {}): Response {
  return new Response(message, {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", ...headers },
  });
}
