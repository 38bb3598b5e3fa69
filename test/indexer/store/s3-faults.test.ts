/** What an S3 store makes of a server, a network or a proxy that misbehaves. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { beforeEach, describe, expect, it } from "vitest";
import { S3_SETTINGS, type S3Settings, S3Store } from "../../../indexer/store/s3.ts";
import { list } from "../../contract/store.ts";
import { bytes, textOf } from "../../contract/store-reads.ts";
import { type Answer, type Spoiling, s3Error } from "../../helpers/s3-server.ts";
import { freshStore, ports, server, UNAVAILABLE, waits } from "./s3-spoilt.ts";

/** Tries of a call, as set. */
const TRIES = S3_SETTINGS.retry.tries;
/** Short enough for a test, and long enough for a slow machine to answer within it. */
const IMPATIENT: S3Settings = {
  ...S3_SETTINGS,
  patience: { requestMs: 400, leastBytesPerSecond: S3_SETTINGS.patience.leastBytesPerSecond },
};
const PAGE: Answer = {
  status: 200,
  headers: { "content-type": "text/html" },
  body: "<!doctype html><html><body>Please log in<br></body></html>",
};

let store: S3Store;
beforeEach(async () => {
  store = await freshStore();
});

/** Ways to fail that may pass, each before anything was done. */
const PASSING: readonly (readonly [string, Spoiling])[] = [
  ["429", { instead: s3Error(429, "TooManyRequests") }],
  ["500", { instead: s3Error(500, "InternalError") }],
  ["503", { instead: s3Error(503, "SlowDown") }],
  ["a 502 with a page", { instead: { ...PAGE, status: 502 } }],
  ["a reset connection", { reset: "before" }],
  ["a page with status 200", { instead: PAGE }],
  ["an empty answer with status 200", { instead: { status: 200, headers: {}, body: "" } }],
  ["a page with status 404", { instead: { ...PAGE, status: 404 } }],
];

describe("S3Store over a server that fails for a while", () => {
  it.each(PASSING)("reads again after %s", async (_name, spoiling) => {
    server.spoilNext("GetObject", spoiling, 2);
    expect(textOf(await store.get("a"))).toBe("0123456789");
    server.spoilNext("GetObject", spoiling, 2);
    expect(await store.getRange("a", 2, 3)).toEqual(bytes("234"));
    expect(server.count("GetObject")).toBe(6);
    expect(waits).toHaveLength(4);
  });

  it.each(PASSING.filter(([name]) => !name.includes("404")))(
    "asks and lists again after %s",
    async (_name, spoiling) => {
      server.spoilNext("HeadObject", spoiling, 2);
      expect((await store.head("a"))?.bytes).toBe(10);
      server.spoilNext("ListObjectsV2", spoiling, 2);
      expect((await list(store, "")).map(({ key }) => key)).toEqual(["a"]);
    },
  );

  it.each(PASSING)("writes without a condition, and deletes, again after %s", async (_name, spoiling) => {
    server.spoilNext("PutObject", spoiling, 2);
    await store.put("a", bytes("new"));
    expect(textOf(await store.get("a"))).toBe("new");
    server.spoilNext("DeleteObject", spoiling, 2);
    await store.delete("a");
    expect(await store.get("a")).toBeNull();
  });

  it.each(PASSING)("gives up when %s does not end, says so, and names the key", async (_name, spoiling) => {
    server.spoilNext("GetObject", spoiling, Number.POSITIVE_INFINITY);
    await expect(store.get("a")).rejects.toMatchObject({ ...UNAVAILABLE, details: { blob: "a" } });
    expect(server.count("GetObject")).toBe(TRIES);
  });

  it("waits as long as the server asks for", async () => {
    server.spoilNext("GetObject", { instead: s3Error(503, "SlowDown", { "retry-after": "7" }) });
    await store.get("a");
    expect(waits).toEqual([7000]);
  });

  it("has no retries left for the calls of a run that come after many have failed", async () => {
    server.spoil(() => ({ instead: s3Error(500, "InternalError") }));
    for (let n = 0; n < 100; n += 1) await store.get("a").catch(() => undefined);
    expect(server.asked.length).toBeLessThanOrEqual(100 + 20 + 10);
  });
});

