/** Writes and scheduled work in real workerd, over an R2 bucket. */
import type { Miniflare } from "miniflare";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { serve } from "../../indexer/serve.ts";
import { inboxPrefix } from "../../shared/format/names.ts";
import type { MemoryStore } from "../../shared/store/memory.ts";
import { type Bucket, fillBucket, startWorkers } from "../helpers/runtime.ts";
import { buildTiny, TINY } from "../helpers/tiny-build.ts";
import { ADMIN_KEY } from "../helpers/writing-app.ts";

const POINTER_MAX_AGE = 0.2;

describe("two Workers over one bucket", () => {
  let runtime: Miniflare;
  let store: MemoryStore;
  let bucket: Bucket;

  beforeAll(async () => {
    ({ store } = await buildTiny());
    const common = { INDEXES: TINY, POINTER_MAX_AGE: String(POINTER_MAX_AGE) };
    runtime = await startWorkers({
      writer: { ...common, ADMIN_KEY, INDEX_MAX_AGE: `${TINY}=1h` },
      reader: { ...common, INBOX: "read" },
      alone: common,
    });
    bucket = await fillBucket(runtime, "writer", store);
  });
  afterAll(() => runtime?.dispose());

  const ask = async (worker: string, path: string, init: { method?: string; body?: object } = {}) => {
    const { fetch } = await runtime.getWorker(worker);
    const headers = { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json" };
    const { body, ...rest } = init;
    return fetch(`http://edge.test${path}`, {
      ...rest,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  };
  const find = async (worker: string, q: string) => {
    const response = await ask(worker, `/v1/indexes/${TINY}/search?limit=100&q=${q}`);
    const { hits } = (await response.json()) as { hits: readonly { readonly id: string }[] };
    return hits.map(({ id }) => id);
  };
  const put = (id: string, fields: object) =>
    ask("writer", `/v1/indexes/${TINY}/documents/${id}`, { method: "PUT", body: fields });

  test("a write is an object in the bucket, found at once by the one and soon by the other", async () => {
    expect(await find("reader", "anchor")).not.toContain("new");
    const response = await put("new", { title: "Anchor", text: "An anchor." });
    expect(response.status).toBe(202);
    const { write } = (await response.json()) as { write: string };
    const { objects } = await bucket.list({ prefix: inboxPrefix(TINY) });
    expect(objects.map(({ key }) => key)).toEqual([`${inboxPrefix(TINY)}${write}.json`]);
    expect(await find("writer", "anchor")).toContain("new");
    await expect.poll(() => find("reader", "anchor"), { timeout: 5000 }).toContain("new");
    expect(await find("alone", "anchor")).not.toContain("new");
  });

  test("read your writes, from the Worker that did not take them", async () => {
    for (let at = 0; at < 5; at++) {
      const { write } = (await (await put(`x${at}`, { text: "violin" })).json()) as { write: string };
      const response = await ask("reader", `/v1/indexes/${TINY}/documents/x${at}?min_write=${write}`);
      expect(response.status).toBe(200);
    }
    const deleted = await ask("writer", `/v1/indexes/${TINY}/documents/x0`, { method: "DELETE" });
    const { write } = (await deleted.json()) as { write: string };
    const gone = await ask("reader", `/v1/indexes/${TINY}/documents/x0?min_write=${write}`);
    expect(gone.status).toBe(404);
  });

  test("many writes after each other are all found", async () => {
    const count = 150;
    for (let at = 0; at < count; at++) {
      const response = await put(`many-${at}`, { text: `guitar ${"river boat ".repeat(20)}` });
      expect(response.status).toBe(202);
    }
    const found = await find("writer", "guitar");
    expect(found.filter((id) => id.startsWith("many-")).length).toBeGreaterThan(90);
    expect((await ask("writer", `/v1/indexes/${TINY}/documents/many-${count - 1}`)).status).toBe(200);
  });

  test("only who has the key may write, and only where there is one", async () => {
    const { fetch } = await runtime.getWorker("writer");
    const wrong = await fetch(`http://edge.test/v1/indexes/${TINY}/documents/a`, {
      method: "DELETE",
      headers: { authorization: "Bearer wrong-key-0123456789" },
    });
    expect([wrong.status, wrong.headers.get("www-authenticate")]).toEqual([401, 'Bearer realm="lightedge"']);
    const none = await ask("reader", `/v1/indexes/${TINY}/documents/a`, { method: "DELETE" });
    expect(none.status).toBe(404);
  });

  test("a Cron Trigger checks the index and collects from the bucket", async () => {
    const worker = await runtime.getWorker("writer");
    expect((await worker.scheduled({ cron: "*/15 * * * *" })).outcome).toBe("ok");
    // The tiny index was built in January, and an hour is promised.
    expect(await (await ask("writer", "/health")).json()).toMatchObject({
      status: "stale",
      checks: [{ index: TINY, stale: true, problem: null }],
    });
    // Written by the collection, to be told the time.
    expect(await bucket.head("gc/now.json")).not.toBeNull();
    expect(await find("writer", "river")).not.toEqual([]);
  });
});

test("local serving takes writes into any store where it is given a key, and none without", async () => {
  const { store } = await buildTiny();
  const options = { store, host: "127.0.0.1", port: 0, indexes: [TINY], examples: [], pointerMaxAge: 60 };
  const put = (url: string) =>
    fetch(new URL(`/v1/indexes/${TINY}/documents/new`, url), {
      method: "PUT",
      headers: { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json" },
      body: JSON.stringify({ text: "anchor" }),
    });
  const open = await serve({ ...options, adminKey: ADMIN_KEY });
  try {
    const response = await put(open.url);
    const { write } = (await response.json()) as { write: string };
    expect(response.status).toBe(202);
    expect(await store.head(`${inboxPrefix(TINY)}${write}.json`)).not.toBeNull();
    const found = await fetch(new URL(`/v1/indexes/${TINY}/documents/new`, open.url));
    expect(await found.json()).toMatchObject({ fields: { text: "anchor" } });
  } finally {
    await open.close();
  }
  const closed = await serve(options);
  try {
    expect((await put(closed.url)).status).toBe(404);
  } finally {
    await closed.close();
  }
});
