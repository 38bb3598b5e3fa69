/** The HTTP interface: a request in, an answer out, whatever happens in between. */
import { Hono } from "hono";
import { checkedId } from "../shared/document-rules.ts";
import type { OpenIndex } from "../shared/engine/api.ts";
import { asLightedgeError, LightedgeError, printable } from "../shared/errors.ts";
import { INBOX_LIMITS } from "../shared/limits.ts";
import type { RequestPlace } from "../shared/regions/nearest.ts";
import { checkIndexName } from "../shared/store/keys.ts";
import type { SearchAnswer } from "../shared/types.ts";
import { readJson } from "./body.ts";
import { describeIndex } from "./describe-index.ts";
import { type ErrorBody, errorBody, errorResponse, logLine, statusOf } from "./error-response.ts";
import type { Freshness } from "./freshness.ts";
import { type CheckResult, healthOf, regionStates } from "./health.ts";
import type { Background, IndexCache } from "./index-cache.ts";
import { HTTP_LIMITS } from "./limits.ts";
import { openApi } from "./openapi.ts";
import { type PageSettings, type PreparedPage, preparePage } from "./page-response.ts";
import { parameters, rawPath } from "./query-string.ts";
import { callerPlace } from "./regions/caller-place.ts";
import type { Circuits } from "./regions/circuit.ts";
import { nearestFirst } from "./regions/nearest-first.ts";
import type { Plans } from "./regions/plans.ts";
import type { Question, Routed } from "./regions/question.ts";
import { chosenIndexes, type ReportPorts, reportedIndexes, reportOf } from "./regions/report.ts";
import type { RegionRouter } from "./regions/router.ts";
import type { ShardStates } from "./regions/shard-states.ts";
import { REGION_HEADER, toldOf, withTold } from "./regions/told.ts";
import { warm, warmRequestFromJson } from "./regions/warm.ts";
import {
  batchItems,
  batchQueryFromJson,
  documentFromJson,
  documentIdFromPath,
  type FreshRequest,
  freshnessFromParameters,
  indexFromParameters,
  refuseParameters,
  requestFromJson,
  requestFromParameters,
} from "./request.ts";
import { type AllowedOrigins, finish, json, optionsResponse, serverTiming } from "./respond.ts";
import { methodsByPath, type Operation, ROUTES, rawSegments } from "./routes.ts";
import { takeWrite, type WritePorts, type WriteRequest } from "./write.ts";

