import { describe, expect, test } from "vitest";
import { ServiceInbox } from "../../edge/inbox-service.ts";
import { type InboxStore, R2Inbox } from "../../edge/inbox-store.ts";
import { storeResponse } from "../../indexer/store/service.ts";
import { inboxKey, type WriteId } from "../../shared/format/names.ts";
import { MemoryStore } from "../../shared/store/memory.ts";
import { FaultStore } from "../helpers/fault-store.ts";
import { r2Bucket } from "../helpers/r2-bucket.ts";
import { writeId } from "../helpers/writes.ts";

const bucket = r2Bucket();

interface ListOptions {
  readonly startAfter?: string;
  readonly cursor?: string;
}
type Bucket = ConstructorParameters<typeof R2Inbox>[0];
const body = (text: string) => new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>;
const names = async (inbox: InboxStore, index: string, from: string | null = null) =>
  (await inbox.list(index, from)).map(({ write }) => write);

function serviceOver(store: MemoryStore | FaultStore): ServiceInbox {
  return new ServiceInbox({ fetch: (url, init) => storeResponse(store, new Request(url, init)) });
}

const MAKERS = {
  R2Inbox: async () => {
    const real: Bucket = await bucket();
    return { inbox: new R2Inbox(real), put: (key: string) => real.put(key, "x").then(() => undefined) };
  },
  ServiceInbox: async () => {
    const store = new MemoryStore();
    return {
      inbox: serviceOver(store),
      put: (key: string) => store.put(key, body("x")).then(() => undefined),
    };
  },
} satisfies Record<string, () => Promise<{ inbox: InboxStore; put(key: string): Promise<void> }>>;

describe.each(Object.entries(MAKERS))("%s", (_, make) => {
  test("writes an entry once, and says so when it is there already", async () => {
    const { inbox } = await make();
    expect(await inbox.put("once", writeId(1), body("first"))).toBe("written");
    expect(await inbox.put("once", writeId(1), body("second"))).toBe("there already");
    expect(await inbox.list("once", null)).toEqual([{ write: writeId(1), bytes: 5 }]);
  });

  test("lists the entries of one index from a name on, in order, and no other key", async () => {
    const { inbox, put } = await make();
    for (const at of [3, 1, 2]) await inbox.put("many", writeId(at), body("x"));
    await inbox.put("many-more", writeId(9), body("x"));
    await put("indexes/many/inbox/note.txt");
    await put("indexes/many/current.json");
    expect(await names(inbox, "many")).toEqual([writeId(1), writeId(2), writeId(3)]);
    expect(await names(inbox, "many", writeId(2))).toEqual([writeId(2), writeId(3)]);
    expect(await names(inbox, "many", writeId(2).slice(0, 13))).toEqual([writeId(2), writeId(3)]);
    expect(await names(inbox, "many", writeId(4))).toEqual([]);
    expect(await names(inbox, "none")).toEqual([]);
  });
});

describe("R2Inbox", () => {
  test("lists more entries than a page holds, and gives up on a bucket that never ends", async () => {
    const pages = 3;
    const asked: ListOptions[] = [];
    const bucketOf = (last: number) =>
      ({
        async list(options: ListOptions) {
          asked.push(options);
          const page = Number(options.cursor ?? 0);
          const objects = [{ key: inboxKey("docs", writeId(page)), size: 1 }];
          return page + 1 < last
            ? { objects, truncated: true, cursor: String(page + 1) }
            : { objects, truncated: false };
        },
      }) as unknown as Bucket;
    expect(await names(new R2Inbox(bucketOf(pages)), "docs", writeId(0))).toEqual(
      [0, 1, 2].map((at) => writeId(at)),
    );
    // Only the first page says where to begin; the others go on from their cursor.
    expect(asked.map(({ startAfter, cursor }) => [startAfter !== undefined, cursor])).toEqual([
      [true, undefined],
      [false, "1"],
      [false, "2"],
    ]);
    await expect(names(new R2Inbox(bucketOf(1e9)), "docs")).rejects.toMatchObject({
      code: "store/unavailable",
    });
  });

  test("does not know what became of a write that failed", async () => {
    const bucket = { put: () => Promise.reject(new Error("10001")) } as unknown as Bucket;
    await expect(new R2Inbox(bucket).put("docs", writeId(1), body("x"))).rejects.toMatchObject({
      code: "store/unavailable",
      message: expect.stringContaining("may or may not"),
    });
  });
});