describe("S3Store with a condition to a write", () => {
  const writes = [
    ["putIfAbsent", "b", () => store.putIfAbsent("b", bytes("new"))],
    ["putIfMatch", "a", async () => store.putIfMatch("a", bytes("new"), server.objects.get("a")!.etag)],
  ] as const;

  describe.each(writes)("by %s", (_name, key, write) => {
    it.each([
      ["409, since another write was under way", s3Error(409, "ConditionalRequestConflict")],
      ["429", s3Error(429, "TooManyRequests")],
      ["503 for being too many", s3Error(503, "SlowDown")],
    ])("sends it again after %s, for nothing was done", async (_case, answer) => {
      server.spoilNext("PutObject", { instead: answer }, 2);
      expect(await write()).toMatchObject({ kind: "written" });
      expect(server.count("PutObject")).toBe(3);
      expect(textOf(await store.get(key))).toBe("new");
    });

    it("never calls a 409 that does not end a conflict", async () => {
      server.spoilNext("PutObject", { instead: s3Error(409, "ConditionalRequestConflict") }, 99);
      await expect(write()).rejects.toMatchObject({
        ...UNAVAILABLE,
        message: expect.stringContaining("nothing was changed"),
      });
      expect(server.count("PutObject")).toBe(TRIES);
    });

    it.each<readonly [string, Spoiling]>([
      ["is lost with the connection", { reset: "after" }],
      ["is a 500", { instead: s3Error(500, "InternalError"), after: true }],
      ["is a 503 of a proxy", { instead: s3Error(503, "ServiceUnavailable"), after: true }],
      ["is a page of a proxy", { instead: PAGE, after: true }],
      ["is a bare 404 of a proxy", { instead: { status: 404, headers: {}, body: "" }, after: true }],
    ])("does not know what became of one that landed and whose answer %s", async (_case, spoiling) => {
      server.spoilNext("PutObject", spoiling);
      await expect(write()).rejects.toMatchObject({
        ...UNAVAILABLE,
        message: expect.stringContaining("may or may not have been written"),
      });
      // Sent once more, it would be refused by what it wrote itself.
      expect(server.count("PutObject")).toBe(1);
      expect(textOf(await store.get(key))).toBe("new");
    });

    it.each<readonly [string, Spoiling]>([
      ["the connection is lost", { reset: "before" }],
      ["a 500", { instead: s3Error(500, "InternalError") }],
    ])("does not send it again after %s, which looks the same", async (_case, spoiling) => {
      server.spoilNext("PutObject", spoiling);
      await expect(write()).rejects.toMatchObject(UNAVAILABLE);
      expect(server.count("PutObject")).toBe(1);
    });
  });

  it("takes a 404 for a conflict where a version must be there", async () => {
    expect(await store.putIfMatch("none", bytes("x"), "0")).toEqual({ kind: "conflict" });
    expect(server.count("PutObject")).toBe(1);
  });
});

describe("S3Store over a server that stalls", () => {
  beforeEach(() => {
    store = new S3Store(server.place(), IMPATIENT, { retry: ports });
  });

  it.each<readonly [string, Spoiling]>([
    ["never answers", { stall: "head" }],
    ["stops in the middle of the body", { stall: "body" }],
    ["closes in the middle of the body", { cut: true }],
  ])("reads again when it %s", async (_case, spoiling) => {
    server.spoilNext("GetObject", spoiling);
    expect(textOf(await store.get("a"))).toBe("0123456789");
    server.spoilNext("GetObject", spoiling);
    expect(await store.getRange("a", 5, 4)).toEqual(bytes("5678"));
    expect(server.count("GetObject")).toBe(4);
  });

  it("says how long it waited for a write that nobody answered, and that it may have happened", async () => {
    server.spoilNext("PutObject", { stall: "head" });
    await expect(store.putIfAbsent("b", bytes("x"))).rejects.toMatchObject({
      ...UNAVAILABLE,
      message: expect.stringMatching(/no answer within 1 s.*may or may not have been written/),
    });
  });

  it("closes a connection that it waits for no longer", async () => {
    server.spoilNext("PutObject", { stall: "head" });
    await expect(store.putIfAbsent("b", bytes("x"))).rejects.toMatchObject(UNAVAILABLE);
    await expect.poll(() => server.dropped).toBe(1);
  });

  it("gives a larger body more time", async () => {
    const limits: number[] = [];
    const alarm = (milliseconds: number) => {
      limits.push(milliseconds);
      return () => {};
    };
    const watched = new S3Store(server.place(), S3_SETTINGS, { retry: ports, alarm });
    await watched.putIfAbsent("large", new Uint8Array(1024 * 1024));
    await watched.get("large");
    await watched.getRange("large", 0, 512 * 1024);
    expect(limits).toEqual([34_000, 30_000, 34_000, 30_000, 32_000]);
  });
});

describe("S3Store over a server that cannot be reached", () => {
  it("tries again, and points to the endpoint", async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const place = { ...server.place(), endpoint: `http://127.0.0.1:${port}` };
    const away = new S3Store(place, S3_SETTINGS, { retry: ports });
    await expect(away.putIfAbsent("a", bytes("x"))).rejects.toMatchObject({
      ...UNAVAILABLE,
      message: expect.stringMatching(/ECONNREFUSED.*nothing was changed.*Check the endpoint/),
    });
    expect(waits).toHaveLength(TRIES - 1);
  });
});
