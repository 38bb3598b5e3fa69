/** Signature Version 4 as a server checks it. https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html */
import { createHash, createHmac } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** Who may send requests, and where. */
export interface Signer {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
}

/** The error code that S3 answers a request with, or null where it is signed as it must be. `now` is the server's clock. */
export function signatureFault(
  request: IncomingMessage,
  body: Uint8Array,
  signer: Signer,
  now: number,
): { readonly status: number; readonly code: string } | null {
  const header = request.headers.authorization ?? "";
  const parts =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      header,
    );
  if (parts === null) return { status: 403, code: "AccessDenied" };
  const [, id, day, region, signed, signature] = parts as unknown as string[];
  if (id !== signer.accessKeyId) return { status: 403, code: "InvalidAccessKeyId" };
  if (region !== signer.region) return { status: 400, code: "AuthorizationHeaderMalformed" };
  const date = String(request.headers["x-amz-date"]);
  const [, year, month, dayOfMonth, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date) ?? [];
  const sent = Date.parse(`${year}-${month}-${dayOfMonth}T${hour}:${minute}:${second}Z`);
  if (!(Math.abs(now - sent) < 15 * 60_000)) return { status: 403, code: "RequestTimeTooSkewed" };
  const digest = createHash("sha256").update(body).digest("hex");
  if (request.headers["x-amz-content-sha256"] !== digest) {
    return { status: 400, code: "XAmzContentSHA256Mismatch" };
  }
  const scope = `${day}/${region}/s3/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", date, scope, hex(canonical(request, signed!, digest))].join("\n");
  let key: Uint8Array = hmac(new TextEncoder().encode(`AWS4${signer.secretAccessKey}`), day!);
  for (const step of [region!, "s3", "aws4_request"]) key = hmac(key, step);
  const wanted = createHmac("sha256", key).update(text).digest("hex");
  return wanted === signature ? null : { status: 403, code: "SignatureDoesNotMatch" };
}

function canonical(request: IncomingMessage, signed: string, digest: string): string {
  const url = new URL(request.url ?? "/", "http://server");
  const query = [...url.searchParams]
    .map(([name, value]) => `${escaped(name)}=${escaped(value)}`)
    .sort()
    .join("&");
  const headers = signed.split(";").map((name) => `${name}:${String(request.headers[name] ?? "").trim()}\n`);
  return [request.method, url.pathname, query, headers.join(""), signed, digest].join("\n");
}

function escaped(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function hmac(key: Uint8Array, text: string): Uint8Array {
  return createHmac("sha256", key).update(text).digest();
}

function hex(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
