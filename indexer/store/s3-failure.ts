/** What a failed S3 request says about the store: whether anything happened, and whether to ask again. */
import { LightedgeError } from "../../shared/errors.ts";
import type { S3Location } from "./s3-location.ts";

/**
 * - absent: there is no such object.
 * - condition: If-Match or If-None-Match did not hold, and nothing was written.
 * - range: the object has no byte of the range.
 * - busy: surely nothing was done; the same request may be sent again.
 * - denied: surely nothing was done, and the same request would be refused again.
 * - unclear: the request may have been carried out, or may yet be.
 */
export type FailureKind = "absent" | "condition" | "range" | "busy" | "denied" | "unclear";

/** A request that failed. Only the S3 store sees it: callers get `LightedgeError`s. */
export class S3Failure extends Error {
  readonly kind: FailureKind;
  /** The store's own name for it, such as NoSuchKey, or that of the operating system. */
  readonly reason: string;
  /** HTTP status, 0 where no answer came. */
  readonly status: number;
  /** Milliseconds that the store asks to be left alone. */
  readonly waitMs: number;
  /** Region that the bucket is said to be in. */
  readonly region: string | undefined;

  constructor(
    kind: FailureKind,
    message: string,
    facts: {
      readonly reason?: string;
      readonly status?: number;
      readonly waitMs?: number;
      readonly region?: string | undefined;
    } = {},
    cause?: unknown,
  ) {
    super(message, { cause });
    this.kind = kind;
    this.reason = facts.reason ?? "";
    this.status = facts.status ?? 0;
    this.waitMs = facts.waitMs ?? 0;
    this.region = facts.region;
  }
}

/** Errors of the operating system by which no byte has reached the store. */
const NOT_REACHED = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "ENETUNREACH", "EHOSTUNREACH"];
/** Refusals for being too many. A 503 of any other name may come from a proxy that had passed the request on. */
const THROTTLED = ["SlowDown", "TooManyRequests", "RequestLimitExceeded"];
/** Errors of the client's where it finds no keys, or a role it may not take. */
const NO_CREDENTIALS = ["CredentialsProviderError", "TokenProviderError"];
/** A store that asks for more than this is not waited for; ms. */
const LONGEST_WAIT_ASKED = 30_000;

/** The failure that an error of the client's stands for. What is no failure of the store or network is thrown on. */
export function failureOf(error: unknown): S3Failure {
  if (error instanceof S3Failure) return error;
  if (!(error instanceof Error) || error instanceof TypeError) throw error;
  const status = numberAt(at(error, "$metadata"), "httpStatusCode");
  const code = textAt(error, "code");
  const facts = {
    reason: code ?? textAt(error, "Code") ?? error.name,
    status: status ?? 0,
    waitMs: waitAsked(error),
    region: textAt(error, "Region") ?? textAt(headersOf(error), "x-amz-bucket-region"),
  };
  const failed = (kind: FailureKind) => new S3Failure(kind, error.message, facts, error);
  if (NO_CREDENTIALS.includes(error.name)) return failed("denied");
  if (code !== undefined && NOT_REACHED.includes(code)) return failed("busy");
  if (status !== undefined) return failed(kindOf(status, facts.reason));
  if (code !== undefined || error.name === "AbortError" || error.name === "TimeoutError")
    return failed("unclear");
  throw error;
}

function kindOf(status: number, reason: string): FailureKind {
  if (status === 429 || THROTTLED.includes(reason)) return "busy";
  // The client has taken the store's time from this very answer, and signs the next request by it.
  if (reason === "RequestTimeTooSkewed") return "busy";
  // Another write of the object is under way, so neither condition nor content was looked at.
  if (status === 409) return "busy";
  if (status === 412) return "condition";
  if (status === 416) return "range";
  // A bare 404 may be a proxy's; only the answer to a HEAD has no body to say more.
  if (status === 404 && reason === "NoSuchKey") return "absent";
  if (status === 404 && reason === "NoSuchBucket") return "denied";
  if (reason === "RequestTimeout" || status < 300 || status === 404) return "unclear";
  // Not implemented is said by stores that know no conditions.
  return status < 500 || status === 501 ? "denied" : "unclear";
}

