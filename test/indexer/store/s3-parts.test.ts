/** What an S3 store makes of uploads in parts that fail. */
import { beforeEach, describe, expect, it } from "vitest";
import { S3_SETTINGS, S3Store } from "../../../indexer/store/s3.ts";
import { bytes } from "../../contract/store-reads.ts";
import { s3Error } from "../../helpers/s3-server.ts";
import { freshStore, ports, server, UNAVAILABLE } from "./s3-spoilt.ts";

let store: S3Store;
beforeEach(async () => {
  store = await freshStore();
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
