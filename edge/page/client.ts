/** Asks the server. Of several searches on their way only the newest is ever answered. */
import type { StoredDocument } from "../../shared/engine/api.ts";
import type { SearchAnswer } from "../../shared/types.ts";
import type { View } from "./settings.ts";

/** Hits of one request; more are asked for when wanted. */
export const PAGE_SIZE = 20;
/** Characters of a query up to which it is sent in the URL; a longer one goes in a body. */
const URL_QUERY = 1000;

/** Why there is no answer. */
export interface Failure {
  readonly kind: "offline" | "refused" | "server";
  /** A sentence for people, the server's own where there is one. */
  readonly message: string;
}

/**
 * What became of a search: an answer with its round trip in ms, a failure, or null where a newer
 * search overtook it.
 */
export type Outcome =
  | { readonly answer: SearchAnswer; readonly roundTripMs: number }
  | { readonly failure: Failure }
  | null;

/** What the page shows of an index. */
export interface IndexFacts {
  readonly documents: number;
  readonly chunks: number;
  readonly model: string;
  readonly version: string;
  readonly age_s: number;
  /** The default first. */
  readonly tasks: readonly string[];
}

/** A request that failed, with why. */
export class RequestFailed extends Error {
  readonly failure: Failure;

  constructor(failure: Failure, cause?: unknown) {
    super(failure.message, { cause });
    this.failure = failure;
  }
}

/** Searches of one page. */
export class SearchClient {
  #newest: AbortController | undefined;

  /** Gives up the search that is on its way, if any; its outcome is null. */
  cancel(): void {
    this.#newest?.abort();
    this.#newest = undefined;
  }

  /** Searches from this hit on, in place of any search that is still on its way. */
  async search(view: View & { readonly index: string }, offset: number): Promise<Outcome> {
    this.cancel();
    const own = new AbortController();
    this.#newest = own;
    const started = performance.now();
    try {
      const answer = await ask<SearchAnswer>(...searchRequest(view, offset), own.signal);
      // An abort can come after the last byte, when there is nothing left to abort.
      return this.#newest === own ? { answer, roundTripMs: performance.now() - started } : null;
    } catch (error) {
      if (this.#newest !== own) return null;
      if (error instanceof RequestFailed) return { failure: error.failure };
      throw error;
    }
  }
}

/** A document as it was indexed. Throws `RequestFailed`. */
export function fetchDocument(index: string, id: string, signal: AbortSignal): Promise<StoredDocument> {
  // An id may hold half of a surrogate pair, which cannot be put in a URL.
  const path = `${indexPath(index)}/documents/${encodeURIComponent(id.toWellFormed())}`;
  return ask<StoredDocument>(path, {}, signal);
}

/** What an index holds. Throws `RequestFailed`. */
export function fetchIndexFacts(index: string): Promise<IndexFacts> {
  return ask<IndexFacts>(indexPath(index), {}, AbortSignal.timeout(30_000));
}

function searchRequest(
  { index, q, mode, task, explain, typos }: View & { readonly index: string },
  offset: number,
): [string, RequestInit] {
  const path = `${indexPath(index)}/search`;
  const asked = task === undefined ? {} : { task: task.toWellFormed() };
  const fields = { q: q.toWellFormed(), mode, limit: PAGE_SIZE, offset, explain, typos, ...asked };
  if (q.length > URL_QUERY) {
    const headers = { "content-type": "application/json" };
    return [path, { method: "POST", headers, body: JSON.stringify(fields) }];
  }
  const texts = Object.entries(fields).map(([name, value]) => [name, String(value)]);
  return [`${path}?${new URLSearchParams(texts)}`, {}];
}

function indexPath(index: string): string {
  return `/v1/indexes/${encodeURIComponent(index.toWellFormed())}`;
}

async function ask<T>(path: string, init: RequestInit, signal: AbortSignal): Promise<T> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(path, {
      ...init,
      signal,
      headers: { accept: "application/json", ...init.headers },
    });
    text = await response.text();
  } catch (error) {
    throw new RequestFailed({ kind: "offline", message: "The server cannot be reached." }, error);
  }
  const body = parse(text);
  if (response.ok && body !== undefined) {
    // Safe as far as the server keeps /openapi.json; strings are shown as text whatever they hold.
    return body as T;
  }
  const message = messageOf(body) ?? `The server answered with status ${response.status}.`;
  throw new RequestFailed({ kind: response.status < 500 ? "refused" : "server", message });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function messageOf(body: unknown): string | undefined {
  if (typeof body !== "object" || body === null || !("error" in body)) return undefined;
  const { error } = body;
  if (typeof error !== "object" || error === null || !("message" in error)) return undefined;
  return typeof error.message === "string" ? error.message : undefined;
}
