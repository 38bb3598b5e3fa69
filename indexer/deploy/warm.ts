/** Asking a deployment to have its indexes ready. */
import { asLightedgeError, ERROR_CODES, LightedgeError, printable } from "../../shared/errors.ts";
import type { NotWarmedIndex, WarmAnswer, WarmedIndex, WarmRequest } from "../../shared/regions/warm.ts";

/** What asking takes from the world around it. */
export interface WarmPorts {
  fetch(url: string, init: RequestInit): Promise<Response>;
}

/** What to ask for. */
export interface WarmOptions {
  /** Address of the deployment, without a slash at the end. */
  readonly url: string;
  readonly adminKey: string;
  /** Each is asked for by itself, so that no request takes longer than a platform lets it; in one request where none is named. */
  readonly indexes: readonly string[];
  readonly regions: readonly string[];
}

/** Milliseconds that one request may take: an index of a million chunks in a far region takes a minute. */
const PATIENCE_MS = 300_000;

/**
 * Asks, one request after the other. Throws `usage/invalid` for an address that is none, `request/unauthorized` for another key than the
 * deployment's, the deployment's own code for what it refuses, and `store/unavailable` where it does not answer, or otherwise than a deployment does.
 */
export async function warm(options: WarmOptions, ports: WarmPorts): Promise<WarmAnswer> {
  const regions = options.regions.length === 0 ? {} : { regions: options.regions };
  const requests: readonly WarmRequest[] =
    options.indexes.length === 0
      ? [regions]
      : options.indexes.map((index) => ({ indexes: [index], ...regions }));
  const warmed: WarmedIndex[] = [];
  const failed: NotWarmedIndex[] = [];
  for (const request of requests) {
    const answer = await ask(options, request, ports);
    warmed.push(...answer.warmed);
    failed.push(...answer.failed);
  }
  return { warmed, failed };
}

async function ask({ url, adminKey }: WarmOptions, body: WarmRequest, ports: WarmPorts): Promise<WarmAnswer> {
  const address = `${url}/v1/warm`;
  let status: number;
  let value: unknown;
  try {
    const response = await ports.fetch(address, {
      method: "POST",
      headers: { authorization: `Bearer ${adminKey}`, "content-type": "application/json" },
      body: JSON.stringify(body),
      // A key must not follow to wherever an address leads.
      redirect: "error",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    status = response.status;
    value = JSON.parse(await response.text());
  } catch (error) {
    const why = error instanceof SyntaxError ? "answers with what is not JSON" : "does not answer";
    throw new LightedgeError(
      "store/unavailable",
      `${address} ${why}.`,
      { field: "url", value: printable(url) },
      error,
    );
  }
  if (isAnswer(value)) return value;
  throw refusalIn(value, status, address);
}

function isAnswer(value: unknown): value is WarmAnswer {
  if (typeof value !== "object" || value === null) return false;
  const { warmed, failed } = value as Readonly<Record<string, unknown>>;
  const has = (item: unknown, texts: readonly string[], numbers: readonly string[]) => {
    const fields = item as Readonly<Record<string, unknown>> | null;
    return (
      texts.every((name) => typeof fields?.[name] === "string") &&
      numbers.every((name) => typeof fields?.[name] === "number")
    );
  };
  return (
    Array.isArray(warmed) &&
    warmed.every((item) => has(item, ["index", "region", "version"], ["shards", "ms"])) &&
    Array.isArray(failed) &&
    failed.every((item) => has(item, ["index", "region", "code", "message"], []))
  );
}

/** The error in an answer, as the deployment words it. */
function refusalIn(value: unknown, status: number, address: string): LightedgeError {
  const { error } = (value ?? {}) as {
    readonly error?: { readonly code?: unknown; readonly message?: unknown };
  };
  const code = ERROR_CODES.find((known) => known === error?.code);
  if (code !== undefined && typeof error?.message === "string")
    return new LightedgeError(
      code === "internal" ? "store/unavailable" : code,
      `${address}: ${error.message}`,
    );
  return new LightedgeError(
    "store/unavailable",
    `${address} answered ${status} and not what a deployment answers; is it one, and of this version?`,
    { field: "url", value: printable(address) },
  );
}

/** An address as it was given, checked. Throws `usage/invalid`. */
export function addressOf(text: string): string {
  try {
    const url = new URL(text);
    if (url.search + url.hash + url.username + url.password === "" && /^https?:$/u.test(url.protocol))
      return url.href.replace(/\/+$/u, "");
  } catch (error) {
    throw notAnAddress(text, asLightedgeError(error));
  }
  throw notAnAddress(text);
}

function notAnAddress(text: string, cause?: unknown): LightedgeError {
  return new LightedgeError(
    "usage/invalid",
    `${printable(text)} is no address of a deployment, such as https://search.example.org.`,
    { field: "URL", value: printable(text) },
    cause,
  );
}
