import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { AdminKey } from "../../edge/admin-key.ts";
import type { InboxStore } from "../../edge/inbox-store.ts";
import { IndexCache } from "../../edge/index-cache.ts";
import { takeWrite } from "../../edge/write.ts";
import type { OpenIndex } from "../../shared/engine/api.ts";
import { serializeInboxEntry } from "../../shared/format/inbox.ts";
import { inboxKey, inboxPrefix, type WriteId } from "../../shared/format/names.ts";
import { packOverlay } from "../../shared/format/overlay.ts";
import { DOCUMENT_LIMITS, INBOX_LIMITS } from "../../shared/limits.ts";
import { MemoryStore } from "../../shared/store/memory.ts";
import { errorOf } from "../helpers/edge-app.ts";
import { fakeIndex } from "../helpers/fake-index.ts";
import type { Fault } from "../helpers/fault-plan.ts";
import { FaultStore } from "../helpers/fault-store.ts";
import { buildTiny, copyOf, TINY } from "../helpers/tiny-build.ts";
import { entryOf, FIRST_WRITE, writeId } from "../helpers/writes.ts";
import { ADMIN_KEY, isolate } from "../helpers/writing-app.ts";

let built: MemoryStore;
beforeAll(async () => {
  ({ store: built } = await buildTiny());
});
const freshStore = () => copyOf(built);

const DOCUMENT = `/v1/indexes/${TINY}/documents`;
const FIELDS = { title: "Anchor boat", text: "Anchor, boat and sailor.", year: 2026 };

async function inboxOf(store: MemoryStore): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(inboxPrefix(TINY))) keys.push(key);
  return keys;
}

interface Ack {
  readonly write: WriteId;
  readonly received: string;
}
const ackOf = async (response: Response): Promise<Ack> => (await response.json()) as Ack;

describe("a write", () => {
  test("is in the store when it is acknowledged, and in the very next answer", async () => {
    const store = await freshStore();
    const now = Date.parse("2026-03-01T10:00:00.500Z");
    const { write, find, fetch } = await isolate(store, { now: () => now });
    const response = await write("a/new", FIELDS);
    expect(response.status).toBe(202);
    const ack = await response.json();
    expect(ack).toEqual({
      index: TINY,
      id: "a/new",
      op: "put",
      write: `${now}-0000000000000001`,
      received: "2026-03-01T10:00:00.500Z",
      region: "test",
    });
    expect(await inboxOf(store)).toEqual([inboxKey(TINY, (ack as Ack).write)]);
    expect((await find("anchor boat sailor")).slice(0, 3)).toContain("a/new");
    const document = await (await fetch(`${DOCUMENT}/a%2Fnew`)).json();
    expect(document).toMatchObject({ id: "a/new", fields: FIELDS, version: expect.stringMatching(/^1-/) });
    const described = await (await fetch(`/v1/indexes/${TINY}`)).json();
    expect(described).toMatchObject({ waiting: { writes: 1, bytes: expect.any(Number) } });
  });

  test("that deletes hides the document in the very next answer", async () => {
    const { write, find, fetch } = await isolate(await freshStore());
    expect(await find("nurse doctor fever", "&limit=100")).toContain("twin-a");
    const response = await write("twin-a");
    expect([response.status, await response.json()]).toMatchObject([202, { op: "delete", id: "twin-a" }]);
    expect(await find("nurse doctor fever", "&limit=100")).not.toContain("twin-a");
    expect((await fetch(`${DOCUMENT}/twin-a`)).status).toBe(404);
  });

  test("of a document that is not there is a write as well", async () => {
    const { write } = await isolate(await freshStore());
    expect((await write("nobody")).status).toBe(202);
  });

  test("takes the place of the one before it, whatever the clock says meanwhile", async () => {
    let now = Date.parse("2026-03-01T10:00:00Z");
    const store = await freshStore();
    const one = await isolate(store, { now: () => now });
    const first = await ackOf(await one.write("x", { text: "first" }));
    // The clock of the next Worker is an hour behind.
    now -= 3_600_000;
    const second = await ackOf(await one.write("x", { text: "second" }));
    const other = await isolate(store, { now: () => now });
    const third = await ackOf(await other.write("x", { text: "third" }));
    expect([first.write, second.write, third.write]).toEqual([first.write, second.write, third.write].sort());
    for (const { fetch } of [other, await isolate(store)])
      expect(await (await fetch(`${DOCUMENT}/x`)).json()).toMatchObject({ fields: { text: "third" } });
  });

  test("is seen by another isolate once it looks again, at once where that is asked for", async () => {
    let now = Date.now();
    const store = await freshStore();
    const clock = { now: () => now, pointerMaxAgeMs: 10_000 };
    const [one, other] = [await isolate(store, clock), await isolate(store, clock)];
    await other.find("river");
    const { write } = await ackOf(await one.write("new", { text: "anchor" }));
    expect(await other.find("anchor", "&limit=100")).not.toContain("new");
    expect(await other.find("anchor", `&limit=100&min_write=${write}`)).toContain("new");

    await one.write("newer", { text: "anchor" });
    now += 10_001;
    await other.find("anchor");
    await other.settle();
    expect(await other.find("anchor", "&limit=100")).toContain("newer");
  });

  test("taken while another look is under way is in the answer that look gives", async () => {
    let now = Date.now();
    const store = await freshStore();
    let hold: Promise<unknown> = Promise.resolve();
    const slow = new Proxy(store, {
      get(target, name) {
        if (name !== "list") return Reflect.get(target, name).bind(target);
        return async function* (prefix: string) {
          const found = [];
          for await (const info of target.list(prefix)) found.push(info);
          await hold;
          yield* found;
        };
      },
    });
    const one = await isolate(slow, { now: () => now, pointerMaxAgeMs: 1000 });
    await one.find("river");
    const gate = Promise.withResolvers<void>();
    hold = gate.promise;
    now += 1001;
    // Begins to look, and is answered with what is loaded meanwhile.
    await one.find("river");
    expect((await one.write("new", { text: "anchor" })).status).toBe(202);
    gate.resolve();
    await one.settle();
    expect(await one.find("anchor", "&limit=100")).toContain("new");
  });
});

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

