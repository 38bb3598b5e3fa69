/** The built Worker in workerd over two regions: that bindings and variables become what the other tests are about. */
import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import {
  convertV4MiniflareOptions,
  Miniflare,
  type Request as RuntimeRequest,
  Response as RuntimeResponse,
} from "miniflare";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildEdge } from "../../../indexer/build-edge.ts";
import { storeResponse } from "../../../indexer/store/service.ts";
import type { MemoryStore } from "../../../shared/store/memory.ts";
import { buildTiny, copyOf, TINY } from "../../helpers/tiny-build.ts";

const FOLDER = fileURLToPath(new URL("../../../build/worker", import.meta.url));

let runtime: Miniflare;
let url: URL;
/** How a region is: it answers, refuses, or says nothing. */
const state: Record<string, "up" | "refuses" | "hangs"> = { weur: "up", enam: "up" };

/** A store behind a service binding, as local serving has it. */
function service(name: string, store: MemoryStore) {
  return async (request: RuntimeRequest): Promise<RuntimeResponse> => {
    if (state[name] === "hangs") await new Promise(() => undefined);
    if (state[name] === "refuses") return new RuntimeResponse("down", { status: 503 });
    const answer = await storeResponse(
      store,
      new Request(request.url, { method: request.method, headers: [...request.headers] }),
    );
    const body = answer.body === null ? null : new Uint8Array(await answer.arrayBuffer());
    return new RuntimeResponse(body, { status: answer.status, headers: [...answer.headers] });
  };
}

beforeAll(async () => {
  await buildEdge();
  const { store } = await buildTiny();
  const names = (await readdir(FOLDER)).filter((name) => /\.(wasm|html)$/.test(name));
  const others = names.map((name) => ({
    type: name.endsWith(".wasm") ? ("CompiledWasm" as const) : ("Text" as const),
    path: `${FOLDER}/${name}`,
  }));
  const options = convertV4MiniflareOptions({
    modulesRoot: FOLDER,
    modules: [{ type: "ESModule", path: `${FOLDER}/index.js` }, ...others],
    compatibilityDate: "2026-10-01",
    bindings: {
      ...{ REGIONS: "weur,enam", INDEXES: TINY, TEST_LOCATION: "yes", QUERY_DEADLINE: "2s" },
      POINTER_MAX_AGE: "0",
    },
    serviceBindings: {
      STORE_WEUR: service("weur", store),
      STORE_ENAM: service("enam", await copyOf(store)),
    },
  });
  runtime = new Miniflare(options);
  url = await runtime.ready;
}, 60_000);
afterAll(() => runtime?.dispose());

async function ask(path: string, from = "weur") {
  const response = await fetch(new URL(path, url), { headers: { "x-lightedge-from": from } });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

test("the nearest region answers; when it is gone the other does, at once or after a while", async () => {
  const search = (word: string, from?: string) => ask(`/v1/indexes/${TINY}/search?q=${word}&limit=3`, from);
  // New York is nearer to the one, Lisbon to the other.
  expect((await search("river", "40.7,-74.0")).body).toMatchObject({ region: "enam", placement: "isolate" });
  state.weur = "hangs";
  const passed = { failover: { from: [{ region: "weur", code: "store/unavailable" }] } };
  const { status, headers, body } = await search("river", "38.7,-9.1");
  expect([status, headers.get("x-lightedge-region")]).toEqual([200, "enam"]);
  expect(body).toMatchObject({ region: "enam", ...passed });
  const health = (await ask("/health")).body as { readonly regions: readonly unknown[] };
  expect(health.regions).toMatchObject([
    { region: "weur", failing: "store/unavailable" },
    { region: "enam", failing: null },
  ]);
  state.weur = "up";
  await expect
    .poll(async () => (await search("river")).body, { timeout: 10_000 })
    .toMatchObject({ region: "weur" });
  state.weur = "refuses";
  // What is loaded and read goes on, though its pointer cannot be read.
  await expect
    .poll(async () => (await search("river")).body, { timeout: 10_000 })
    .toMatchObject({ region: "weur", stale_s: expect.any(Number) });
  // A place that is none.
  expect((await search("river", "nowhere")).status).toBe(400);
});

test("all regions are told of, wherever one asks", async () => {
  state.weur = "up";
  const { body } = await ask("/v1/regions", "enam");
  expect(body).toMatchObject({
    nearest: "enam",
    regions: [
      { region: "enam", home: false },
      { region: "weur", home: true },
    ],
  });
});
