/** Everything that the Worker answers, mixed: searches of all kinds, documents, the page, and requests that must be refused. */
import type { SearchAnswer } from "../../shared/types.ts";

/** A request with the status that it must get. */
interface Ask {
  readonly kind: string;
  readonly path: string;
  readonly init?: RequestInit;
  readonly status: number;
}

/** What came of the load. */
export interface LoadReport {
  readonly requests: number;
  /** Bytes of all answers. */
  readonly bytes: number;
  /** Every failure in words, `kind: what happened`. */
  readonly failures: readonly string[];
}

const CONNECTIONS = 16;
/** Failures after which there is no server left to ask. */
const HOPELESS = 100;

/** Keeps all connections busy for some seconds, each with the next request of the mix, or only with those of one kind. */
export async function mixedLoad(
  url: string,
  index: string,
  queries: readonly string[],
  seconds: number,
  only?: string,
): Promise<LoadReport> {
  const failures: string[] = [];
  const ids = await documentIds(url, index, queries).catch((error: unknown) => {
    failures.push(`first searches: ${reason(error)}`);
    return ["unknown"];
  });
  if (failures.length > 0) return { requests: 1, bytes: 0, failures };
  let requests = 0;
  let bytes = 0;
  const end = performance.now() + seconds * 1000;
  const connection = async () => {
    while (performance.now() < end && failures.length < HOPELESS) {
      const number = requests++;
      const query = queries[number % queries.length]!;
      const all = asks(index, query, ids[(number * 7) % ids.length]!);
      const mix = all.filter((ask) => only === undefined || ask.kind === only);
      const { kind, path, init, status } = mix[number % mix.length]!;
      try {
        const response = await fetch(new URL(path, url), init);
        const body = await response.arrayBuffer();
        bytes += body.byteLength;
        if (response.status !== status) failures.push(`${kind}: status ${response.status} for ${status}`);
      } catch (error) {
        failures.push(`${kind}: ${reason(error)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, connection));
  return { requests, bytes, failures };
}

function reason(error: unknown): string {
  return String(error instanceof Error ? (error.cause ?? error) : error);
}

/** Ids of some documents, as searches give them. */
async function documentIds(
  url: string,
  index: string,
  queries: readonly string[],
): Promise<readonly string[]> {
  const ids: string[] = [];
  for (const query of queries.slice(0, 20)) {
    const { path } = searching(index, query, { limit: "100", fields: "title" });
    const response = await fetch(new URL(path, url));
    if (!response.ok) throw new Error(`A search failed before the load: ${await response.text()}`);
    const { hits } = (await response.json()) as SearchAnswer;
    ids.push(...hits.map(({ id }) => id));
  }
  if (ids.length === 0) throw new Error(`The index ${index} answers none of the queries.`);
  return ids;
}

function searching(index: string, q: string, options: Readonly<Record<string, string>> = {}): Ask {
  const fields = new URLSearchParams({ q, ...options });
  return { kind: "search", path: `/v1/indexes/${index}/search?${fields}`, status: 200 };
}

/** One round of the mix. Deep pages and whole documents read the most blocks, explaining makes the largest answers. */
function asks(index: string, query: string, id: string): readonly Ask[] {
  const post = (kind: string, path: string, body: string, status: number): Ask => ({
    kind,
    path,
    // A server hangs up on a body that it does not read to the end, so nobody else may be on the line.
    init: { method: "POST", headers: { "content-type": "application/json", connection: "close" }, body },
    status,
  });
  const search = (kind: string, options?: Readonly<Record<string, string>>): Ask => ({
    ...searching(index, query, options),
    kind,
  });
  const here = `/v1/indexes/${index}`;
  const batch = Array.from({ length: 16 }, () => ({ index, q: query, limit: 20 }));
  return [
    search("hybrid"),
    search("dense", { mode: "dense" }),
    search("sparse", { mode: "sparse" }),
    search("deep", { offset: "900", limit: "100" }),
    search("explained", { explain: "true", limit: "100" }),
    search("deep and explained", { explain: "true", offset: "500", limit: "100", mode: "dense" }),
    { ...searching(index, `${query} `.repeat(512).slice(0, 2700).trim()), kind: "long" },
    post("batch", "/v1/search", JSON.stringify({ queries: batch }), 200),
    { kind: "document", path: `${here}/documents/${encodeURIComponent(id)}`, status: 200 },
    { kind: "page", path: "/", status: 200 },
    { kind: "description", path: "/openapi.json", status: 200 },
    { kind: "facts", path: here, status: 200 },
    { kind: "no query", path: `${here}/search`, status: 400 },
    search("hybrid again", { limit: "20" }),
    { ...searching(index, query, { offset: "5000" }), kind: "too deep", status: 400 },
    { ...searching("no-such-index", query), kind: "no index", status: 404 },
    { kind: "no document", path: `${here}/documents/no-such-document`, status: 404 },
    post("no JSON", `${here}/search`, "{", 400),
    post("too large", `${here}/search`, JSON.stringify({ q: "a".repeat(100_000) }), 413),
    { kind: "no method", path: `${here}/search`, init: { method: "DELETE" }, status: 405 },
  ];
}
