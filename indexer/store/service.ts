import { asLightedgeError, LightedgeError } from "../../shared/errors.ts";
import { inboxPrefix, writeOfKey } from "../../shared/format/names.ts";
import { INBOX_LIMITS } from "../../shared/limits.ts";
import { checkKey } from "../../shared/store/keys.ts";
import { checkRange } from "../../shared/store/range.ts";
import type { ObjectInfo, ReadStore, WriteStore } from "../../shared/store/store.ts";

/** What a store must do to be served: be read, and take writes at the edge into its inboxes. */
export type ServedStore = ReadStore & Pick<WriteStore, "putIfAbsent" | "list">;

const RANGE = /^bytes=(\d{1,16})-(\d{1,16})$/;
const INBOX = /^indexes\/([a-z0-9_-]+)\/inbox\//;
const FROM = /^[0-9a-f-]{1,30}$/;

/**
 * Answers one request for an object, so that a Worker can read any store of ours through
 * a service binding; `edge/store-service.ts` is the other side. `GET /{key}` is 200 with
 * the body, or 206 for `Range: bytes=first-last` (both included); `HEAD` has no body. Whole
 * objects carry `etag`, `x-object-modified` in ms since 1970, and `x-object-bytes`: a length of our
 * own, since servers and clients on the way drop or rewrite `content-length`. 404 means no such object, 400 that it cannot
 * be a key, 405 another method, 416 a range that the object does not fill, 503 a store that
 * is down.
 *
 * `PUT` writes an entry of an inbox where there is none: 201, or 412 where there is one; no other key
 * can be written. `GET /indexes/{index}/inbox/?from={write}` lists the inbox from this write on as
 * `{objects: [{key, bytes}]}`, all of it without `from`. Never throws.
 */
export async function storeResponse(store: ServedStore, request: Request): Promise<Response> {
  try {
    return await answer(store, request);
  } catch (error) {
    const { code, message } = asLightedgeError(error);
    if (code === "store/invalid-key") return refusal(400, message);
    if (code === "blob/corrupt") return refusal(416, message);
    return refusal(code === "store/unavailable" ? 503 : 500, message);
  }
}

async function answer(store: ServedStore, request: Request): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  // No decoding: no key needs escapes, and "%" is refused like any other stray character.
  const key = pathname.slice(1);
  const index = INBOX.exec(key)?.[1];
  if (request.method === "PUT" && index !== undefined && writeOfKey(index, key) !== null)
    return putEntry(store, key, request);
  if (request.method !== "GET" && request.method !== "HEAD") {
    return refusal(405, "Objects can be read by GET and HEAD, and entries of an inbox put.", {
      allow: "GET, HEAD",
    });
  }
  if (index !== undefined && key === inboxPrefix(index))
    return listInbox(store, index, searchParams.get("from"));
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

async function putEntry(store: ServedStore, key: string, request: Request): Promise<Response> {
  const body = new Uint8Array(await request.arrayBuffer());
  if (body.length > INBOX_LIMITS.entryBytes)
    return refusal(413, `An entry has at most ${INBOX_LIMITS.entryBytes} bytes.`);
  const { kind } = await store.putIfAbsent(key, body);
  return kind === "written" ? new Response(null, { status: 201 }) : refusal(412, `${key} is there already.`);
}

async function listInbox(store: ServedStore, index: string, from: string | null): Promise<Response> {
  if (from !== null && !FROM.test(from)) return refusal(400, "from must be the name of a write.");
  const prefix = inboxPrefix(index);
  const objects: { readonly key: string; readonly bytes: number }[] = [];
  for await (const { key, bytes } of store.list(prefix)) {
    if (from === null || key >= prefix + from) objects.push({ key, bytes });
  }
  return Response.json({ objects });
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
