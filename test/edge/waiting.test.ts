import { describe, expect, test } from "vitest";
import type { InboxStore, ListedWrite } from "../../edge/inbox-store.ts";
import { mergeWrites, withWaiting } from "../../edge/waiting.ts";
import type { OpenIndex, WaitingWrite } from "../../shared/engine/api.ts";
import { LightedgeError } from "../../shared/errors.ts";
import { type InboxEntry, serializeInboxEntry } from "../../shared/format/inbox.ts";
import { inboxKey } from "../../shared/format/names.ts";
import { type Overlay, packOverlay } from "../../shared/format/overlay.ts";
import { INBOX_LIMITS } from "../../shared/limits.ts";
import { MemoryStore } from "../../shared/store/memory.ts";
import { fakeIndex } from "../helpers/fake-index.ts";
import { entryOf, writeId } from "../helpers/writes.ts";

/** An inbox over a store in memory that tells what it was asked. */
async function inboxOf(entries: readonly InboxEntry[], listed?: readonly ListedWrite[]) {
  const store = new MemoryStore();
  const all: ListedWrite[] = [];
  for (const entry of entries) {
    const bytes = await serializeInboxEntry(entry);
    await store.put(inboxKey(entry.index, entry.write), bytes);
    all.push({ write: entry.write, bytes: bytes.length });
  }
  const asked: (string | null)[] = [];
  const reads: string[] = [];
  const inbox: Pick<InboxStore, "list"> = {
    async list(_, from) {
      asked.push(from);
      return (listed ?? all).filter(({ write }) => from === null || write >= from);
    },
  };
  const log: string[] = [];
  const get = (key: string) => {
    reads.push(key);
    return store.get(key);
  };
  const ports = { store: { get }, inbox, log: (line: string) => log.push(line) };
  const look = (index: OpenIndex, known: readonly WaitingWrite[] = [], capBytes = 1e6) =>
    withWaiting(ports, index, known, capBytes);
  return { store, asked, reads, log, look };
}

const names = ({ waiting }: OpenIndex) => waiting.map(({ entry }) => entry.write);
const indexWith = (overlay?: Overlay) =>
  fakeIndex(overlay === undefined ? {} : { overlay: packOverlay(overlay) });

describe("looking at an inbox", () => {
  test("lays what waits over the index, in its order", async () => {
    const { look } = await inboxOf([entryOf(2, "b", { text: "two" }), entryOf(1, "a", { text: "one" })]);
    const { look: lookAgain } = await inboxOf([
      entryOf(1, "a", { text: "one" }),
      entryOf(2, "b", { text: "two" }),
    ]);
    expect(names(await lookAgain(indexWith()))).toEqual([writeId(1), writeId(2)]);
    expect((await (await look(indexWith())).document("a"))!.fields).toEqual({ text: "one" });
  });

  test("is the index itself where nothing has changed, and reads nothing again that is known", async () => {
    const { look, reads } = await inboxOf([entryOf(1, "a", { text: "one" })]);
    const laid = await look(indexWith());
    expect(reads).toHaveLength(1);
    expect(await look(laid, laid.waiting)).toBe(laid);
    // A new version of the same index: what was known is known there too.
    expect(names(await look(indexWith(), laid.waiting))).toEqual([writeId(1)]);
    expect(reads).toHaveLength(1);
  });

  test("leaves out what the version holds, without reading what it lists as folded", async () => {
    const overlay: Overlay = {
      entries: [{ id: "late", write: writeId(5), stands: "put", source: null }],
      folded: [writeId(4), writeId(5)],
    };
    const entries = [
      entryOf(3, "late", { text: "overtaken" }),
      entryOf(4, "folded", { text: "x" }),
      entryOf(6, "late", { text: "new" }),
    ];
    const { look, reads } = await inboxOf(entries);
    const laid = await look(indexWith(overlay));
    expect(names(laid)).toEqual([writeId(6)]);
    expect(reads).not.toContain(inboxKey("docs", writeId(4)));
  });

  test("begins an hour below the newest write that the version took in", async () => {
    const { look, asked } = await inboxOf([]);
    await look(indexWith());
    await look(indexWith({ entries: [], folded: [writeId(1), writeId(7200)] }));
    const hourBefore = writeId(3600).slice(0, 13);
    expect(asked).toEqual([null, hourBefore]);
  });

  test("drops what is gone from the inbox, and what went between listing and reading", async () => {
    const first = await inboxOf([entryOf(1, "a", { text: "one" }), entryOf(2, "b", { text: "two" })]);
    const laid = await first.look(indexWith());
    const second = await inboxOf([entryOf(2, "b", { text: "two" })]);
    expect(names(await second.look(laid, laid.waiting))).toEqual([writeId(2)]);
    const listed = [1, 2].map((number) => ({ write: writeId(number), bytes: 10 }));
    const third = await inboxOf([entryOf(1, "a", { text: "one" })], listed);
    expect(await third.look(indexWith())).toMatchObject({ left: 0, unread: 0 });
  });

  test("counts what is damaged, and says which entry it is", async () => {
    const { look, store, log } = await inboxOf([
      entryOf(1, "a", { text: "one" }),
      entryOf(2, "b", { text: "two" }),
    ]);
    await store.put(inboxKey("docs", writeId(1)), new TextEncoder().encode("{}"));
    const laid = await look(indexWith());
    expect([names(laid), laid.unread]).toEqual([[writeId(2)], 1]);
    expect(JSON.parse(log[0]!)).toMatchObject({ index: "docs", code: "blob/corrupt" });
    // Asked again it is damaged still: that is no change.
    expect(await look(laid, laid.waiting)).toBe(laid);
    const { look: lookAtRest } = await inboxOf([entryOf(2, "b", { text: "two" })]);
    expect(await lookAtRest(laid, laid.waiting)).toMatchObject({ left: 0, unread: 0 });
  });

  test("lays what had no room before once there is some", async () => {
    const { look } = await inboxOf([entryOf(1, "a", { text: "one" })]);
    const cramped = await look(indexWith(), [], 10);
    expect(cramped.left).toBe(1);
    expect(await look(cramped, cramped.waiting, 1e6)).toMatchObject({ left: 0 });
  });

  test("fails where the store does, rather than show a part", async () => {
    const { look, store } = await inboxOf([entryOf(1, "a", { text: "one" })]);
    store.get = () => Promise.reject(new LightedgeError("store/unavailable", "Down."));
    await expect(look(indexWith())).rejects.toMatchObject({ code: "store/unavailable" });
  });

  test.each([
    ["writes", INBOX_LIMITS.waiting * 2, 1],
    ["bytes", 8, INBOX_LIMITS.waitingBytes / 4],
  ])("reads no more %s than twice what an inbox may hold, and counts the rest", async (_, most, bytes) => {
    const listed = Array.from({ length: most + 3 }, (_, at) => ({ write: writeId(at), bytes }));
    const { look, reads } = await inboxOf([], listed);
    const laid = await look(indexWith());
    expect([reads.length, laid.unread]).toEqual([most, 3]);
  });
});

test("writes of two lists are put together in their order, none twice", () => {
  const waiting = (...numbers: number[]) => numbers.map((at) => ({ entry: entryOf(at, "a"), bytes: 1 }));
  const merged = mergeWrites(waiting(1, 4), waiting(2, 4, 3));
  expect(merged.map(({ entry }) => entry.write)).toEqual([1, 2, 3, 4].map((at) => writeId(at)));
});
