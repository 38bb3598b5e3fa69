/** Writes that are refused, for what they are or for who sends them. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DOCUMENT_LIMITS, INBOX_LIMITS } from "../../shared/limits.ts";
import { errorOf } from "../helpers/edge-app.ts";
import { FaultStore } from "../helpers/fault-store.ts";
import { DOCUMENT, freshStore, inboxOf } from "../helpers/tiny-writes.ts";
import { ADMIN_KEY, isolate } from "../helpers/writing-app.ts";

describe("a write that is refused", () => {
  test.each<[string, unknown, object]>([
    ["a list", [], { code: "request/invalid", field: "body" }],
    ["a text that is no string", { text: 5 }, { code: "document/invalid", field: "text" }],
    ["a field that is an object", { a: {} }, { code: "document/invalid", field: '"a"' }],
    ["a list of lists", { a: [[1]] }, { code: "document/invalid", field: '"a"' }],
    [
      "a name that means something to JavaScript",
      JSON.parse('{"__proto__": 1}'),
      { code: "document/invalid" },
    ],
    ["an empty name", { "": 1 }, { code: "document/invalid" }],
    ["another id", { id: "other" }, { code: "request/invalid", field: "id" }],
    [
      "too many fields",
      Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`f${at}`, 1])),
      { code: "document/invalid", limit: DOCUMENT_LIMITS.fields },
    ],
    [
      "too much text",
      { text: "x".repeat(DOCUMENT_LIMITS.documentBytes) },
      { code: "document/invalid", limit: DOCUMENT_LIMITS.documentBytes },
    ],
  ])("for %s says why and leaves nothing behind", async (_, body, error) => {
    const store = await freshStore();
    const { fetch } = await isolate(store);
    const headers = { authorization: `Bearer ${ADMIN_KEY}` };
    const response = await fetch(`${DOCUMENT}/a`, { method: "PUT", headers, body });
    expect(response.status).toBe(400);
    expect(await errorOf(response)).toMatchObject(error);
    expect(await inboxOf(store)).toEqual([]);
  });

  test("for its size is 413, before it is read to its end", async () => {
    const { app } = await isolate(await freshStore());
    let sent = 0;
    const body = new ReadableStream({
      pull(controller) {
        sent += 65_536;
        controller.enqueue(new Uint8Array(65_536).fill(0x20));
      },
    });
    const headers = { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json" };
    const init = { method: "PUT", headers, body, duplex: "half" } as RequestInit;
    const request = new Request(`http://edge.test${DOCUMENT}/a`, init);
    const response = await app.fetch(request, { waitUntil: () => undefined });
    expect(response.status).toBe(413);
    expect(await errorOf(response)).toMatchObject({ field: "body", limit: INBOX_LIMITS.entryBytes });
    expect(sent).toBeLessThan(INBOX_LIMITS.entryBytes + 5 * 65_536);
  });

  test("for an id, an index or a parameter says which", async () => {
    const { fetch } = await isolate(await freshStore());
    const headers = { authorization: `Bearer ${ADMIN_KEY}` };
    const put = async (path: string) => errorOf(await fetch(path, { method: "PUT", headers, body: {} }));
    expect(await put(`${DOCUMENT}/a%0A`)).toMatchObject({ code: "document/invalid", field: "id" });
    expect(await put("/v1/indexes/Tiny/documents/a")).toMatchObject({
      code: "request/invalid",
      field: "index",
    });
    expect(await put("/v1/indexes/none/documents/a")).toMatchObject({ code: "index/not-found" });
    expect(await put(`${DOCUMENT}/a?q=1`)).toMatchObject({ code: "request/invalid", field: "q" });
  });

  test("takes an id in the body that says the same as the path, and keeps it out of the fields", async () => {
    const { write, fetch } = await isolate(await freshStore());
    expect((await write("a", { id: "a", text: "river" })).status).toBe(202);
    expect(await (await fetch(`${DOCUMENT}/a`)).json()).toMatchObject({ fields: { text: "river" } });
  });
});

describe("who may write", () => {
  const refused = async (headers: Record<string, string>) => {
    const store = new FaultStore(await freshStore());
    const { fetch } = await isolate(store);
    const response = await fetch(`${DOCUMENT}/a`, { method: "PUT", headers, body: { text: "x" } });
    return { response, touched: store.log };
  };

  test.each<[string, Record<string, string>]>([
    ["no key", {}],
    ["an empty header", { authorization: "" }],
    ["a wrong key", { authorization: `Bearer ${ADMIN_KEY.replace("0", "1")}` }],
    ["a key cut short", { authorization: `Bearer ${ADMIN_KEY.slice(0, -1)}` }],
    ["a key with more", { authorization: `Bearer ${ADMIN_KEY}x` }],
    ["another scheme", { authorization: `Basic ${ADMIN_KEY}` }],
    ["a key without a scheme", { authorization: ADMIN_KEY }],
    ["two keys", { authorization: `Bearer ${ADMIN_KEY} ${ADMIN_KEY}` }],
    ["a key in another case", { authorization: `Bearer ${ADMIN_KEY.toUpperCase()}` }],
    ["a key in a cookie", { cookie: `authorization=Bearer ${ADMIN_KEY}` }],
    ["a very long key", { authorization: `Bearer ${"x".repeat(8000)}` }],
  ])("is not who sends %s: 401, and the store is not asked", async (_, headers) => {
    const { response, touched } = await refused(headers);
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe('Bearer realm="lightedge"');
    expect(await errorOf(response)).toMatchObject({ code: "request/unauthorized", field: "authorization" });
    expect(touched).toEqual([]);
  });

  test("is who sends the key, its scheme in any case", async () => {
    const { fetch } = await isolate(await freshStore());
    const headers = { authorization: `bearer  ${ADMIN_KEY}` };
    expect((await fetch(`${DOCUMENT}/a`, { method: "DELETE", headers })).status).toBe(202);
  });

  test("is nobody where the deployment has no key", async () => {
    const store = new FaultStore(await freshStore());
    const { write } = await isolate(store, { ports: { writes: null } });
    for (const response of [await write("a", { text: "x" }), await write("a")]) {
      expect(response.status).toBe(404);
      expect((await errorOf(response)).message).toContain("not enabled");
    }
    expect(store.log).toEqual([]);
  });

  test("is never who guesses: no such request reaches the store or is told anything of the key", async () => {
    const store = new FaultStore(await freshStore());
    const { fetch } = await isolate(store);
    const visible = fc.string({
      unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)),
    });
    const near = fc
      .tuple(fc.nat(ADMIN_KEY.length), visible)
      .map(([at, more]) => ADMIN_KEY.slice(0, at) + more);
    const header = fc
      .tuple(
        fc.constantFrom("Bearer ", "bearer ", "Bearer", "Basic ", "Bearer\t", ""),
        fc.oneof(visible, near),
      )
      .map((parts) => parts.join(""))
      .filter((text) => text.trim().toLowerCase() !== `bearer ${ADMIN_KEY}`);
    const path = fc.constantFrom(
      `${DOCUMENT}/a`,
      "/v1/indexes/none/documents/%ff",
      "/v1/indexes/!/documents/a?q=1",
    );
    await fc.assert(
      fc.asyncProperty(
        header,
        path,
        fc.constantFrom("PUT", "DELETE"),
        async (authorization, path, method) => {
          const response = await fetch(path, { method, headers: { authorization } });
          expect(response.status).toBe(401);
          const text = await response.text();
          expect(text.length).toBeLessThan(400);
          expect(text).not.toContain(ADMIN_KEY.slice(0, 8));
        },
      ),
      { numRuns: 1000 },
    );
    expect(store.log).toEqual([]);
  });
});
