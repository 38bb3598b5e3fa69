/** What an S3 store makes of answers that refuse it, and of those that do not hold what they promise. */
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { S3_SETTINGS, S3Store } from "../../../indexer/store/s3.ts";
import { list } from "../../contract/store.ts";
import { bytes } from "../../contract/store-reads.ts";
import { type Answer, s3Error } from "../../helpers/s3-server.ts";
import { freshStore, ports, server, UNAVAILABLE } from "./s3-spoilt.ts";

let store: S3Store;
beforeEach(async () => {
  store = await freshStore();
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
