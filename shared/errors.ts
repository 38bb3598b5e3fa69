/**
 * Every way Lightedge can say no, as one closed list. A code names the thing and
 * what is wrong with it; the HTTP layer maps codes to statuses and the command
 * line maps them to exit codes, both with an exhaustive switch.
 */
export const ERROR_CODES = [
  // The caller's input.
  "request/invalid",
  "request/too-large",
  "request/not-found",
  "request/method",
  "request/unauthorized",
  "index/not-found",
  "version/not-found",
  "document/not-found",
  "document/invalid",
  "usage/invalid",
  // What is stored.
  "store/unavailable",
  "store/denied",
  "store/unsafe",
  "store/conflict",
  "store/invalid-key",
  "blob/missing",
  "blob/corrupt",
  "format/invalid",
  "format/unsupported",
  "binding/mismatch",
  "index/too-large",
  "index/too-many-shards",
  "index/behind",
  "index/partial",
  "shard/unavailable",
  "shard/overloaded",
  "inbox/full",
  // What the indexer is given.
  "model/invalid",
  "model/unsafe-file",
  "model/batch-dependent",
  "source/invalid",
  "source/shrank",
  "index/taken",
  "device/unavailable",
  // A fault of ours.
  "internal",
] as const;

/** One of the closed list of error codes. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** What went wrong, as data: the offending name and value, the bound it broke, and where. */
export interface ErrorDetails {
  /** The request field, option or column at fault. */
  readonly field?: string;
  /** The offending value, already short enough to print. */
  readonly value?: string;
  /** The bound that was broken; the unit is in the message. */
  readonly limit?: number;
  /** A source file, with the line in it counted from 1. */
  readonly file?: string;
  readonly line?: number;
  /** The store key of the blob at fault. */
  readonly blob?: string;
}

/**
 * The only error that Lightedge throws on purpose. Anything else that surfaces is
 * a defect, answered as `internal` without its text.
 */
export class LightedgeError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "LightedgeError";
    this.code = code;
    this.details = details;
  }
}

/** The error itself if it is one of ours, otherwise an `internal` one that keeps it as its cause. */
export function asLightedgeError(error: unknown): LightedgeError {
  if (error instanceof LightedgeError) return error;
  return new LightedgeError("internal", "Something failed inside Lightedge.", {}, error);
}

/** A value as it may stand in a message: JSON, at most 60 characters. */
export function printable(value: unknown): string {
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
