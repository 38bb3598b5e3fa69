/** What an S3 store makes of a server, a network or a proxy that misbehaves. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { RetryPorts } from "../../../indexer/store/retry.ts";
import { S3_SETTINGS, type S3Settings, S3Store } from "../../../indexer/store/s3.ts";
import { list } from "../../contract/store.ts";
import { bytes, textOf } from "../../contract/store-reads.ts";
import { type Answer, S3Server, type Spoiling, s3Error } from "../../helpers/s3-server.ts";

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
const UNAVAILABLE = { code: "store/unavailable" };

let server: S3Server;
let store: S3Store;
let waits: number[];
const ports: RetryPorts = {
  now: () => performance.now(),
  random: () => 0,
  pause: async (ms) => {
    waits.push(ms);
  },
};

beforeAll(async () => {
  server = await S3Server.start();
});
afterAll(() => server.close());
beforeEach(async () => {
  server.calm();
  server.objects.clear();
  server.uploads.clear();
  waits = [];
  store = new S3Store(server.place(), S3_SETTINGS, { retry: ports });
  await store.put("a", bytes("0123456789"));
  server.calm();
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

describe("S3Store and what it is refused", () => {
  const denied = (say: RegExp) => ({ code: "store/denied", message: expect.stringMatching(say) });
  const each = (broken: S3Store) => [
    () => broken.get("a"),
    () => broken.getRange("a", 0, 1),
    () => broken.head("a"),
    () => broken.put("a", bytes("x")),
    () => broken.putIfAbsent("b", bytes("x")),
    () => broken.putIfMatch("a", bytes("x"), "0"),
    () => broken.delete("a"),
    () => list(broken, ""),
  ];

  it("says at once that the keys are wrong, and writes nothing", async () => {
    const credentials = { accessKeyId: "AKIATEST", secretAccessKey: "wrong" };
    const broken = new S3Store({ ...server.place(), credentials }, S3_SETTINGS, { retry: ports });
    for (const call of each(broken))
      await expect(call()).rejects.toMatchObject(denied(/403.*Check the keys/));
    expect(server.asked).toHaveLength(8);
    expect([...server.objects.keys()]).toEqual(["a"]);
  });

  it("says that there are no keys", async () => {
    // Everything that Amazon's client looks at for keys.
    for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"]) vi.stubEnv(name, "");
    for (const name of ["AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"]) vi.stubEnv(name, "/dev/null");
    vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
    onTestFinished(() => void vi.unstubAllEnvs());
    const place = { ...server.place(), credentials: undefined };
    const broken = new S3Store(place, S3_SETTINGS, { retry: ports });
    await expect(broken.get("a")).rejects.toMatchObject(denied(/No credentials.*AWS_ACCESS_KEY_ID/));
    const nowhere = new S3Store({ ...place, region: undefined }, S3_SETTINGS, { retry: ports });
    await expect(nowhere.get("a")).rejects.toMatchObject(denied(/No region.*\?region=NAME/));
    expect(server.asked).toHaveLength(0);
  });

  it("says that there is no such bucket", async () => {
    const broken = new S3Store({ ...server.place(), bucket: "another" }, S3_SETTINGS, { retry: ports });
    await expect(broken.get("a")).rejects.toMatchObject(denied(/There is no bucket another at http/));
    await expect(broken.put("a", bytes("x"))).rejects.toMatchObject(denied(/no bucket/));
    await expect(broken.putIfMatch("a", bytes("x"), "0")).rejects.toMatchObject(denied(/no bucket/));
    await expect(list(broken, "")).rejects.toMatchObject(denied(/no bucket/));
  });

  it("says which region the bucket is in, where the server tells", async () => {
    const redirect = s3Error(301, "PermanentRedirect", { "x-amz-bucket-region": "eu-9" });
    server.spoilNext("HeadObject", { instead: redirect });
    await expect(store.head("a")).rejects.toMatchObject(denied(/not in the region eu-test-1: it is in eu-9/));
    const other = new S3Store({ ...server.place(), region: "eu-2" }, S3_SETTINGS, { retry: ports });
    await expect(other.get("a")).rejects.toMatchObject(denied(/not in the region eu-2.*\?region=NAME/));
  });

  it("says that a store knows no conditional writes", async () => {
    server.spoilNext("PutObject", { instead: s3Error(501, "NotImplemented") });
    await expect(store.putIfAbsent("b", bytes("x"))).rejects.toMatchObject(denied(/conditional writes/));
  });

  it("signs by the server's clock once it has seen that its own is a day off", async () => {
    server.ahead = 24 * 3600_000;
    const fresh = new S3Store(server.place(), S3_SETTINGS, { retry: ports });
    expect(await fresh.putIfAbsent("b", bytes("x"))).toMatchObject({ kind: "written" });
    expect(server.count("PutObject")).toBe(2);
    expect((await fresh.head("b"))?.modified).toBeGreaterThan(Date.now() + 23 * 3600_000);
    expect(server.count("HeadObject")).toBe(1);
  });
});

describe("S3Store and answers that do not hold what they promise", () => {
  const shorter = (answer: Answer): Answer => ({ ...answer, body: answer.body.slice(0, -1) });

  it("refuses a range that the server cut short, and one that it ignored", async () => {
    server.spoilNext("GetObject", { change: shorter });
    await expect(store.getRange("a", 0, 10)).rejects.toMatchObject({ code: "blob/corrupt" });
    server.spoilNext("GetObject", { change: (answer) => ({ ...answer, body: `${answer.body}+` }) });
    await expect(store.getRange("a", 0, 5)).rejects.toMatchObject({ code: "blob/corrupt" });
    const whole = (answer: Answer): Answer => {
      const { "content-range": _, ...headers } = answer.headers;
      return { status: 200, headers, body: "0123456789" };
    };
    server.spoilNext("GetObject", { change: whole }, 99);
    await expect(store.getRange("a", 0, 5)).rejects.toMatchObject(UNAVAILABLE);
    const moved = (answer: Answer): Answer => ({
      ...answer,
      headers: { ...answer.headers, "content-range": "bytes 1-5/10" },
    });
    server.spoilNext("GetObject", { change: moved }, 99);
    await expect(store.getRange("a", 0, 5)).rejects.toMatchObject(UNAVAILABLE);
  });

  it.each(["etag", "last-modified"])("refuses an object without %s", async (name) => {
    const without = (answer: Answer): Answer => ({
      ...answer,
      headers: Object.fromEntries(Object.entries(answer.headers).filter(([header]) => header !== name)),
    });
    for (const operation of ["GetObject", "HeadObject"] as const) {
      server.spoilNext(operation, { change: without }, 99);
      const read = operation === "GetObject" ? store.get("a") : store.head("a");
      await expect(read).rejects.toMatchObject({ message: expect.stringContaining("is there a proxy") });
    }
  });

  it("refuses a listing that goes round in a circle", async () => {
    for (const name of ["b", "c", "d", "e", "f", "g"]) await store.put(name, bytes(name));
    const same = (answer: Answer): Answer => ({
      ...answer,
      body: String(answer.body)
        .replace(/<Contents>.*<\/Contents>/, "")
        .replace(/<KeyCount>\d+/, "<KeyCount>0")
        .replace(/<IsTruncated>.*<\/IsTruncated>/, "<IsTruncated>true</IsTruncated>")
        .replace(
          /(<NextContinuationToken>.*)?<\/ListBucketResult>/,
          "<NextContinuationToken>t</NextContinuationToken></ListBucketResult>",
        ),
    });
    server.spoil(({ operation }) => (operation === "ListObjectsV2" ? { change: same } : null));
    await expect(list(store, "")).rejects.toMatchObject({ message: expect.stringContaining("in a circle") });
    expect(server.count("ListObjectsV2")).toBe(2);
  });

  it.each<readonly [string, (body: string) => string]>([
    ["goes on without saying where", (body) => body.replace(/<NextContinuationToken>.*<\/Next\w+>/, "")],
    ["does not say whether it goes on", (body) => body.replace(/<IsTruncated>.*<\/IsTruncated>/, "")],
    ["lacks an entry that it counts", (body) => body.replace(/<Contents>.*?<\/Contents>/, "")],
    ["ends in the middle", (body) => body.slice(0, -100)],
    ["has an entry without an etag", (body) => body.replace(/<ETag>.*?<\/ETag>/, "")],
  ])("refuses a listing that %s", async (_case, spoil) => {
    for (const name of ["b", "c", "d", "e"]) await store.put(name, bytes(name));
    const change = (answer: Answer): Answer => ({ ...answer, body: spoil(String(answer.body)) });
    server.spoilNext("ListObjectsV2", { change }, 99);
    await expect(list(store, "")).rejects.toMatchObject(UNAVAILABLE);
  });

  it("refuses a listing that is out of order, as after a page that came twice", async () => {
    for (const name of ["b", "c", "d", "e"]) await store.put(name, bytes(name));
    let first: Answer | undefined;
    const again = (answer: Answer): Answer => {
      first ??= answer;
      // Another token each time, or the circle would be seen.
      const token = `<NextContinuationToken>${server.asked.length}</NextContinuationToken>`;
      return { ...first, body: String(first.body).replace(/<NextContinuationToken>.*<\/Next\w+>/, token) };
    };
    server.spoil(() => ({ change: again }));
    await expect(list(store, "")).rejects.toMatchObject({
      ...UNAVAILABLE,
      message: expect.stringContaining("has a after c"),
    });
  });

  it("is not satisfied with a write that is gone right afterwards", async () => {
    server.spoilNext("HeadObject", { instead: { status: 404, headers: {}, body: "" } });
    await expect(store.put("a", bytes("x"))).rejects.toMatchObject(UNAVAILABLE);
  });
});

describe("S3Store and an upload in parts that fails", () => {
  const LONG = bytes("0123456789".repeat(3));
  beforeEach(() => {
    const parts = { bytes: 10, atOnce: 2 };
    store = new S3Store(server.place(), { ...S3_SETTINGS, parts }, { retry: ports });
  });

  it("sends a part again, and that part alone", async () => {
    server.spoilNext("UploadPart", { reset: "after" }, 2);
    expect(await store.putIfAbsent("b", LONG)).toMatchObject({ kind: "written" });
    expect(server.count("UploadPart")).toBe(5);
    expect(server.count("CreateMultipartUpload")).toBe(1);
    expect((await store.get("b"))?.body).toEqual(LONG);
  });

  it("gives the upload up when a part cannot be sent, and nothing is seen of it", async () => {
    server.spoil(({ operation }) =>
      operation === "UploadPart" ? { instead: s3Error(500, "InternalError") } : null,
    );
    await expect(store.putIfAbsent("b", LONG)).rejects.toMatchObject(UNAVAILABLE);
    expect(server.uploads.size).toBe(0);
    expect(await store.get("b")).toBeNull();
  });

  it("gives the upload up when it is refused for good, and throws why although clearing up fails too", async () => {
    server.spoil(({ operation }) => {
      const isFirst = operation === "UploadPart" && server.count("UploadPart") === 1;
      if (isFirst) return { instead: s3Error(403, "AccessDenied") };
      return operation === "AbortMultipartUpload" ? { instead: s3Error(500, "InternalError") } : null;
    });
    const long = new Uint8Array(100);
    await expect(store.put("b", long)).rejects.toMatchObject({ code: "store/denied" });
    // Those on their way come to an end; the others of ten are not begun.
    expect(server.count("UploadPart")).toBeLessThanOrEqual(4);
    expect(server.count("AbortMultipartUpload")).toBe(1);
  });

  it("begins anew after a 409 to the completion, as S3 asks for", async () => {
    server.spoilNext("CompleteMultipartUpload", { instead: s3Error(409, "ConditionalRequestConflict") });
    expect(await store.putIfAbsent("b", LONG)).toMatchObject({ kind: "written" });
    expect(server.count("CreateMultipartUpload")).toBe(2);
    expect(server.uploads.size).toBe(0);
  });

  it("does not know what became of a conditional completion without an answer, and leaves it alone", async () => {
    server.spoilNext("CompleteMultipartUpload", { reset: "before" });
    await expect(store.putIfAbsent("b", LONG)).rejects.toMatchObject({
      message: expect.stringContaining("may or may not have been written"),
    });
    expect(server.count("CompleteMultipartUpload")).toBe(1);
    expect(server.count("AbortMultipartUpload")).toBe(0);
    server.spoilNext("CompleteMultipartUpload", { reset: "after" });
    await expect(store.putIfAbsent("b", LONG)).rejects.toMatchObject(UNAVAILABLE);
    expect((await store.get("b"))?.body).toEqual(LONG);
  });

  it("sees the error that S3 hides in a 200, and uploads again where there is no condition", async () => {
    const hidden = { ...s3Error(200, "InternalError") };
    server.spoilNext("CompleteMultipartUpload", { instead: hidden });
    expect((await store.put("b", LONG)).bytes).toBe(30);
    expect(server.count("CompleteMultipartUpload")).toBe(2);
    expect((await store.get("b"))?.body).toEqual(LONG);
  });

  it("refuses to go on without an upload's id", async () => {
    const nameless = { status: 200, headers: {}, body: "<InitiateMultipartUploadResult/>" };
    server.spoilNext("CreateMultipartUpload", { instead: nameless }, 99);
    await expect(store.putIfAbsent("b", LONG)).rejects.toMatchObject(UNAVAILABLE);
    // A part without an upload would be an object by itself.
    expect(server.count("PutObject") + server.count("UploadPart")).toBe(0);
  });
});