/** A failure as an error for whoever called the store. `deed` is such as "read", `tries` how often it was tried. */
export function storeError(
  failure: S3Failure,
  place: S3Location,
  deed: "read" | "write" | "list" | "delete",
  key: string,
): LightedgeError {
  const details = { blob: key };
  const { bucket } = place;
  const said = failure.status === 0 ? failure.reason || failure.message : saidBy(failure);
  if (failure.kind === "denied") {
    return new LightedgeError("store/denied", deniedBecause(failure, place, deed, key), details, failure);
  }
  const doubt = deed === "read" || deed === "list" ? "" : doubtOf(failure, deed);
  const message = `The bucket ${bucket} failed to ${deed} ${key === "" ? "its keys" : key} (${said})${doubt}. ${remedyOf(failure)}`;
  return new LightedgeError("store/unavailable", message, details, failure);
}

function doubtOf(failure: S3Failure, deed: "write" | "delete"): string {
  if (failure.kind === "busy") return "; nothing was changed";
  return deed === "write" ? "; it may or may not have been written" : "; it may or may not be gone";
}

function remedyOf({ reason }: S3Failure): string {
  if (reason === "RequestTimeTooSkewed") return "Set the clock of this machine.";
  if (NOT_REACHED.includes(reason)) return "Check the endpoint and the network.";
  return "Run it again when the store is well.";
}

function deniedBecause(failure: S3Failure, place: S3Location, deed: string, key: string): string {
  const { bucket, endpoint, region } = place;
  const { reason, status } = failure;
  if (NO_CREDENTIALS.includes(reason)) {
    const r2 = endpoint?.endsWith(".r2.cloudflarestorage.com")
      ? "R2_ACCESS_KEY_ID and R2_SECRET_ACCESS_KEY, "
      : "";
    return `No credentials for the bucket ${bucket}. Set ${r2}AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile by AWS_PROFILE, or a role.`;
  }
  if (reason === "NoRegion") {
    return `No region for the bucket ${bucket}. Add ?region=NAME to --store, or set AWS_REGION.`;
  }
  if (reason === "NoSuchBucket") {
    return `There is no bucket ${bucket}${endpoint === undefined ? "" : ` at ${endpoint}`}. Make it, or correct --store.`;
  }
  if (reason === "AuthorizationHeaderMalformed" || (status >= 300 && status < 400)) {
    const there = failure.region === undefined ? "" : `: it is in ${failure.region}`;
    return `The bucket ${bucket} is not in the region ${region ?? "of the profile"}${there}. Give --store its region, as ?region=NAME.`;
  }
  const refused = `The bucket ${bucket} refused to ${deed} ${key === "" ? "its keys" : key} (${saidBy(failure)}).`;
  if (status === 501) {
    return `${refused} It does not know conditional writes, and without them two runs can lose each other's work. Use another store.`;
  }
  if (status === 401 || status === 403 || reason.includes("Token")) {
    return `${refused} Check the keys; they need the rights to get, put, delete and list objects of this bucket.`;
  }
  return refused;
}

function saidBy({ status, reason, message }: S3Failure): string {
  const name = reason === "" || reason === "Unknown" || reason === "Error" ? "" : ` ${reason}`;
  const rest =
    message === "UnknownError" || message === "" ? "" : `: ${message.split("\n")[0]!.slice(0, 200)}`;
  return `${status}${name}${rest}`;
}

function waitAsked(error: Error): number {
  const asked = Number(textAt(headersOf(error), "retry-after") ?? 0) * 1000;
  return asked > 0 && asked <= LONGEST_WAIT_ASKED ? asked : 0;
}

function headersOf(error: Error): unknown {
  return at(at(error, "$response"), "headers");
}

function at(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function textAt(value: unknown, name: string): string | undefined {
  const found = at(value, name);
  return typeof found === "string" ? found : undefined;
}

function numberAt(value: unknown, name: string): number | undefined {
  const found = at(value, name);
  return typeof found === "number" ? found : undefined;
}