describe("ServiceInbox over a service that fails", () => {
  const answering = (...statuses: number[]) => {
    let calls = 0;
    const fetch = async () => {
      const status = statuses[Math.min(calls++, statuses.length - 1)]!;
      return new Response(status === 200 ? '{"objects":[]}' : null, { status });
    };
    return { inbox: new ServiceInbox({ fetch }), calls: () => calls };
  };

  test.each([500, 503, 400, 200])("does not take %i for a write", async (status) => {
    const { inbox, calls } = answering(status);
    await expect(inbox.put("docs", writeId(1), body("x"))).rejects.toMatchObject({
      code: "store/unavailable",
    });
    // Never repeated here: the first may have landed.
    expect(calls()).toBe(1);
  });

  test("lists again once, then gives up", async () => {
    expect(await answering(503, 200).inbox.list("docs", null)).toEqual([]);
    const down = answering(503);
    await expect(down.inbox.list("docs", null)).rejects.toMatchObject({ code: "store/unavailable" });
    expect(down.calls()).toBe(2);
  });

  test("whose connection breaks does not know what became of a write", async () => {
    const inbox = new ServiceInbox({ fetch: () => Promise.reject(new TypeError("reset")) });
    await expect(inbox.put("docs", writeId(1), body("x"))).rejects.toMatchObject({
      code: "store/unavailable",
    });
  });
});

describe("the service of a store", () => {
  const send = (store: MemoryStore, path: string, init: RequestInit = {}) =>
    storeResponse(store, new Request(`http://store/${path}`, init));

  test("lets nothing be written but entries of inboxes", async () => {
    const store = new MemoryStore();
    const keys = [
      "indexes/docs/current.json",
      `blobs/${"a".repeat(64)}`,
      "indexes/docs/inbox/note.json",
      `indexes/docs/inbox/${writeId(1)}`,
      `indexes/docs/inbox/x/${writeId(1)}.json`,
      `indexes/Docs/inbox/${writeId(1)}.json`,
      `indexes/../docs/inbox/${writeId(1)}.json`,
    ];
    for (const key of keys) {
      for (const method of ["PUT", "POST", "DELETE", "PATCH"])
        expect((await send(store, key, { method })).status, `${method} ${key}`).toBeGreaterThanOrEqual(400);
    }
    for (const method of ["POST", "DELETE"])
      expect((await send(store, inboxKey("docs", writeId(1)), { method })).status).toBe(405);
    for await (const { key } of store.list("")) throw new Error(`${key} was written.`);
  });

  test("refuses an entry above its limit and a listing from what is no write", async () => {
    const store = new MemoryStore();
    const large = { method: "PUT", body: new Uint8Array(2 ** 21 + 1) };
    expect((await send(store, inboxKey("docs", writeId(1) as WriteId), large)).status).toBe(413);
    expect((await send(store, "indexes/docs/inbox/?from=../x")).status).toBe(400);
  });

  test("is down where the store is", async () => {
    const inbox = serviceOver(new FaultStore(new MemoryStore(), () => ({ fault: "fail before" })));
    await expect(inbox.list("docs", null)).rejects.toMatchObject({ code: "store/unavailable" });
    await expect(inbox.put("docs", writeId(1), body("x"))).rejects.toMatchObject({
      code: "store/unavailable",
    });
  });
});
