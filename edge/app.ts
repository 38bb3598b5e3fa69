/** The HTTP interface: a request in, an answer out, whatever happens in between. */
import { Hono } from "hono";
import { checkedId } from "../shared/document-rules.ts";
import type { OpenIndex } from "../shared/engine/api.ts";
import { asLightedgeError, LightedgeError, printable } from "../shared/errors.ts";
import { INBOX_LIMITS } from "../shared/limits.ts";
import { checkIndexName } from "../shared/store/keys.ts";
import type { SearchAnswer } from "../shared/types.ts";
import { readJson } from "./body.ts";
import { ageOf, describeIndex } from "./describe-index.ts";
import { type ErrorBody, errorBody, errorResponse, logLine, statusOf } from "./error-response.ts";
import { behind, type Freshness, isFresh } from "./freshness.ts";
import { type CheckResult, healthOf } from "./health.ts";
import type { Background, IndexCache } from "./index-cache.ts";
import { HTTP_LIMITS } from "./limits.ts";
import { openApi } from "./openapi.ts";
import { type PageSettings, type PreparedPage, preparePage } from "./page-response.ts";
import { parameters, rawPath } from "./query-string.ts";
import {
  batchItems,
  batchQueryFromJson,
  documentFromJson,
  documentIdFromPath,
  type FreshRequest,
  freshnessFromParameters,
  refuseParameters,
  requestFromJson,
  requestFromParameters,
} from "./request.ts";
import { type AllowedOrigins, finish, json, optionsResponse, serverTiming } from "./respond.ts";
import { methodsByPath, type Operation, ROUTES, rawSegments } from "./routes.ts";
import { takeWrite, type WritePorts, type WriteRequest } from "./write.ts";

/** What the interface needs from the place it runs in. */
export interface AppPorts {
  readonly indexes: IndexCache;
  readonly region: string;
  readonly budgetBytes: number;
  /** Whether writes that wait are looked for. */
  readonly readsInbox: boolean;
  /** What taking writes needs; null where none are taken. */
  readonly writes: WritePorts | null;
  /** The last scheduled check of each index in this isolate. */
  readonly checks: ReadonlyMap<string, CheckResult>;
  /** The built page and what it is told. */
  readonly page: string;
  readonly settings: PageSettings;
  readonly allowedOrigins: AllowedOrigins;
  /** Milliseconds from any fixed point, and since 1970. */
  now(): number;
  today(): number;
  /** Takes one line of JSON for each failure of ours. */
  log(line: string): void;
}

/** The interface, ready to answer. */
export interface App {
  /** Answers a request. Never rejects. */
  fetch(request: Request, background: Background): Promise<Response>;
  /** Methods and paths that the router knows, in its own spelling (`:index`). */
  readonly routes: readonly { readonly method: string; readonly path: string }[];
}

/** A request on its way: what every handler may ask of it. */
interface Call {
  readonly request: Request;
  readonly url: string;
  readonly segments: Readonly<Record<string, string>>;
  readonly background: Background;
  readonly requestId: string;
}

type Bindings = { Bindings: { readonly requestId: string; readonly background: Background } };

