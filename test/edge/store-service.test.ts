import { describe, expect, it } from "vitest";
import { type ObjectService, ServiceStore } from "../../edge/store-service.ts";
import { storeResponse } from "../../indexer/store/service.ts";
import { MemoryStore } from "../../shared/store/memory.ts";
import { bytes, describeReads, textOf } from "../contract/store-reads.ts";

function serviceOver(store: MemoryStore): ObjectService {
  return { fetch: (url, init) => storeResponse(store, new Request(url, init)) };
}

describeReads("ServiceStore", async () => {
  const fill = new MemoryStore();
  return { fill, store: new ServiceStore(serviceOver(fill), 0) };
});

describe("ServiceStore over a service that fails", () => {
  /** A service that gives these answers in turn, the last one for ever. */
  function scripted(...answers: (() => Response)[]): { store: ServiceStore; calls: () => number } {
    let calls = 0;
    const fetch = async () => {
      calls += 1;
      return answers[Math.min(calls, answers.length) - 1]!();
    };
    return { store: new ServiceStore({ fetch }, 0), calls: () => calls };
  }
  const whole = (text: string, length = text.length) =>
    new Response(text, {
      headers: { etag: '"e"', "x-object-bytes": String(length), "x-object-modified": "1" },
    });
  const down = () => new Response("down", { status: 503 });

  it("reads once more after a failure", async () => {
    const { store, calls } = scripted(down, () => whole("text"));
    expect(textOf(await store.get("a"))).toBe("text");
    expect(calls()).toBe(2);
  });

  it("gives up after the second failure and names the key", async () => {
    const { store, calls } = scripted(down);
    await expect(store.get("a/b")).rejects.toMatchObject({
      code: "store/unavailable",
      details: { blob: "a/b" },
    });
    expect(calls()).toBe(2);
  });

  it("reads once more when a body was cut, and reports it when it stays so", async () => {
    const once = scripted(
      () => whole("te", 4),
      () => whole("text"),
    );
    expect(textOf(await once.store.get("a"))).toBe("text");
    const always = scripted(() => whole("te", 4));
    await expect(always.store.get("a")).rejects.toMatchObject({ code: "blob/corrupt" });
  });

  it.each([0, 1, 3, 5])("refuses a part of 4 bytes that comes with %d", async (length) => {
    const { store } = scripted(() => new Response("x".repeat(length), { status: 206 }));
    await expect(store.getRange("a", 0, 4)).rejects.toMatchObject({ code: "blob/corrupt" });
  });

  it("refuses a whole object where a part was asked for", async () => {
    const { store } = scripted(() => whole("text"));
    await expect(store.getRange("a", 0, 4)).rejects.toMatchObject({ code: "store/unavailable" });
  });

  it("refuses an answer without an etag, a length or a time", async () => {
    const { store } = scripted(() => new Response("text"));
    await expect(store.get("a")).rejects.toMatchObject({ code: "store/unavailable" });
    await expect(store.head("a")).rejects.toMatchObject({ code: "store/unavailable" });
  });

  it("asks for nothing when the key is refused", async () => {
    const { store, calls } = scripted(() => whole("text"));
    await expect(store.get("../a")).rejects.toMatchObject({ code: "store/invalid-key" });
    expect(calls()).toBe(0);
  });

  it("carries every byte value unchanged", async () => {
    const memory = new MemoryStore();
    const all = Uint8Array.from({ length: 256 }, (_, value) => value);
    await memory.put("all", all);
    await memory.put("text", bytes("x"));
    expect((await new ServiceStore(serviceOver(memory)).get("all"))?.body).toEqual(all);
  });
});
