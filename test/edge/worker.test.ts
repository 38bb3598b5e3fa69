/** The built Worker in workerd: what only the real runtime can show. */
import { readdir } from "node:fs/promises";
import { createConnection } from "node:net";
import { fileURLToPath } from "node:url";
import { convertV4MiniflareOptions, Miniflare, Response as RuntimeResponse } from "miniflare";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { buildEdge } from "../../indexer/build-edge.ts";

const FOLDER = fileURLToPath(new URL("../../build/worker", import.meta.url));

describe("the Worker in its runtime", () => {
  let runtime: Miniflare;
  let url: URL;
  const store = { reads: 0, delayMs: 0, status: 404 };

  beforeAll(async () => {
    await buildEdge();
    const names = (await readdir(FOLDER)).filter((name) => /\.(wasm|html)$/.test(name));
    const others = names.map((name) => ({
      type: name.endsWith(".wasm") ? ("CompiledWasm" as const) : ("Text" as const),
      path: `${FOLDER}/${name}`,
    }));
    const options = convertV4MiniflareOptions({
      modulesRoot: FOLDER,
      modules: [{ type: "ESModule", path: `${FOLDER}/index.js` }, ...others],
      compatibilityDate: "2026-10-01",
      bindings: { REGION: "weur", INDEXES: "docs" },
      serviceBindings: {
        STORE: async () => {
          store.reads++;
          await new Promise((resolve) => setTimeout(resolve, store.delayMs));
          return new RuntimeResponse("none", { status: store.status });
        },
      },
    });
    runtime = new Miniflare(options);
    url = await runtime.ready;
  });
  afterAll(() => runtime?.dispose());
  beforeEach(() => Object.assign(store, { reads: 0, delayMs: 0, status: 404 }));

  const ask = (path: string, init?: RequestInit) => fetch(new URL(path, url), init);

  test("answers health and the page without storage", async () => {
    expect(await (await ask("/health")).json()).toMatchObject({ status: "ok", region: "weur", indexes: [] });
    expect(await (await ask("/")).text()).toContain("&quot;indexes&quot;:[&quot;docs&quot;]");
    expect(store.reads).toBe(0);
  });

  test("answers 404 for an unknown index after one read, and 400 before any", async () => {
    expect((await ask("/v1/indexes/docs/search?q=%ff")).status).toBe(400);
    expect(store.reads).toBe(0);
    expect((await ask("/v1/indexes/docs/search?q=a")).status).toBe(404);
    expect(store.reads).toBe(1);
  });

  test("answers 503 in our shape when storage is down", async () => {
    store.status = 500;
    const response = await ask("/v1/indexes/docs/search?q=a");
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ error: { code: "store/unavailable" } });
  });

  test("shares one load among requests, even when the client that began it has gone", async () => {
    store.delayMs = 400;
    const leaving = new AbortController();
    const first = ask("/v1/indexes/docs/search?q=a", { signal: leaving.signal }).catch(() => "gone");
    await expect.poll(() => store.reads).toBe(1);
    const others = Array.from({ length: 30 }, () => ask("/v1/indexes/docs/search?q=a"));
    await new Promise((resolve) => setTimeout(resolve, 100));
    leaving.abort();
    const statuses = (await Promise.all(others)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([404]));
    expect(await first).toBe("gone");
    expect(store.reads).toBe(1);
  });

  test.each([
    ["TRACE /health", "", 405],
    ["GET //health", "", 404],
    ["GET /health/", "", 404],
    ["POST /v1/search", chunked(12 * 0x2000), 413],
    ["POST /v1/search", chunked(10), 400],
  ])("answers the raw request %s as it should", async (line, rest, status) => {
    const head = `${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n`;
    expect(await statusOfRaw(url, rest === "" ? `${head}\r\n` : head + rest)).toBe(status);
  });
});

/** Headers and a body of this many spaces whose length is not said. */
function chunked(length: number): string {
  const parts: string[] = [];
  for (let left = length; left > 0; left -= 0x2000) {
    const size = Math.min(left, 0x2000);
    parts.push(`${size.toString(16)}\r\n${" ".repeat(size)}\r\n`);
  }
  return `Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${parts.join("")}0\r\n\r\n`;
}

/** The status of the answer to these bytes, sent as they are. */
function statusOfRaw(url: URL, bytes: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(Number(url.port), url.hostname, () => socket.write(bytes));
    socket.once("data", (data) => {
      resolve(Number(data.toString().split(" ")[1]));
      socket.destroy();
    });
    socket.once("error", reject);
  });
}
