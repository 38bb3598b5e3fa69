/** What becomes of a write on its way: an inbox that is full or damaged, answers and requests that are lost. */
import { describe, expect, test } from "vitest";
import { serializeInboxEntry } from "../../shared/format/inbox.ts";
import { inboxKey } from "../../shared/format/names.ts";
import { INBOX_LIMITS } from "../../shared/limits.ts";
import { errorOf } from "../helpers/edge-app.ts";
import type { Fault } from "../helpers/fault-plan.ts";
import { FaultStore } from "../helpers/fault-store.ts";
import { TINY } from "../helpers/tiny-build.ts";
import { ackOf, DOCUMENT, freshStore, inboxOf } from "../helpers/tiny-writes.ts";
import { entryOf } from "../helpers/writes.ts";
import { isolate } from "../helpers/writing-app.ts";

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
