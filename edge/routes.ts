/** Every route, said once: the router is built from this list and so is the API description. */

/** One route of the HTTP interface. */
export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** With `{name}` for a segment that varies. */
  readonly path: `/${string}`;
  /** Name of its handler, and its `operationId`. */
  readonly operation: string;
  readonly summary: string;
  /** Error statuses beside 405, 413, 500 and 503, which any may have. */
  readonly errors: readonly (400 | 401 | 404)[];
}

/** The routes in the order they are documented. HEAD goes with GET, OPTIONS with all. */
export const ROUTES = [
  {
    method: "GET",
    path: "/v1/indexes/{index}/search",
    operation: "search",
    summary: "Search an index.",
    errors: [400, 404],
  },
  {
    method: "POST",
    path: "/v1/indexes/{index}/search",
    operation: "searchByBody",
    summary: "Search an index, the request in a body.",
    errors: [400, 404],
  },
  {
    method: "POST",
    path: "/v1/search",
    operation: "searchMany",
    summary: "Several searches at once, each answered or refused on its own.",
    errors: [400],
  },
  {
    method: "GET",
    path: "/v1/indexes",
    operation: "listIndexes",
    summary: "The indexes this deployment lists; empty where it lists none.",
    errors: [400],
  },
  {
    method: "GET",
    path: "/v1/indexes/{index}",
    operation: "describeIndex",
    summary: "What an index holds and which version is served.",
    errors: [400, 404],
  },
  {
    method: "GET",
    path: "/v1/indexes/{index}/documents/{id}",
    operation: "getDocument",
    summary: "One document as it was indexed.",
    errors: [400, 404],
  },
  {
    method: "PUT",
    path: "/v1/indexes/{index}/documents/{id}",
    operation: "putDocument",
    summary: "Writes a document: safe when it is acknowledged, found at once, in the index's next version.",
    errors: [400, 401, 404],
  },
  {
    method: "DELETE",
    path: "/v1/indexes/{index}/documents/{id}",
    operation: "deleteDocument",
    summary: "Deletes a document: hidden at once, gone from the index's next version.",
    errors: [400, 401, 404],
  },
  {
    method: "GET",
    path: "/v1/regions",
    operation: "describeRegions",
    summary: "Every region: how far, whether it answers, and which versions it has.",
    errors: [400, 404],
  },
  {
    method: "POST",
    path: "/v1/warm",
    operation: "warm",
    summary: "Has indexes ready before somebody asks: all, or those named, in all regions or those named.",
    errors: [400, 401, 404],
  },
  {
    method: "GET",
    path: "/health",
    operation: "health",
    summary: "Whether the Worker runs and what it has loaded. Touches no storage.",
    errors: [],
  },
  {
    method: "GET",
    path: "/openapi.json",
    operation: "describeApi",
    summary: "This description.",
    errors: [],
  },
  { method: "GET", path: "/", operation: "page", summary: "The search page.", errors: [] },
  {
    method: "GET",
    path: "/regions",
    operation: "regionsPage",
    summary: "A page that shows the regions at work.",
    errors: [],
  },
] as const satisfies readonly Route[];

/** The name of a handler. */
export type Operation = (typeof ROUTES)[number]["operation"];

/** Paths with the methods each one answers to, as they stand in `Allow`. */
export function methodsByPath(): ReadonlyMap<Route["path"], string> {
  const methods = new Map<Route["path"], string[]>();
  for (const { path, method } of ROUTES) {
    const list = methods.get(path) ?? [];
    list.push(...(method === "GET" ? ["GET", "HEAD"] : [method]));
    methods.set(path, list);
  }
  return new Map([...methods].map(([path, list]) => [path, [...list, "OPTIONS"].join(", ")]));
}

/**
 * The varying segments of a path that matched this template, still percent-encoded: a
 * router that decodes would take an encoded slash in a document's id for a boundary.
 */
export function rawSegments(template: string, path: string): Readonly<Record<string, string>> {
  const given = path.split("/");
  const names = template.split("/").map((part) => (part.startsWith("{") ? part.slice(1, -1) : undefined));
  return Object.fromEntries(
    names.flatMap((name, at) => (name === undefined ? [] : [[name, given[at] ?? ""]])),
  );
}