describe("the inbox", () => {
  test("takes no more than it may hold, says what to do, and goes on answering", async () => {
    const store = await freshStore();
    for (let at = 0; at < INBOX_LIMITS.waiting - 1; at++) {
      const entry = entryOf(at, `w${at % 50}`, { text: "boat" }, TINY);
      await store.put(inboxKey(TINY, entry.write), await serializeInboxEntry(entry));
    }
    const { write, find, log } = await isolate(store);
    expect((await write("last", { text: "anchor" })).status).toBe(202);
    const response = await write("more", { text: "anchor" });
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("60");
    const error = await errorOf(response);
    expect(error).toMatchObject({ code: "inbox/full", limit: INBOX_LIMITS.waiting });
    expect(error.message).toContain('Run "lightedge reindex"');
    expect(log).toHaveLength(1);
    const found = await find("anchor", "&limit=100");
    expect([found.includes("last"), found.includes("more")]).toEqual([true, false]);
  });

  test("counts bytes as well as writes", async () => {
    const { write } = await isolate(await freshStore());
    // What is not searched takes no time to encode and little memory.
    const blob = "boat ".repeat(200_000);
    const statuses = [];
    for (let at = 0; at < 5; at++) statuses.push((await write(`w${at}`, { blob })).status);
    expect(statuses).toEqual([202, 202, 202, 202, 503]);
  });

  test("may be filled to the last byte", async () => {
    const sizeOf = async (length: number) =>
      (await serializeInboxEntry(entryOf(1, "w0", { blob: "x".repeat(length) }, TINY))).length;
    const overhead = (await sizeOf(1)) - 1;
    for (const [more, expected] of [
      [0, 202],
      [1, 503],
    ] as const) {
      const { write } = await isolate(await freshStore());
      const sizes = [1, 1, 1, 1].map(() => INBOX_LIMITS.waitingBytes / 4 - overhead);
      const fields = sizes.map((size, at) => ({ blob: "x".repeat(at === 3 ? size + more : size) }));
      const statuses = [];
      for (const [at, each] of fields.entries()) statuses.push((await write(`w${at}`, each)).status);
      expect(statuses).toEqual([202, 202, 202, expected]);
    }
  });

  test("takes nothing that there is no memory to search", async () => {
    const store = await freshStore();
    const { write, find } = await isolate(store, { waitingBytes: 20_000 });
    const statuses = [];
    for (let at = 0; at < 4; at++)
      statuses.push((await write(`w${at}`, { text: "boat ".repeat(200) })).status);
    expect(statuses).toEqual([202, 503, 503, 503]);
    expect(await inboxOf(store)).toHaveLength(1);
    expect(await find("boat", "&limit=100")).toContain("w0");
  });

  test("that holds what cannot be read says so in every answer, and lets nothing more in", async () => {
    const store = await freshStore();
    const entry = entryOf(1, "broken", { text: "anchor" }, TINY);
    const bytes = await serializeInboxEntry(entry);
    bytes[30]! ^= 1;
    await store.put(inboxKey(TINY, entry.write), bytes);
    const { fetch, log, write } = await isolate(store);
    const answer = await (await fetch(`/v1/indexes/${TINY}/search?q=anchor`)).json();
    expect(answer).toMatchObject({ warnings: [expect.stringContaining("1 documents")] });
    expect(JSON.parse(log[0]!)).toMatchObject({ level: "error", index: TINY, code: "blob/corrupt" });
    expect(await errorOf(await write("a", { text: "x" }))).toMatchObject({ code: "inbox/full" });
  });
});

