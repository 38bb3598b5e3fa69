import { describe, expect, it } from "vitest";
import { createContent } from "../../../indexer/store/content.ts";
import { LightedgeError } from "../../../shared/errors.ts";
import { MemoryStore } from "../../../shared/store/memory.ts";
import { bytes, textOf } from "../../contract/store-reads.ts";
import { FaultStore } from "../../helpers/fault-store.ts";

describe("createContent", () => {
  it("writes where nothing is, and says when something was there", async () => {
    const store = new MemoryStore();
    expect(await createContent(store, "blobs/a", bytes("a"))).toBe(true);
    expect(await createContent(store, "blobs/a", bytes("a"))).toBe(false);
  });

  it.each(["fail before", "fail after"] as const)(
    "writes again after a create that did %s",
    async (fault) => {
      const inner = new MemoryStore();
      const store = new FaultStore(inner, 0, fault);
      expect(await createContent(store, "blobs/a", bytes("a"))).toBe(true);
      expect(textOf(await inner.get("blobs/a"))).toBe("a");
    },
  );

  it("passes on what a second write does not mend", async () => {
    const store = new MemoryStore();
    const denied = new LightedgeError("store/denied", "no");
    store.putIfAbsent = () => Promise.reject(denied);
    await expect(createContent(store, "blobs/a", bytes("a"))).rejects.toBe(denied);
    expect(await store.head("blobs/a")).toBeNull();
  });
});
