import { describe, expect, test } from "vitest";
import { AdminKey } from "../../edge/admin-key.ts";
import type { InboxStore } from "../../edge/inbox-store.ts";
import { IndexCache } from "../../edge/index-cache.ts";
import { takeWrite } from "../../edge/write.ts";
import type { OpenIndex } from "../../shared/engine/api.ts";
import { serializeInboxEntry } from "../../shared/format/inbox.ts";
import { inboxKey } from "../../shared/format/names.ts";
import { packOverlay } from "../../shared/format/overlay.ts";
import { MemoryStore } from "../../shared/store/memory.ts";
import { fakeIndex } from "../helpers/fake-index.ts";
import { TINY } from "../helpers/tiny-build.ts";
import { type Ack, ackOf, DOCUMENT, freshStore, inboxOf } from "../helpers/tiny-writes.ts";
import { entryOf, FIRST_WRITE, writeId } from "../helpers/writes.ts";
import { ADMIN_KEY, isolate } from "../helpers/writing-app.ts";

const FIELDS = { title: "Anchor boat", text: "Anchor, boat and sailor.", year: 2026 };

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
