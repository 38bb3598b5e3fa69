/** Everything that the Worker answers, mixed: searches of all kinds, documents, writes, the page, and requests that must be refused. */
import type { SearchAnswer } from "../../shared/types.ts";

/** A request with the statuses that it may get. */
interface Ask {
  readonly kind: string;
  readonly path: string;
  readonly init?: RequestInit;
  readonly statuses: readonly number[];
}

/** What is loaded, and how. */
export interface LoadOptions {
  readonly url: string;
  /** Asked in turn. */
  readonly indexes: readonly string[];
  readonly queries: readonly string[];
  readonly seconds: number;
  /** Only requests of this kind. */
  readonly only?: string | undefined;
  /** The key that writes need; none are sent where it is absent. */
  readonly adminKey?: string | undefined;
  /** Whether an answer may be 503: where more is asked than the budget holds, saying so is right. */
  readonly mayRefuse: boolean;
}

/** What came of the load. */
export interface LoadReport {
  readonly requests: number;
  /** Bytes of all answers. */
  readonly bytes: number;
  /** Answers of 503, each with Retry-After. */
  readonly refused: number;
  readonly partial: number;
  /** Writes that were taken. */
  readonly written: number;
  /** Every failure in words, `kind: what happened`. */
  readonly failures: readonly string[];
}

const CONNECTIONS = 16;
/** Failures after which there is no server left to ask. */
const HOPELESS = 100;
/** Silence that counts as a failure. */
const SILENCE_MS = 30_000;
/** Characters of a document that is written: a thousand of them fill an inbox by number and by bytes. */
const WRITTEN_UNITS = 4000;
/** Texts that are written: few, as the run that takes them in has to encode each once. */
const WRITTEN_TEXTS = 40;