/** Builds the interface. Cheap; one serves an isolate for its life. */
export function createApp(ports: AppPorts): App {
  const handlers = createHandlers(ports);
  // The raw path is matched, so that a path has one spelling and an escape is never decoded twice.
  const router = new Hono<Bindings>({ getPath: (request) => rawPath(request.url) });
  for (const { method, path, operation } of ROUTES) {
    router.on(method, honoPath(path), (context) => {
      const { req, env } = context;
      const segments = rawSegments(path, rawPath(req.url));
      return handlers[operation]({ request: req.raw, url: req.url, segments, ...env });
    });
  }
  for (const [path, methods] of methodsByPath()) {
    router.options(honoPath(path), () => optionsResponse(methods));
    router.all(honoPath(path), ({ req, env }) => {
      const message = `${printable(req.method)} is not answered here; ${methods} are.`;
      return errorResponse(new LightedgeError("request/method", message), env.requestId, methods);
    });
  }
  router.notFound(({ env }) => {
    const error = new LightedgeError(
      "request/not-found",
      "There is nothing at this path; see /openapi.json.",
    );
    return errorResponse(error, env.requestId);
  });
  router.onError((error) => {
    throw error;
  });

  return {
    routes: router.routes,
    async fetch(request, background) {
      // 48 random bits: enough to find one line of a log, short enough to be read out.
      const requestId = crypto.randomUUID().slice(0, 13);
      try {
        checkUrl(request.url);
        const response = await router.fetch(request, { requestId, background });
        return finish(response, request, ports.allowedOrigins);
      } catch (error) {
        report(ports, error, requestId, request);
        return finish(errorResponse(error, requestId), request, ports.allowedOrigins);
      }
    },
  };
}

function createHandlers(ports: AppPorts): Readonly<Record<Operation, (call: Call) => Promise<Response>>> {
  let page: PreparedPage | undefined;
  return {
    async search(call) {
      const name = indexOf(call);
      return answer(ports, call, name, requestFromParameters(parameters(call.url)));
    },
    async searchByBody(call) {
      const name = indexOf(call);
      refuseParameters(parameters(call.url));
      return answer(ports, call, name, requestFromJson(await readJson(call.request)));
    },
    async searchMany(call) {
      refuseParameters(parameters(call.url));
      const items = batchItems(await readJson(call.request));
      // Checked before the first is run: storage is for requests that can be answered.
      const queries = items.map((item) => attempt(() => batchQueryFromJson(item)));
      const run = async (query: (typeof queries)[number]): Promise<SearchAnswer | { error: ErrorBody }> => {
        try {
          if ("failure" in query) throw query.failure;
          const { index: name, freshness, request } = query.value;
          const index = await open(ports, call, name, freshness);
          return withAge(await index.search(request), index, ports.today());
        } catch (error) {
          report(ports, error, call.requestId, call.request);
          return { error: errorBody(error, call.requestId) };
        }
      };
      // In turn: all at once hold sixteen answers half made, and compute no sooner on one thread. It
      // is what lets an isolate answer many batches; bench/memory.ts has the figures.
      const answers: (SearchAnswer | { error: ErrorBody })[] = [];
      for (const query of queries) answers.push(await run(query));
      return json({ answers });
    },
    async listIndexes({ url }) {
      refuseParameters(parameters(url));
      return json({ indexes: ports.settings.indexes });
    },
    async describeIndex(call) {
      refuseParameters(parameters(call.url));
      return json(describeIndex(await open(ports, call, indexOf(call)), ports.today()));
    },
    async getDocument(call) {
      const freshness = freshnessFromParameters(parameters(call.url));
      const name = indexOf(call);
      const id = documentIdFromPath(call.segments.id ?? "");
      const index = await open(ports, call, name, freshness);
      const document = await index.document(id);
      const { version } = index;
      if (document !== null)
        return json({ index: name, version, age_s: ageOf(index, ports.today()), ...document });
      const message = `The index ${name} has no document ${printable(id)}.`;
      throw new LightedgeError("document/not-found", message, { field: "id" });
    },
    async putDocument(call) {
      const writes = await admitted(ports, call);
      const index = indexOf(call);
      const id = checkedId(documentIdFromPath(call.segments.id ?? ""));
      refuseParameters(parameters(call.url));
      const fields = documentFromJson(id, await readJson(call.request, INBOX_LIMITS.entryBytes));
      return write(ports, call, writes, { index, id, fields });
    },
    async deleteDocument(call) {
      const writes = await admitted(ports, call);
      const index = indexOf(call);
      const id = checkedId(documentIdFromPath(call.segments.id ?? ""));
      refuseParameters(parameters(call.url));
      return write(ports, call, writes, { index, id });
    },
    async health() {
      const { region, budgetBytes } = ports;
      const loaded = ports.indexes.loaded();
      const { status, indexes, checks } = healthOf(ports.checks.values(), loaded, ports.today());
      return json({ status, region, indexes, checks, budget_bytes: budgetBytes });
    },
    async describeApi() {
      return json(openApi());
    },
    async page() {
      page ??= await preparePage(ports.page, ports.settings);
      return new Response(page.html, { headers: page.headers });
    },
  };
}

