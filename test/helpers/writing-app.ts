/** The HTTP interface over a real store and the real engine, taking writes: one isolate of a deployment. */
import { AdminKey } from "../../edge/admin-key.ts";
import { type App, type AppPorts, createApp } from "../../edge/app.ts";
import type { CheckResult } from "../../edge/health.ts";
import { ServiceInbox } from "../../edge/inbox-service.ts";
import { IndexCache, type IndexSource } from "../../edge/index-cache.ts";
import { partsOf } from "../../edge/regions/key.ts";
import { withWaiting } from "../../edge/waiting.ts";
import { type ServedStore, storeResponse } from "../../indexer/store/service.ts";
import { openIndex, readCurrent } from "../../shared/engine/open.ts";
import { MEMORY_LIMITS } from "../../shared/limits.ts";
import { oneRegion } from "./edge-app.ts";
import { tinyPorts } from "./tiny-build.ts";

/** The key that writes need. */
export const ADMIN_KEY = "test-key-0123456789abcdef";

/** An isolate. */
export interface Isolate {
  readonly app: App;
  readonly log: string[];
  readonly checks: Map<string, CheckResult>;
  /** Asks; `init.body` may be a plain value, which is sent as JSON. */
  fetch(
    path: string,
    init?: { method?: string; headers?: Record<string, string>; body?: unknown },
  ): Promise<Response>;
  /** Writes with the key: puts where there are fields, else deletes. */
  write(id: string, fields?: object, headers?: Record<string, string>, index?: string): Promise<Response>;
  /** Ids of the hits for a query. */
  find(q: string, rest?: string): Promise<readonly string[]>;
  /** Waits for work in the background. */
  settle(): Promise<void>;
}

/** What an isolate is made of. */
export interface IsolateOptions {
  /** Milliseconds since 1970; the time now when absent. */
  readonly now?: () => number;
  readonly pointerMaxAgeMs?: number;
  readonly waitingBytes?: number;
  readonly kernels?: "reference" | "wasm";
  readonly ports?: Partial<AppPorts>;
}

/** An isolate over a store, which it reads and whose inboxes it adds to, in the way of local serving. */
export async function isolate(store: ServedStore, options: IsolateOptions = {}): Promise<Isolate> {
  const { now = () => Date.now(), pointerMaxAgeMs = 10_000, kernels = "wasm" } = options;
  const ports = await tinyPorts(store, kernels);
  const inbox = new ServiceInbox({ fetch: (url, init) => storeResponse(store, new Request(url, init)) });
  const log: string[] = [];
  const checks = new Map<string, CheckResult>();
  const source: IndexSource = {
    open: (key, residentBytes) => openIndex(ports, partsOf(key).index, { residentBytes }),
    async currentVersion(key) {
      const { seq, manifest } = await readCurrent(store, partsOf(key).index);
      return `${seq}-${manifest.sha256.slice(0, 8)}`;
    },
    withWaiting: (index, known, capBytes) =>
      withWaiting({ store, inbox, log: (line) => log.push(line) }, index, known, capBytes),
  };
  const indexes = new IndexCache(source, {
    budgetBytes: MEMORY_LIMITS.residentBytes,
    waitingBytes: options.waitingBytes ?? MEMORY_LIMITS.waitingBytes,
    slots: 4,
    pointerMaxAgeMs,
    patienceMs: 1000,
    now,
  });
  let random = 0;
  const app = createApp({
    ...oneRegion(indexes, (line) => log.push(line), true, store),
    budgetBytes: MEMORY_LIMITS.residentBytes,
    readsInbox: true,
    writes: {
      key: AdminKey.from(ADMIN_KEY)!,
      store,
      inbox,
      random: () => (++random).toString(16).padStart(16, "0"),
    },
    checks,
    page: "<!doctype html><title>Page</title>",
    regionsPage: "<!doctype html><title>Regions</title>",
    settings: { indexes: [], examples: [] },
    allowedOrigins: "*",
    now: () => performance.now(),
    today: now,
    log: (line) => log.push(line),
    ...options.ports,
  });
  const background: Promise<unknown>[] = [];
  const fetch: Isolate["fetch"] = (path, { method = "GET", headers = {}, body } = {}) => {
    const json = { "content-type": "application/json", ...headers };
    const sent = body === undefined ? { headers } : { headers: json, body: JSON.stringify(body) };
    const request = new Request(`http://edge.test${path}`, { method, ...sent });
    return app.fetch(request, { waitUntil: (work) => void background.push(work) });
  };
  return {
    app,
    log,
    checks,
    fetch,
    write: (id, fields, headers = {}, index = "tiny") =>
      fetch(`/v1/indexes/${index}/documents/${encodeURIComponent(id)}`, {
        method: fields === undefined ? "DELETE" : "PUT",
        headers: { authorization: `Bearer ${ADMIN_KEY}`, ...headers },
        body: fields,
      }),
    async find(q, rest = "") {
      const response = await fetch(`/v1/indexes/tiny/search?q=${encodeURIComponent(q)}${rest}`);
      if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
      const { hits } = (await response.json()) as { hits: readonly { readonly id: string }[] };
      return hits.map(({ id }) => id);
    },
    async settle() {
      await Promise.all(background.splice(0));
    },
  };
}
