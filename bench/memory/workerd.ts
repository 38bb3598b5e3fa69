/**
 * The built Worker alone in workerd, below a ceiling: no front door, no helpers of a simulator, which are isolates of their own
 * and take as much memory as workerd itself. workerd is started through a script that puts itself into a cgroup.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { buildEdge } from "../../indexer/build-edge.ts";
import { bundledModules, compatibilityDate, type Module } from "../../indexer/serve/bundle.ts";
import type { ServeOptions } from "../../indexer/serve/options.ts";
import { variables } from "../../indexer/serve/start.ts";
import { type ServedStore, storeResponse } from "../../indexer/store/service.ts";
import { SHARDS_BINDING, SHARDS_CLASS } from "../../shared/regions/region.ts";

/** A server whose workerd is known by its process id. */
export interface CappedServing {
  readonly url: string;
  readonly pid: number;
  close(): Promise<void>;
}

/** What is served and how. */
export interface CappedOptions extends Omit<ServeOptions, "host" | "port"> {
  /** Arguments to V8. */
  readonly v8: readonly string[];
  /** The `procs` file of the cgroup that workerd joins, from its first page on: moved later, what it had by then would count elsewhere. */
  readonly procs?: string | undefined;
}

/** Kind of a module, as workerd's configuration has it. */
const KINDS: Readonly<Record<Module["type"], string>> = {
  ...{ ESModule: "esModule", CompiledWasm: "wasm", Text: "text" },
};
/** The descriptor on which workerd says where it listens. */
const CONTROL = 3;

/** Starts the Worker. Throws an Error where workerd ends before it listens. */
export async function serveCapped(options: CappedOptions): Promise<CappedServing> {
  await buildEdge();
  const folder = mkdtempSync(join(tmpdir(), "lightedge-memory-"));
  const store = await serveStore(options.store);
  try {
    writeFileSync(join(folder, "config.capnp"), await configOf(options, folder, addressOf(store)));
    const { script, args } = command(options, folder);
    const workerd = spawn(script, args, { stdio: ["ignore", "inherit", "inherit", "pipe"] });
    const port = await listening(workerd);
    const close = async () => {
      if (workerd.exitCode === null && workerd.signalCode === null) {
        workerd.kill("SIGTERM");
        await once(workerd, "exit");
      }
      store.closeAllConnections();
      store.close();
      rmSync(folder, { recursive: true, force: true });
    };
    return { url: `http://127.0.0.1:${port}`, pid: workerd.pid!, close };
  } catch (error) {
    store.close();
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/** A shell puts itself into the cgroup and then becomes workerd, which so has its process id. */
function command({ procs }: CappedOptions, folder: string) {
  const joining = procs === undefined ? "" : 'echo $$ > "$0" || exit 1; ';
  const own = createRequire(import.meta.url);
  const path: unknown = createRequire(own.resolve("miniflare"))("workerd").default;
  if (typeof path !== "string") throw new Error("There is no workerd.");
  const serve = ["serve", join(folder, "config.capnp"), "--experimental", `--control-fd=${CONTROL}`];
  return { script: "/bin/sh", args: ["-c", `${joining}exec "$@"`, procs ?? "sh", path, ...serve] };
}

/** The port that workerd says it listens on. */
async function listening(workerd: ChildProcess): Promise<number> {
  const lines = createInterface(workerd.stdio[CONTROL] as Readable);
  for await (const line of lines) {
    const message = JSON.parse(line) as { readonly event: string; readonly port?: number };
    if (message.event === "listen" && message.port !== undefined) return message.port;
  }
  throw new Error("workerd ended before it listened.");
}

/** The configuration of a deployment, with a service for the bucket and a folder for the objects' storage. */
async function configOf(options: CappedOptions, folder: string, store: string): Promise<string> {
  const modules = await bundledModules();
  for (const { path } of modules) copyFileSync(path, join(folder, basename(path)));
  mkdirSync(join(folder, "objects"));
  const embedded = modules.map(({ path, type }, at) => {
    const name = basename(path);
    return `(name = ${quoted(at === 0 ? name : `./${name}`)}, ${KINDS[type]} = embed ${quoted(name)})`;
  });
  const bindings = Object.entries(variables({ ...options, host: "127.0.0.1", port: 0 }));
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  v8Flags = [${options.v8.map(quoted).join(", ")}],
  services = [
    (name = "worker", worker = .worker),
    (name = "store", external = (address = ${quoted(store)}, http = ())),
    (name = "objects", disk = (path = ${quoted(join(folder, "objects"))}, writable = true)),
    (name = "internet", network = (allow = [])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "worker")],
);
const worker :Workerd.Worker = (
  modules = [${embedded.join(", ")}],
  compatibilityDate = ${quoted(await compatibilityDate())},
  durableObjectNamespaces = [(className = ${quoted(SHARDS_CLASS)}, uniqueKey = "shards", enableSql = true)],
  durableObjectStorage = (localDisk = "objects"),
  bindings = [
    (name = ${quoted(SHARDS_BINDING)}, durableObjectNamespace = ${quoted(SHARDS_CLASS)}),
    (name = "STORE", service = "store"),
    ${bindings.map(([name, text]) => `(name = ${quoted(name)}, text = ${quoted(text)})`).join(", ")},
  ],
);
`;
}

/** A text of Cap'n Proto's language. */
function quoted(text: string): string {
  return JSON.stringify(text);
}

/** The store over HTTP, as a bucket is. */
async function serveStore(store: ServedStore): Promise<Server> {
  const server = createServer((request, response) => {
    answer(store, request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  // workerd keeps connections and may send on one in the moment in which it is closed here.
  server.keepAliveTimeout = 0;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

async function answer(store: ServedStore, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = "GET", url = "/", headers } = request;
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const body = method === "PUT" ? { body: Buffer.concat(parts) } : {};
  const sent = Object.entries(headers).map(([name, value]) => [name, String(value)] as [string, string]);
  const found = await storeResponse(
    store,
    new Request(`http://store${url}`, { method, headers: sent, ...body }),
  );
  const bytes = new Uint8Array(await found.arrayBuffer());
  response.writeHead(found.status, {
    ...Object.fromEntries(found.headers),
    ...(method === "HEAD" ? {} : { "content-length": String(bytes.length) }),
  });
  response.end(bytes);
}

function addressOf(server: Server): string {
  // Safe: it listens on a port, and so has an address that is no path.
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
