import { beforeAll, describe, expect, it } from "vitest";
import { storeResponse } from "../../../indexer/store/service.ts";
import { LightedgeError } from "../../../shared/errors.ts";
import { MemoryStore } from "../../../shared/store/memory.ts";
import { bytes } from "../../contract/store-reads.ts";

describe("storeResponse", () => {
  const store = new MemoryStore();
  let etag: string;
  beforeAll(async () => {
    ({ etag } = await store.put("blobs/a", bytes("0123456789")));
  });
  const ask = (path: string, init?: RequestInit) =>
    storeResponse(store, new Request(`http://store/${path}`, init));
  const range = (value: string) => ask("blobs/a", { headers: { range: value } });

  it("answers a GET with the bytes, their etag and their length", async () => {
    const response = await ask("blobs/a");
    expect(response.status).toBe(200);
    expect(response.headers.get("etag")).toBe(`"${etag}"`);
    expect(response.headers.get("x-object-bytes")).toBe("10");
    expect(await response.text()).toBe("0123456789");
  });

  it("answers a HEAD with the facts alone", async () => {
    const response = await ask("blobs/a", { method: "HEAD" });
    expect(response.status).toBe(200);
    expect(response.headers.get("etag")).toBe(`"${etag}"`);
    expect(response.headers.get("x-object-bytes")).toBe("10");
    expect(await response.text()).toBe("");
  });

  it("answers a range with exactly its bytes, both ends included", async () => {
    const response = await range("bytes=2-4");
    expect(response.status).toBe(206);
    expect(response.headers.get("content-range")).toBe("bytes 2-4/*");
    expect(await response.text()).toBe("234");
  });

  it("answers 404 for what is not there", async () => {
    expect((await ask("none")).status).toBe(404);
    expect((await ask("none", { method: "HEAD" })).status).toBe(404);
    expect((await ask("none", { headers: { range: "bytes=0-1" } })).status).toBe(404);
  });

  it.each([
    "bytes=0-10",
    "bytes=10-10",
    "bytes=4-2",
    "bytes=5-",
    "bytes=-5",
    "bytes=0-1,3-4",
    "lines=0-1",
    "bytes=9999999999999999-9999999999999999",
  ])("answers 416 for the range %s", async (value) => {
    expect((await range(value)).status).toBe(416);
  });

  it.each(["", "a//b", "a%2fb", "A", "a/", "%00", "a%20b", "caf%C3%A9"])(
    "answers 400 for the path %j",
    async (path) => {
      expect((await ask(path)).status).toBe(400);
    },
  );

  it.each(["PUT", "POST", "DELETE", "OPTIONS"])("answers 405 for %s", async (method) => {
    const response = await ask("blobs/a", { method });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("GET, HEAD");
    expect((await store.get("blobs/a"))?.bytes).toBe(10);
  });

  it("answers 503 for a store that is down and 500 for a defect, without its text", async () => {
    const down = new MemoryStore();
    down.get = () => Promise.reject(new LightedgeError("store/unavailable", "down"));
    down.head = () => Promise.reject(new TypeError("inner detail"));
    const request = (method: string) => storeResponse(down, new Request("http://store/a", { method }));
    expect((await request("GET")).status).toBe(503);
    const defect = await request("HEAD");
    expect(defect.status).toBe(500);
    expect(await defect.text()).not.toContain("inner detail");
  });
});