describe("a write whose answer or request is lost", () => {
  const run = async (fault: Fault) => {
    const store = await freshStore();
    const faulty = new FaultStore(store, ({ method }) => (method === "putIfAbsent" ? { fault } : null));
    const one = await isolate(faulty);
    const response = await one.write("new", { text: "anchor" });
    return { store, response, one };
  };

  test("on its way to the store is refused, and done once when it is sent again", async () => {
    const { store, response } = await run("fail before");
    expect(response.status).toBe(503);
    expect(await errorOf(response)).toMatchObject({ code: "store/unavailable" });
    expect(await inboxOf(store)).toHaveLength(0);
    const retry = await isolate(store);
    expect((await retry.write("new", { text: "anchor" })).status).toBe(202);
    expect((await retry.find("anchor", "&limit=100")).filter((id) => id === "new")).toHaveLength(1);
  });

  test.each(["fail after", "conflict after"] as const)(
    "on its way back (%s) is acknowledged, as it is there",
    async (fault) => {
      const { store, response, one } = await run(fault);
      expect(response.status).toBe(202);
      expect(await inboxOf(store)).toEqual([inboxKey(TINY, (await ackOf(response)).write)]);
      expect(await one.find("anchor", "&limit=100")).toContain("new");
    },
  );

  test("between the store and the client doubles nothing when it is sent again", async () => {
    const { store, response } = await run("crash after");
    // The isolate is gone with its answer; nobody knows, and the client asks another.
    expect(response.status).toBe(503);
    const retry = await isolate(store);
    expect((await retry.write("new", { text: "anchor" })).status).toBe(202);
    expect(await inboxOf(store)).toHaveLength(2);
    expect((await retry.find("anchor", "&limit=100")).filter((id) => id === "new")).toHaveLength(1);
  });

  test("is done once in all where its sender names it, even after others", async () => {
    const store = await freshStore();
    const named = { "idempotency-key": "order-17" };
    const [one, other] = [await isolate(store), await isolate(store)];
    // It has looked before the write was taken, and has no reason of its own to look again.
    await other.find("river");
    const first = await ackOf(await one.write("x", { text: "first" }, named));
    await one.write("x", { text: "second" });
    for (const each of [one, other, await isolate(store)]) {
      expect(await ackOf(await each.write("x", { text: "first" }, named))).toEqual(first);
      expect(await (await each.fetch(`${DOCUMENT}/x`)).json()).toMatchObject({ fields: { text: "second" } });
    }
    expect(await inboxOf(store)).toHaveLength(2);
    // The name is the document's and the operation's own.
    expect((await ackOf(await one.write("y", { text: "z" }, named))).write).not.toBe(first.write);
    expect((await ackOf(await one.write("x", undefined, named))).write).not.toBe(first.write);
    expect((await one.write("x", {}, { "idempotency-key": "a b" })).status).toBe(400);
  });
});

describe("the name of a write", () => {
  /** A cache over one index in memory, whose inbox cannot be looked at. */
  const cacheOf = (index: OpenIndex) =>
    new IndexCache(
      {
        open: async () => index,
        currentVersion: async () => index.version,
        withWaiting: async (same) => same,
      },
      { budgetBytes: 1e6, waitingBytes: 1e6, slots: 1, pointerMaxAgeMs: 1e9, patienceMs: 1000, now: () => 0 },
    );
  const take = async (
    index: OpenIndex,
    inbox: Pick<InboxStore, "put">,
    store = new MemoryStore(),
    digits = "0".repeat(16),
  ) => {
    const ports = { key: AdminKey.from(ADMIN_KEY)!, store, inbox, random: () => digits };
    const request = { index: "docs", id: "x", fields: { text: "new" }, idempotencyKey: null };
    return takeWrite(ports, cacheOf(index), request, FIRST_WRITE, { waitUntil: () => undefined });
  };
  const written = { put: async () => "written" as const };

  test("is above its document's watermark, though nothing of that is in the inbox any more", async () => {
    const entry = { id: "x", write: writeId(9, 0xff), stands: "put", source: null } as const;
    const overlay = packOverlay({ entries: [entry], folded: [] });
    const { write } = await take(fakeIndex({ overlay }), written);
    expect(write > entry.write).toBe(true);
    // Of another document it says nothing.
    const other = packOverlay({ entries: [{ ...entry, id: "y" }], folded: [] });
    expect((await take(fakeIndex({ overlay: other }), written)).write).toBe(writeId(0));
  });

  test("that could not be read again is never written", async () => {
    const inbox = { put: () => Promise.reject(new Error("must not be asked")) };
    await expect(take(fakeIndex(), inbox, undefined, "7")).rejects.toMatchObject({ code: "internal" });
  });

  test("that another write has already is an error, and the other stays as it is", async () => {
    const store = new MemoryStore();
    const other = entryOf(0, "y", { text: "other" });
    await store.put(inboxKey("docs", other.write), await serializeInboxEntry(other));
    const taking = take(fakeIndex(), { put: async () => "there already" }, store);
    await expect(taking).rejects.toMatchObject({ code: "store/conflict" });
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
