/**
 * Errors as HTTP answers: `{error: {code, message, field?, limit?}}` with the right status and
 * never more.
 */
import { asLightedgeError, type ErrorCode, type LightedgeError } from "../shared/errors.ts";
import { json } from "./respond.ts";

/** A status that an error can have. */
export type ErrorStatus = 400 | 401 | 404 | 405 | 413 | 500 | 503;

/** What stands in an answer under `error`. */
export interface ErrorBody {
  readonly code: ErrorCode;
  readonly message: string;
  /** The request field, parameter or header at fault. */
  readonly field?: string;
  /** The bound that was broken; the message has its unit. */
  readonly limit?: number;
}

/** The status of each code. Codes that only the indexer throws are faults of ours when they surface here. */
export function statusOf(code: ErrorCode): ErrorStatus {
  switch (code) {
    case "request/invalid":
    case "document/invalid":
      return 400;
    case "request/unauthorized":
      return 401;
    case "request/not-found":
    case "index/not-found":
    case "version/not-found":
    case "document/not-found":
      return 404;
    case "request/method":
      return 405;
    case "request/too-large":
      return 413;
    // May pass: the store may answer again, a replica catch up, another version fit.
    case "store/unavailable":
    case "blob/missing":
    case "blob/corrupt":
    case "format/invalid":
    case "format/unsupported":
    case "binding/mismatch":
    case "index/too-large":
    case "index/too-many-shards":
    case "index/behind":
    case "index/partial":
    case "shard/unavailable":
    case "shard/overloaded":
    case "inbox/full":
      return 503;
    case "usage/invalid":
    case "store/denied":
    case "store/unsafe":
    case "store/conflict":
    case "store/invalid-key":
    case "model/invalid":
    case "model/unsafe-file":
    case "model/batch-dependent":
    case "source/invalid":
    case "source/shrank":
    case "index/taken":
    case "device/unavailable":
    case "internal":
      return 500;
  }
}

/** Codes from 503 whose messages are made here, of nothing but names and numbers that the caller gave or may know. */
const TOLD: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "index/behind",
  "index/partial",
  "index/too-many-shards",
  "inbox/full",
]);

/** Digests name blobs, and say nothing of what is in them or where they lie. */
const BLOB_KEY = /^blobs\/[0-9a-f]{64}$/u;

/**
 * What a caller may read of an error. Below 500 that is its own message, since the fault is
 * the caller's. From 500 it is one fixed sentence for each status, the blob at fault, and
 * the request id, by which the log has the rest: other messages may name hosts and paths. Some codes
 * of 503 tell what to do themselves.
 */
export function errorBody(error: unknown, requestId: string): ErrorBody {
  const { code, message, details } = asLightedgeError(error);
  const status = statusOf(code);
  if (status >= 500 && !TOLD.has(code))
    return { code, message: `${sentenceOf(status, details.blob)} Request ${requestId}.` };
  return {
    code,
    // A cut in the middle of a surrogate pair must not make the answer ill-formed.
    message: message.toWellFormed(),
    ...(details.field === undefined ? {} : { field: details.field.toWellFormed() }),
    ...(details.limit === undefined ? {} : { limit: details.limit }),
  };
}

function sentenceOf(status: ErrorStatus, blob: string | undefined): string {
  if (status !== 503) return "Something failed on the server.";
  const culprit =
    blob !== undefined && BLOB_KEY.test(blob) ? ` ${blob} is missing, damaged or of another run.` : "";
  return `The index cannot be read at the moment; try again shortly.${culprit}`;
}

/** An error as a whole answer. `allow` lists the methods of the path for `request/method`. */
export function errorResponse(error: unknown, requestId: string, allow?: string): Response {
  const body = errorBody(error, requestId);
  const status = statusOf(body.code);
  const headers = new Headers({ "x-request-id": requestId });
  if (allow !== undefined) headers.set("allow", allow);
  // A run of the indexer makes room, and that takes longer.
  if (status === 503) headers.set("retry-after", body.code === "inbox/full" ? "60" : "1");
  if (status === 401) headers.set("www-authenticate", 'Bearer realm="lightedge"');
  return json({ error: body }, status, headers);
}

/** What the log keeps of an error from 500 on: no query text, and on one line whatever the messages hold. */
export function logLine(error: LightedgeError, requestId: string, route: string): string {
  const { code, message, details, cause } = error;
  return JSON.stringify({
    level: "error",
    request: requestId,
    route,
    code,
    message,
    blob: details.blob,
    cause: cause instanceof Error ? (cause.stack ?? cause.message) : undefined,
  });
}