/** What the interface needs from the place it runs in. */
export interface AppPorts {
  /** What this isolate has loaded, and who asks it. */
  readonly indexes: IndexCache;
  readonly router: RegionRouter;
  readonly circuits: Circuits;
  /** All regions of the deployment, the first being home. */
  readonly regions: ReportPorts["regions"];
  readonly plans: Plans;
  /** Null where there are no objects for shards. */
  readonly shards: ShardStates | null;
  /** Whether the header `x-lightedge-from` is believed. */
  readonly testLocation: boolean;
  readonly budgetBytes: number;
  /** Whether writes that wait are looked for. */
  readonly readsInbox: boolean;
  /** What taking writes needs; null where none are taken. */
  readonly writes: WritePorts | null;
  /** The last scheduled check of each index in this isolate. */
  readonly checks: ReadonlyMap<string, CheckResult>;
  /** The built pages and what they are told. */
  readonly page: string;
  readonly regionsPage: string;
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
  /** Where it comes from, as well as that is known. */
  readonly place: RequestPlace | undefined;
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
      const place = callerPlace(req.raw, ports.testLocation);
      return handlers[operation]({ request: req.raw, url: req.url, segments, place, ...env });
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
  let regionsPage: PreparedPage | undefined;
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
          const { index: name, ...fresh } = query.value;
          return withTold(await search(ports, call, name, fresh), ports.today(), ports.readsInbox);
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
      const found = await route(ports, call, indexOf(call), {}, async (index) => index);
      return json(describeIndex(found, ports.today()), 200, headersOf(call, found));
    },
    async getDocument(call) {
      const freshness = freshnessFromParameters(parameters(call.url));
      const name = indexOf(call);
      const id = documentIdFromPath(call.segments.id ?? "");
      const found = await route(ports, call, name, freshness, (index, patienceMs) =>
        index.document(id, patienceMs),
      );
      const { answer: document } = found;
      if (document !== null) {
        const told = toldOf(found, ports.today());
        return json({ index: name, ...told, ...document }, 200, headersOf(call, found));
      }
      const message = `The index ${name} has no document ${printable(id)}.`;
      throw new LightedgeError("document/not-found", message, { field: "id" });
    },
    async describeRegions({ url, place }) {
      const wanted = indexFromParameters(parameters(url));
      const all = reportedIndexes(ports.settings.indexes, ports);
      return json(await reportOf({ ...ports, now: ports.today }, place, chosenIndexes(all, wanted)));
    },
    async warm(call) {
      await admitted(ports, call);
      refuseParameters(parameters(call.url));
      const wanted = warmRequestFromJson(
        await readJson(call.request),
        ports.regions.map(({ name }) => name),
      );
      const regions = nearestFirst(ports.regions, call.place);
      const chosen = regions.filter(({ name }) => wanted.regions?.includes(name) ?? true);
      const plan = {
        indexes: wanted.indexes ?? reportedIndexes(ports.settings.indexes, ports),
        ...{ regions: chosen, nearest: regions[0]?.name ?? null },
      };
      const tell = (error: unknown) => {
        report(ports, error, call.requestId, call.request);
        return errorBody(error, call.requestId);
      };
      return json(await warm({ ...ports, tell }, plan, call.background));
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
      const { regions, circuits, budgetBytes } = ports;
      const loaded = ports.indexes.entries();
      const { status, indexes, checks } = healthOf(ports.checks.values(), loaded, ports.today());
      const states = regionStates(circuits, regions);
      return json({
        ...{ status, region: regions[0].name, regions: states, indexes, checks },
        budget_bytes: budgetBytes,
      });
    },
    async describeApi() {
      return json(openApi());
    },
    async page() {
      page ??= await preparePage(ports.page, ports.settings);
      return new Response(page.html, { headers: page.headers });
    },
    async regionsPage() {
      regionsPage ??= await preparePage(ports.regionsPage, ports.settings);
      return new Response(regionsPage.html, { headers: regionsPage.headers });
    },
  };
}

async function answer(ports: AppPorts, call: Call, name: string, fresh: FreshRequest): Promise<Response> {
  const started = ports.now();
  const found = await search(ports, call, name, fresh);
  const spent = ports.now() - started;
  const { took_ms: took } = found.answer;
  const headers = headersOf(call, found);
  headers.set("server-timing", serverTiming({ load: Math.max(0, spent - took), search: took }));
  return json(withTold(found, ports.today(), ports.readsInbox), 200, headers);
}

function search(
  ports: AppPorts,
  call: Call,
  name: string,
  { request, freshness }: FreshRequest,
): Promise<Routed<SearchAnswer>> {
  const ask = (index: OpenIndex, patienceMs?: number) => index.search(request, patienceMs);
  const missing = (answer: SearchAnswer) => answer.missing_shards ?? [];
  return route(ports, call, name, freshness, ask, { strict: request.strict === true, missing });
}

/** Asks the nearest region that answers. Throws as `RegionRouter.ask`. */
function route<T>(
  ports: AppPorts,
  { place, background }: Call,
  index: string,
  freshness: Freshness,
  ask: Question<T>["ask"],
  rest: Partial<Question<T>> = {},
): Promise<Routed<T>> {
  const regions = nearestFirst(ports.regions, place);
  return ports.router.ask({ index, regions, freshness, background, ask, ...rest });
}

function headersOf({ requestId }: Call, { region }: Routed<unknown>): Headers {
  return new Headers({ "x-request-id": requestId, [REGION_HEADER]: region });
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
  { router, regions, today }: AppPorts,
  { request, background, requestId, place }: Call,
  writes: WritePorts,
  document: Pick<WriteRequest, "index" | "id" | "fields">,
): Promise<Response> {
  const idempotencyKey = request.headers.get("idempotency-key");
  const indexes = router.written(nearestFirst(regions, place));
  const taken = await takeWrite(writes, indexes, { ...document, idempotencyKey }, today(), background);
  // Whoever asks, and wherever: a write is home's until the next version brings it to the others.
  const region = regions[0].name;
  return json({ ...taken, region }, 202, new Headers({ "x-request-id": requestId, [REGION_HEADER]: region }));
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