/** Keeps all connections busy for some seconds, each with the next request of the mix, or only with those of one kind. */
export async function mixedLoad(options: LoadOptions): Promise<LoadReport> {
  const { url, indexes, queries, seconds, only, mayRefuse } = options;
  const failures: string[] = [];
  const ids = new Map<string, readonly string[]>();
  for (const index of indexes) {
    const found = await documentIds(url, index, queries).catch((error: unknown) => {
      failures.push(`first searches of ${index}: ${reason(error)}`);
      return ["unknown"];
    });
    ids.set(index, found);
  }
  const counts = { requests: 0, bytes: 0, refused: 0, partial: 0, written: 0 };
  if (failures.length > 0) return { ...counts, requests: 1, failures };
  const end = performance.now() + seconds * 1000;
  const connection = async () => {
    while (performance.now() < end && failures.length < HOPELESS) {
      const number = counts.requests++;
      const query = queries[number % queries.length]!;
      // The mix of one index after that of the other.
      const index = indexes[Math.floor(number / 25) % indexes.length]!;
      const own = ids.get(index)!;
      const all = asks(index, query, own[(number * 7) % own.length]!, number, options);
      const mix = all.filter((ask) => only === undefined || ask.kind === only);
      const { kind, path, init, statuses } = mix[number % mix.length]!;
      try {
        const response = await fetch(new URL(path, url), {
          ...init,
          signal: AbortSignal.timeout(SILENCE_MS),
        });
        const body = new Uint8Array(await response.arrayBuffer());
        counts.bytes += body.byteLength;
        if (response.status === 202) counts.written++;
        const isRefusal = response.status === 503 && response.headers.get("retry-after") !== null;
        if (isRefusal && (mayRefuse || statuses.includes(503))) counts.refused++;
        else if (!statuses.includes(response.status))
          failures.push(`${kind}: status ${response.status} for ${statuses.join(" or ")}`);
        else if (response.status === 200 && isPartial(body)) counts.partial++;
      } catch (error) {
        failures.push(`${kind}: ${reason(error)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, connection));
  return { ...counts, failures };
}

/** Writes documents to an index until its inbox takes no more; resolves to how many it took. */
export async function fillInbox(
  url: string,
  index: string,
  adminKey: string,
  queries: readonly string[],
): Promise<number> {
  for (let taken = 0; ; ) {
    const batch = Array.from({ length: 8 }, (_, at) => {
      const { path, init } = writing(index, `filling-${taken + at}`, textOf(queries, taken + at), adminKey);
      const once = () => fetch(new URL(path, url), { ...init, signal: AbortSignal.timeout(SILENCE_MS) });
      // A connection that was idle may be closed as it is used again; the same write twice says the same.
      return once().catch(once);
    });
    const answers = await Promise.all(batch);
    for (const answer of answers) {
      const body = await answer.text();
      if (answer.status === 202) taken++;
      else if (answer.status === 503 && body.includes("inbox/full")) return taken;
      else throw new Error(`A write was answered ${answer.status}: ${body}`);
    }
  }
}

/** Without parsing a megabyte: the property stands before the hits. */
function isPartial(body: Uint8Array): boolean {
  return new TextDecoder().decode(body.subarray(0, 1024)).includes('"partial":true');
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
  return { kind: "search", path: `/v1/indexes/${index}/search?${fields}`, statuses: [200] };
}

function textOf(queries: readonly string[], number: number): string {
  const from = (number % WRITTEN_TEXTS) * 100;
  return queries
    .join(". ")
    .repeat(4)
    .slice(from, from + WRITTEN_UNITS);
}

function writing(index: string, id: string, text: string, adminKey: string): Ask {
  return {
    kind: "write",
    path: `/v1/indexes/${index}/documents/${id}`,
    init: {
      method: "PUT",
      headers: { authorization: `Bearer ${adminKey}`, "content-type": "application/json" },
      body: JSON.stringify({ title: "Written", text }),
    },
    // A full inbox is full until the next run.
    statuses: [202, 503],
  };
}

/** One round of the mix. Deep pages and whole documents read the most blocks, explaining makes the largest answers. */
function asks(
  index: string,
  query: string,
  id: string,
  number: number,
  { adminKey, queries }: LoadOptions,
): readonly Ask[] {
  const post = (kind: string, path: string, body: string, status: number): Ask => ({
    kind,
    path,
    // A server hangs up on a body that it does not read to the end, so nobody else may be on the line.
    init: { method: "POST", headers: { "content-type": "application/json", connection: "close" }, body },
    statuses: [status],
  });
  const search = (kind: string, options?: Readonly<Record<string, string>>): Ask => ({
    ...searching(index, query, options),
    kind,
  });
  const here = `/v1/indexes/${index}`;
  const batch = Array.from({ length: 16 }, () => ({ index, q: query, limit: 20 }));
  const writes =
    adminKey === undefined
      ? []
      : [
          writing(index, `load-${number % 50}`, textOf(queries, number), adminKey),
          {
            kind: "delete",
            path: `${here}/documents/load-${(number + 7) % 50}`,
            init: { method: "DELETE", headers: { authorization: `Bearer ${adminKey}` } },
            statuses: [202, 503],
          },
        ];
  return [
    ...writes,
    search("hybrid"),
    search("dense", { mode: "dense" }),
    search("sparse", { mode: "sparse" }),
    search("deep", { offset: "900", limit: "100" }),
    search("explained", { explain: "true", limit: "100" }),
    search("deep and explained", { explain: "true", offset: "500", limit: "100", mode: "dense" }),
    { ...searching(index, `${query} `.repeat(512).slice(0, 2700).trim()), kind: "long" },
    post("batch", "/v1/search", JSON.stringify({ queries: batch }), 200),
    // A version that came meanwhile may have left it out.
    { kind: "document", path: `${here}/documents/${encodeURIComponent(id)}`, statuses: [200, 404] },
    { kind: "page", path: "/", statuses: [200] },
    { kind: "description", path: "/openapi.json", statuses: [200] },
    { kind: "facts", path: here, statuses: [200] },
    { kind: "no query", path: `${here}/search`, statuses: [400] },
    search("hybrid again", { limit: "20" }),
    { ...searching(index, query, { offset: "5000" }), kind: "too deep", statuses: [400] },
    { ...searching("no-such-index", query), kind: "no index", statuses: [404] },
    { kind: "no document", path: `${here}/documents/no-such-document`, statuses: [404] },
    post("no JSON", `${here}/search`, "{", 400),
    post("too large", `${here}/search`, JSON.stringify({ q: "a".repeat(100_000) }), 413),
    { kind: "no method", path: `${here}/search`, init: { method: "DELETE" }, statuses: [405] },
  ];
}
