import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { S3_SETTINGS, S3Store } from "../../../indexer/store/s3.ts";
import { describeStore, list } from "../../contract/store.ts";
import { bytes, textOf } from "../../contract/store-reads.ts";
import { S3Server } from "../../helpers/s3-server.ts";

let server: S3Server;
beforeAll(async () => {
  server = await S3Server.start();
});
afterAll(() => server.close());

const TEN_BYTES = { ...S3_SETTINGS, parts: { bytes: 10, atOnce: 2 } };

describeStore("S3Store", async () => new S3Store(server.place()));
describeStore("S3Store below a prefix, in parts", async () => {
  // Smaller than a real store takes them, so that the suite's bodies have some.
  const parts = { bytes: 4096, atOnce: 4 };
  return new S3Store(server.place("a/b/"), { ...S3_SETTINGS, parts });
});

describe("S3Store", () => {
  let store: S3Store;
  beforeEach(() => {
    server.calm();
    server.objects.clear();
    server.uploads.clear();
    store = new S3Store(server.place());
  });

  it("sends nothing before it is used, and one request for a read or a conditional write", async () => {
    expect(server.asked).toHaveLength(0);
    await store.putIfAbsent("a", bytes("x"));
    await store.get("a");
    await store.head("a");
    await store.getRange("a", 0, 1);
    await store.delete("a");
    expect(server.asked.map(({ operation }) => operation)).toEqual([
      "PutObject",
      "GetObject",
      "HeadObject",
      "GetObject",
      "DeleteObject",
    ]);
  });

  it("asks for the time of a write that has no condition, which no answer to it holds", async () => {
    await store.put("a", bytes("x"));
    expect(server.asked.map(({ operation }) => operation)).toEqual(["PutObject", "HeadObject"]);
  });

  it("keeps its keys below the prefix, and sees no others", async () => {
    const below = new S3Store(server.place("in/side/"));
    await below.put("a", bytes("mine"));
    await store.put("a", bytes("theirs"));
    await store.put("in/sidecar", bytes("theirs"));
    expect([...server.objects.keys()].sort()).toEqual(["a", "in/side/a", "in/sidecar"]);
    expect((await list(below, "")).map(({ key }) => key)).toEqual(["a"]);
    expect(textOf(await below.get("a"))).toBe("mine");
    await below.delete("a");
    expect(textOf(await store.get("a"))).toBe("theirs");
  });

  it("lists pages until there are no more, and leaves out keys of others who share the bucket", async () => {
    for (const name of ["a", "b", "c", "d", "e", "f", "g"]) await store.put(`p/${name}`, bytes(name));
    const theirs = server.objects.get("p/a")!;
    for (const key of ["p/Upper", "p/with space & <tag>", "p/control\u0001", "p/%zz", "p/", "p/é"]) {
      server.objects.set(key, theirs);
    }
    server.calm();
    expect((await list(store, "p/")).map(({ key }) => key)).toEqual(
      ["a", "b", "c", "d", "e", "f", "g"].map((name) => `p/${name}`),
    );
    expect(server.count("ListObjectsV2")).toBe(Math.ceil(13 / server.pageSize));
  });

  it("stops asking for pages when whoever reads them stops", async () => {
    for (const name of ["a", "b", "c", "d", "e", "f"]) await store.put(name, bytes(name));
    server.calm();
    for await (const { key } of store.list("")) if (key === "b") break;
    expect(server.count("ListObjectsV2")).toBe(1);
  });

  it("knows objects by their etags without quotes, whatever the etag is made of", async () => {
    const inParts = new S3Store(server.place(), TEN_BYTES);
    const { etag } = await inParts.put("a", bytes("longer than one part"));
    expect(etag).toMatch(/^[0-9a-f]{32}-2$/);
    expect(await inParts.putIfMatch("a", bytes("another that is longer"), etag)).toMatchObject({
      kind: "written",
    });
  });

  it("takes no list of etags, which would match versions that nobody has seen", async () => {
    const { etag } = await store.put("a", bytes("first"));
    expect(await store.putIfMatch("a", bytes("x"), `0", "${etag}`)).toEqual({ kind: "conflict" });
    expect(server.asked.map(({ operation }) => operation)).toEqual(["PutObject", "HeadObject"]);
    expect(textOf(await store.get("a"))).toBe("first");
  });

  it("signs every request with the digest of its body", async () => {
    await store.put("a", bytes("x"));
    const wrong = { accessKeyId: "AKIATEST", secretAccessKey: "another" };
    const other = new S3Store({ ...server.place(), credentials: wrong });
    await expect(other.put("b", bytes("x"))).rejects.toMatchObject({ code: "store/denied" });
    expect(server.objects.has("b")).toBe(false);
  });
});

describe("S3Store with bodies larger than a part", () => {
  let store: S3Store;
  beforeEach(() => {
    server.calm();
    server.objects.clear();
    server.uploads.clear();
    store = new S3Store(server.place(), TEN_BYTES);
  });

  it("sends a body of just one part whole, and one byte more in two", async () => {
    await store.putIfAbsent("whole", bytes("0123456789"));
    expect(server.asked.map(({ operation }) => operation)).toEqual(["PutObject"]);
    server.calm();
    await store.putIfAbsent("parts", bytes("0123456789+"));
    expect(server.count("UploadPart")).toBe(2);
    expect(server.count("PutObject")).toBe(0);
    expect(textOf(await store.get("parts"))).toBe("0123456789+");
  });

  it("puts the parts together in order, however many are on their way at once", async () => {
    const text = Array.from({ length: 40 }, (_, n) => `part ${String(n).padStart(4)},`).join("");
    await store.put("a", bytes(text));
    expect(server.count("UploadPart")).toBe(40);
    expect(textOf(await store.get("a"))).toBe(text);
    expect(server.uploads.size).toBe(0);
  });

  it("gives up an upload whose condition does not hold, and frees its parts", async () => {
    await store.put("a", bytes("short"));
    expect(await store.putIfAbsent("a", bytes("longer than a part"))).toEqual({ kind: "conflict" });
    expect(await store.putIfMatch("a", bytes("longer than a part"), "0")).toEqual({ kind: "conflict" });
    expect(await store.putIfMatch("none", bytes("longer than a part"), "0")).toEqual({ kind: "conflict" });
    expect(textOf(await store.get("a"))).toBe("short");
    expect(server.uploads.size).toBe(0);
    expect(server.count("AbortMultipartUpload")).toBe(3);
  });
});
