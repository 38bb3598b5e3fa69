/** The HTTP interface over fake indexes, in process and over a socket. */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { type App, type AppPorts, createApp } from "../../edge/app.ts";
import { IndexCache, type IndexSource } from "../../edge/index-cache.ts";
import { Circuits } from "../../edge/regions/circuit.ts";
import { partsOf } from "../../edge/regions/key.ts";
import { Plans } from "../../edge/regions/plans.ts";
import { RegionRouter } from "../../edge/regions/router.ts";
import type { OpenIndex } from "../../shared/engine/api.ts";
import { LightedgeError } from "../../shared/errors.ts";
import { MemoryStore } from "../../shared/store/memory.ts";
import type { ReadStore } from "../../shared/store/store.ts";

/** An interface with what it did: loads begun, and lines logged. */
export interface TestApp {
  readonly app: App;
  readonly loads: string[];
  readonly log: string[];
  fetch(path: string, init?: RequestInit): Promise<Response>;
}

/** The interface over these indexes by name. An unknown name is `index/not-found`, as from the engine. */
export function testApp(indexes: readonly OpenIndex[], ports: Partial<AppPorts> = {}): TestApp {
  const loads: string[] = [];
  const log: string[] = [];
  const find = (name: string): OpenIndex => {
    const found = indexes.find((index) => index.name === name);
    if (found !== undefined) return found;
    throw new LightedgeError("index/not-found", `There is no index named ${name}.`, { field: "index" });
  };
  const source: IndexSource = {
    async open(key) {
      const { index } = partsOf(key);
      loads.push(index);
      return find(index);
    },
    currentVersion: async (key) => find(partsOf(key).index).version,
    withWaiting: async (index) => index,
  };
  const cache = new IndexCache(source, {
    budgetBytes: 1_000_000,
    waitingBytes: 1_000_000,
    slots: 4,
    pointerMaxAgeMs: 10_000,
    patienceMs: 1000,
    now: () => Date.now(),
  });
  const app = createApp({
    ...oneRegion(cache, (line) => log.push(line)),
    budgetBytes: 1_000_000,
    readsInbox: false,
    writes: null,
    checks: new Map(),
    page: "<!doctype html><title>Page</title>",
    regionsPage: "<!doctype html><title>Regions</title>",
    settings: { indexes: indexes.map(({ name }) => name), examples: [] },
    allowedOrigins: "*",
    now: () => performance.now(),
    today: () => Date.parse("2026-02-01T12:00:00Z"),
    log: (line) => log.push(line),
    ...ports,
  });
  const background = { waitUntil: () => undefined };
  return {
    app,
    loads,
    log,
    fetch: (path, init) => app.fetch(new Request(`http://edge.test${path}`, init), background),
  };
}

/** What an interface needs to serve the one region `test` from this cache, whose keys begin with its name. */
export function oneRegion(
  indexes: IndexCache,
  log: (line: string) => void,
  readsInbox = false,
  store: ReadStore = new MemoryStore(),
): Pick<AppPorts, "indexes" | "router" | "circuits" | "regions" | "plans" | "shards" | "testLocation"> {
  const now = () => performance.now();
  const circuits = new Circuits({ leastMs: 1000, mostMs: 60_000, tryMs: 10_000, most: 64, now });
  const pause = () => new Promise<void>(() => undefined);
  const router = new RegionRouter({ indexes, circuits, deadlineMs: null, readsInbox, now, pause, log });
  const regions = [{ name: "test", home: true, place: null, store }] as const;
  const plans = new Plans({ budgetBytes: 1_000_000, objects: false, now });
  return { indexes, router, circuits, regions, plans, shards: null, testLocation: false };
}

/** A request with this body: as JSON unless it is text or bytes already. */
export function post(body: unknown, headers: Record<string, string> = {}): RequestInit {
  return {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body),
  } as RequestInit;
}

/** What an answer says under `error`. */
export async function errorOf(
  response: Response,
): Promise<{ code: string; field?: string; limit?: number; message: string }> {
  const { error } = (await response.json()) as { error: { code: string; message: string } };
  return error;
}

/** A listening server. */
export interface Listening {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves an interface on a free port of this machine. `before` may wait, or throw to cut the connection. */
export async function listen(app: App, before?: (request: Request) => Promise<void>): Promise<Listening> {
  const server = createServer(async (incoming, outgoing) => {
    try {
      const request = toRequest(incoming, await bodyOf(incoming));
      await before?.(request);
      const response = await app.fetch(request, { waitUntil: () => undefined });
      outgoing.writeHead(response.status, Object.fromEntries(response.headers));
      outgoing.end(new Uint8Array(await response.arrayBuffer()));
    } catch {
      outgoing.destroy();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function bodyOf(incoming: IncomingMessage): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  for await (const part of incoming) parts.push(part);
  return new Uint8Array(Buffer.concat(parts));
}

function toRequest(incoming: IncomingMessage, body: Uint8Array<ArrayBuffer>): Request {
  const headers = new Headers(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]));
  const { method = "GET" } = incoming;
  const url = `http://${incoming.headers.host}${incoming.url}`;
  return new Request(url, { method, headers, ...(body.length > 0 ? { body } : {}) });
}
