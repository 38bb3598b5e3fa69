/** The built Worker in workerd with shard objects in an isolate of their own, over a store in this process that counts its reads. */
import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import {
  convertV4MiniflareOptions,
  Miniflare,
  type Request as RuntimeRequest,
  Response as RuntimeResponse,
} from "miniflare";
import { buildEdge } from "../../indexer/build-edge.ts";
import { storeResponse } from "../../indexer/store/service.ts";
import { MIB } from "../../shared/limits.ts";
import type { WriteStore } from "../../shared/store/store.ts";
import type { SearchAnswer, SearchRequest } from "../../shared/types.ts";

const FOLDER = fileURLToPath(new URL("../../build/worker", import.meta.url));

/** Whose names the tests need. */
export const ROUTER = "router";
/** The same Worker with memory for whole indexes and no objects. */
export const WHOLE = "whole";
export const OBJECTS = "objects";

/** How a runtime is started. */
export interface ShardRuntimeOptions {
  readonly store: WriteStore;
  /** Bytes for indexes of the isolate that takes requests: too few for whole indexes, so that shards are in objects. */
  readonly routerBytes?: number;
  /** Bytes for the shards of the objects' isolate. */
  readonly objectBytes?: number;
  /** A folder for the objects' storage; in memory when absent. */
  readonly persist?: string;
  readonly adminKey?: string;
  /** Variables of both. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** Of a request what tests send. */
export interface Init {
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Record<string, string>;
}

/** An answer, read. */
export interface Asked {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Headers;
}

/** A runtime at work. */
export interface ShardRuntime {
  readonly runtime: Miniflare;
  /** Reads of the store since the last time this was emptied: `GET key` and `GET key bytes=0-9`. */
  readonly reads: string[];
  /** Called before each read; may wait or throw. */
  before: (read: string) => Promise<void> | void;
  /** The answer of the HTTP interface, its status with it. */
  ask(path: string, init?: Init, worker?: string): Promise<Asked>;
  /** A search that is answered by 200. */
  search(index: string, request: SearchRequest, worker?: string): Promise<SearchAnswer>;
  /** Evicts the objects of shards from memory, as the platform does after some idle seconds. */
  evict(): Promise<void>;
  close(): Promise<void>;
}

/** Starts it. */
export async function startShardRuntime(options: ShardRuntimeOptions): Promise<ShardRuntime> {
  await buildEdge();
  const names = (await readdir(FOLDER)).filter((name) => /\.(wasm|html)$/.test(name));
  const modules = [
    { type: "ESModule" as const, path: `${FOLDER}/index.js` },
    ...names.map((name) => ({
      type: name.endsWith(".wasm") ? ("CompiledWasm" as const) : ("Text" as const),
      path: `${FOLDER}/${name}`,
    })),
  ];
  const { store, routerBytes = 512 * 1024, objectBytes = 32 * MIB, persist, adminKey, variables } = options;
  const reads: string[] = [];
  const STORE = async (request: RuntimeRequest): Promise<RuntimeResponse> => {
    const range = request.headers.get("range");
    const read = `${request.method} ${new URL(request.url).pathname.slice(1)}${range === null ? "" : ` ${range}`}`;
    reads.push(read);
    await running.before(read);
    const body = request.body === null ? {} : { body: await request.arrayBuffer() };
    const answer = await storeResponse(
      store,
      new Request(request.url, { method: request.method, headers: [...request.headers], ...body }),
    );
    const bytes = answer.body === null ? null : new Uint8Array(await answer.arrayBuffer());
    return new RuntimeResponse(bytes, { status: answer.status, headers: [...answer.headers] });
  };
  const common = {
    modulesRoot: FOLDER,
    modules,
    compatibilityDate: "2026-10-01",
    serviceBindings: { STORE },
  };
  const bindings = { REGION: "local", INDEXES: "", POINTER_MAX_AGE: "3600", ...variables };
  const className = "ShardObject";
  const runtime = new Miniflare(
    convertV4MiniflareOptions({
      ...(persist === undefined ? {} : { resourcePersistencePath: persist }),
      workers: [
        {
          ...common,
          name: ROUTER,
          bindings: {
            ...bindings,
            RESIDENT_BYTES: String(routerBytes),
            ...(adminKey === undefined ? {} : { ADMIN_KEY: adminKey }),
          },
          durableObjects: { SHARDS: { className, scriptName: OBJECTS, useSQLite: true } },
        },
        { ...common, name: WHOLE, bindings: { ...bindings, INBOX: "read" } },
        {
          ...common,
          name: OBJECTS,
          bindings: { ...bindings, RESIDENT_BYTES: String(objectBytes) },
          durableObjects: { SHARDS: { className, useSQLite: true } },
        },
      ],
    }),
  );
  const running: ShardRuntime = {
    runtime,
    reads,
    before: () => undefined,
    async ask(path, init = {}, worker = ROUTER) {
      const { fetch } = await runtime.getWorker(worker);
      const response = await fetch(`http://edge.test${path}`, init);
      return {
        status: response.status,
        body: await response.json(),
        headers: new Headers([...response.headers]),
      };
    },
    async search(index, request, worker) {
      const init = {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(request),
      };
      const { status, body } = await running.ask(`/v1/indexes/${index}/search`, init, worker);
      if (status !== 200) throw new Error(`${status}: ${JSON.stringify(body)}`);
      return body as SearchAnswer;
    },
    async evict() {
      // One that is not in memory needs no evicting, and is refused with an error.
      for (const id of await runtime.listDurableObjectIds(className, OBJECTS))
        await runtime.unsafeEvictDurableObject(OBJECTS, className, { id }).catch((error: Error) => {
          if (!error.message.includes("not currently running")) throw error;
        });
    },
    close: () => runtime.dispose(),
  };
  return running;
}
