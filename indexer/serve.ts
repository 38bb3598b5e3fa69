/**
 * The built Worker on this machine, in real workerd: the bundle and settings of a
 * deployment, with a folder in the place of the bucket.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  convertV4MiniflareOptions,
  Miniflare,
  type Request as MiniflareRequest,
  Response as MiniflareResponse,
} from "miniflare";
import { LightedgeError } from "../shared/errors.ts";
import { buildEdge } from "./build-edge.ts";
import { type ServedStore, storeResponse } from "./store/service.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** What to serve and where. */
export interface ServeOptions {
  readonly store: ServedStore;
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Indexes that the page offers, the default first. */
  readonly indexes: readonly string[];
  /** Queries that the page suggests. */
  readonly examples: readonly string[];
  /** Seconds before a loaded index's pointer is read again. */
  readonly pointerMaxAge: number;
  /** The key that writes at the edge need; none are taken where it is absent. */
  readonly adminKey?: string;
}

/** A server at work. */
export interface Serving {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts the Worker. Throws `usage/invalid` where the port is taken. Cost: a second, more where it must be built first. */
export async function serve(options: ServeOptions): Promise<Serving> {
  await buildEdge();
  const worker = "lightedge";
  const settings = convertV4MiniflareOptions({
    // Miniflare's own front door adds a hop through Node to every request, so it gets a
    // port of its own and the Worker's socket is opened directly.
    host: "127.0.0.1",
    port: 0,
    workers: [
      {
        name: worker,
        modulesRoot: join(ROOT, "build/worker"),
        modules: await bundle(),
        compatibilityDate: await compatibilityDate(),
        bindings: {
          REGION: "local",
          INDEXES: options.indexes.join(","),
          EXAMPLES: options.examples.join("|"),
          POINTER_MAX_AGE: String(options.pointerMaxAge),
          CORS_ORIGIN: "*",
          ...(options.adminKey === undefined ? {} : { ADMIN_KEY: options.adminKey }),
        },
        serviceBindings: { STORE: (request: MiniflareRequest) => forward(options.store, request) },
        unsafeDirectSockets: [{ host: options.host, port: options.port }],
      },
    ],
  });
  const miniflare = new Miniflare(settings);
  try {
    const url = await miniflare.unsafeGetDirectURL(worker);
    return { url: url.href, close: () => miniflare.dispose() };
  } catch (error) {
    await miniflare.dispose().catch(() => undefined);
    throw new LightedgeError(
      "usage/invalid",
      `The server does not start on ${options.host}:${options.port}; another program may hold the port. Choose one with --port.`,
      { field: "port", value: String(options.port) },
      error,
    );
  }
}

/** The store's answer to the Worker, as miniflare wants it: its Response is a class of its own. */
async function forward(store: ServedStore, request: MiniflareRequest): Promise<MiniflareResponse> {
  const { url, method } = request;
  const sent = request.body === null ? {} : { body: await request.arrayBuffer() };
  const answer = await storeResponse(
    store,
    new Request(url, { method, headers: [...request.headers], ...sent }),
  );
  const body = answer.body === null ? null : new Uint8Array(await answer.arrayBuffer());
  return new MiniflareResponse(body, { status: answer.status, headers: [...answer.headers] });
}

/** The files of the bundle with their kinds, the entry first. */
async function bundle() {
  const folder = join(ROOT, "build/worker");
  const kinds = { ".js": "ESModule", ".wasm": "CompiledWasm", ".html": "Text" } as const;
  const modules = [];
  for (const name of (await readdir(folder)).sort()) {
    const kind = Object.entries(kinds).find(([ending]) => name.endsWith(ending))?.[1];
    if (kind !== undefined) modules.push({ type: kind, path: join(folder, name) });
  }
  return modules.sort((a, b) => Number(b.path.endsWith("index.js")) - Number(a.path.endsWith("index.js")));
}

/** The date that wrangler.toml names, which decides how workerd behaves. */
async function compatibilityDate(): Promise<string> {
  const settings = await readFile(join(ROOT, "wrangler.toml"), "utf8");
  const date = /^compatibility_date = "(\d{4}-\d{2}-\d{2})"$/mu.exec(settings)?.[1];
  if (date !== undefined) return date;
  throw new LightedgeError("internal", "wrangler.toml names no compatibility_date.", {
    file: "wrangler.toml",
  });
}