async function answer(
  ports: AppPorts,
  call: Call,
  name: string,
  { request, freshness }: FreshRequest,
): Promise<Response> {
  const started = ports.now();
  const index = await open(ports, call, name, freshness);
  const loaded = ports.now();
  const found = await index.search(request);
  const timing = serverTiming({ load: loaded - started, search: found.took_ms });
  const headers = new Headers({ "server-timing": timing, "x-request-id": call.requestId });
  return json(withAge(found, index, ports.today()), 200, headers);
}

/** An answer with the age of its version, behind the version. */
function withAge(
  { index: name, version, ...rest }: SearchAnswer,
  index: OpenIndex,
  now: number,
): SearchAnswer {
  return { index: name, version, age_s: ageOf(index, now), ...rest };
}

/** The index, as new as it has to be. Throws `index/behind` where it is not. */
async function open(
  ports: AppPorts,
  call: Call,
  name: string,
  freshness: Freshness = {},
): Promise<OpenIndex> {
  // Where no inbox is looked at, that a write is not in it says nothing.
  const passes = (index: OpenIndex, provenAt: number) =>
    isFresh(index, ports.readsInbox ? provenAt : 0, freshness);
  const { index, provenAt } = await ports.indexes.getWhere(name, call.background, passes);
  if (passes(index, provenAt)) return index;
  throw behind(index, freshness);
}

/** What taking a write needs, for a request that may write. Asks nothing of any store, whatever is sent. */
async function admitted({ writes }: AppPorts, { request }: Call): Promise<WritePorts> {
  if (writes === null) {
    const message = "Writes are not enabled here: the Worker has no secret ADMIN_KEY.";
    throw new LightedgeError("request/not-found", message);
  }
  await writes.key.admit(request);
  return writes;
}

async function write(
  { indexes, today }: AppPorts,
  { request, background, requestId }: Call,
  writes: WritePorts,
  document: Pick<WriteRequest, "index" | "id" | "fields">,
): Promise<Response> {
  const idempotencyKey = request.headers.get("idempotency-key");
  const taken = await takeWrite(writes, indexes, { ...document, idempotencyKey }, today(), background);
  return json(taken, 202, new Headers({ "x-request-id": requestId }));
}

function indexOf({ segments }: Call): string {
  const name = segments.index ?? "";
  checkIndexName(name);
  return name;
}

function attempt<T>(make: () => T): { readonly value: T } | { readonly failure: unknown } {
  try {
    return { value: make() };
  } catch (failure) {
    return { failure };
  }
}

function checkUrl(url: string): void {
  const limit = HTTP_LIMITS.urlUnits;
  if (url.length <= limit) return;
  const message = `The URL is longer than ${limit} characters; a long query can be sent as a POST body.`;
  throw new LightedgeError("request/too-large", message, { field: "url", limit });
}

/** Failures of ours go to the log; the caller's mistakes are the caller's to read. */
function report(ports: AppPorts, error: unknown, requestId: string, request: Request): void {
  const known = asLightedgeError(error);
  // Who asks for more than there is yet asks again; that is no failure.
  if (statusOf(known.code) < 500 || known.code === "index/behind") return;
  // Without the query string, which holds what somebody searched for.
  ports.log(logLine(known, requestId, `${request.method} ${rawPath(request.url)}`));
}

function honoPath(path: string): string {
  return path.replaceAll("{", ":").replaceAll("}", "");
}
