import { describe, expect, it } from "vitest";
import { LightedgeError } from "../../../shared/errors.ts";
import { type InboxEntry, serializeInboxEntry } from "../../../shared/format/inbox.ts";
import { inboxKey } from "../../../shared/format/names.ts";
import { NO_OVERLAY } from "../../../shared/format/overlay.ts";
import { readEntry, readInbox } from "../../../shared/inbox/read.ts";
import { MemoryStore } from "../../../shared/store/memory.ts";
import type { StoredObject } from "../../../shared/store/store.ts";
import { entryOf, writeId } from "../../helpers/writes.ts";

async function storeOf(...entries: readonly InboxEntry[]): Promise<MemoryStore> {
  const store = new MemoryStore();
  for (const entry of entries)
    await store.putIfAbsent(inboxKey(entry.index, entry.write), await serializeInboxEntry(entry));
  return store;
}

describe("reading an inbox", () => {
  it("gives all entries in the order of their writes, and those of no other index", async () => {
    const entries = Array.from({ length: 20 }, (_, at) => entryOf(at, `d${at}`, { text: "x" }));
    const store = await storeOf(...entries.toReversed(), entryOf(3, "other", { text: "x" }, "docs-2"));
    const inbox = await readInbox(store, "docs", NO_OVERLAY);
    expect(inbox).toEqual({ listed: entries.map(({ write }) => write), entries, damaged: [] });
  });

  it("does not read what is listed as folded", async () => {
    const store = await storeOf(entryOf(1, "a", { text: "x" }), entryOf(2, "b"));
    const read: string[] = [];
    const get = (key: string) => {
      read.push(key);
      return store.get(key);
    };
    const watched = { get, list: (prefix: string) => store.list(prefix) };
    const inbox = await readInbox(watched, "docs", { entries: [], folded: [writeId(1)] });
    expect(inbox.listed).toEqual([writeId(1), writeId(2)]);
    expect(inbox.entries).toEqual([entryOf(2, "b")]);
    expect(read).toEqual([inboxKey("docs", writeId(2))]);
  });

  it("names damaged entries, reads the others, and leaves keys alone that are not ours", async () => {
    const store = await storeOf(entryOf(1, "a", { text: "x" }), entryOf(2, "b"), entryOf(3, "c"));
    const bytes = (await store.get(inboxKey("docs", writeId(2))))!.body;
    bytes[5]! ^= 1;
    await store.put(inboxKey("docs", writeId(2)), bytes);
    await store.put("indexes/docs/inbox/note.txt", bytes);
    const inbox = await readInbox(store, "docs", NO_OVERLAY);
    expect(inbox.entries.map(({ id }) => id)).toEqual(["a", "c"]);
    expect(inbox.damaged).toMatchObject([{ write: writeId(2), reason: { code: "blob/corrupt" } }]);
    expect(inbox.damaged[0]!.reason.message).toContain(inboxKey("docs", writeId(2)));
    expect(inbox.listed).toHaveLength(3);
  });

  it("reads once more what was damaged on its way", async () => {
    const store = await storeOf(entryOf(1, "a", { text: "x" }));
    let reads = 0;
    const get = async (key: string): Promise<StoredObject | null> => {
      const found = await store.get(key);
      if (found !== null && reads++ === 0) found.body[20]! ^= 4;
      return found;
    };
    expect(await readEntry({ get }, "docs", writeId(1))).toEqual(entryOf(1, "a", { text: "x" }));
    expect(reads).toBe(2);
  });

  it("takes an entry that is gone since it was listed for collected", async () => {
    const store = await storeOf(entryOf(1, "a", { text: "x" }), entryOf(2, "b"));
    const get = (key: string) => (key.includes(writeId(1)) ? Promise.resolve(null) : store.get(key));
    const inbox = await readInbox({ get, list: (prefix) => store.list(prefix) }, "docs", NO_OVERLAY);
    expect(inbox.entries).toEqual([entryOf(2, "b")]);
  });

  it("fails where the store does, rather than read a part", async () => {
    const store = await storeOf(entryOf(1, "a", { text: "x" }), entryOf(2, "b"));
    const get = async (key: string) => {
      if (key.includes(writeId(2))) throw new LightedgeError("store/unavailable", "Down.");
      return store.get(key);
    };
    const reading = readInbox({ get, list: (prefix) => store.list(prefix) }, "docs", NO_OVERLAY);
    await expect(reading).rejects.toMatchObject({ code: "store/unavailable" });
  });
});
