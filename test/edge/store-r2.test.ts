import { describe, expect, it } from "vitest";
import { R2WriteStore } from "../../edge/store-r2-write.ts";
import { describeStore } from "../contract/store.ts";
import { bytes, textOf } from "../contract/store-reads.ts";
import { r2Bucket } from "../helpers/r2-bucket.ts";

const bucket = r2Bucket();

describeStore("R2WriteStore", async () => new R2WriteStore(await bucket(), 0));

describe("R2WriteStore over a bucket that fails", () => {
  /** The bucket with its first `failures` calls of one method failing as R2 does. */
  async function flaky(method: string, failures: number): Promise<R2WriteStore> {
    const real = await bucket();
    let left = failures;
    const proxy = new Proxy(real, {
      get(target, name) {
        if (name === method && left > 0) {
          left -= 1;
          return () => Promise.reject(new Error("We encountered an internal error. (10001)"));
        }
        const value: unknown = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    return new R2WriteStore(proxy, 0);
  }

  it("reads once more after a failure", async () => {
    const store = await flaky("get", 1);
    await store.put("flaky/a", bytes("text"));
    expect(textOf(await store.get("flaky/a"))).toBe("text");
    expect(await (await flaky("get", 1)).getRange("flaky/a", 1, 2)).toEqual(bytes("ex"));
    expect((await (await flaky("head", 1)).head("flaky/a"))?.bytes).toBe(4);
  });

  it("gives up after the second failure and names the key", async () => {
    const unavailable = { code: "store/unavailable", details: { blob: "flaky/a" } };
    await expect((await flaky("get", 2)).get("flaky/a")).rejects.toMatchObject(unavailable);
    await expect((await flaky("get", 2)).getRange("flaky/a", 0, 2)).rejects.toMatchObject(unavailable);
    await expect((await flaky("head", 2)).head("flaky/a")).rejects.toMatchObject(unavailable);
  });

  it("does not repeat a write, which may have happened", async () => {
    const store = await flaky("put", 1);
    await expect(store.putIfAbsent("flaky/b", bytes("x"))).rejects.toMatchObject({
      code: "store/unavailable",
    });
    expect(await store.get("flaky/b")).toBeNull();
  });

  it("leaves out keys of others who share the bucket", async () => {
    const shared = await bucket();
    await shared.put("Shared/Their file.txt", "x");
    await shared.put("flaky/Upper", "x");
    const store = new R2WriteStore(shared, 0);
    await store.put("flaky/a", bytes("x"));
    const keys: string[] = [];
    for await (const { key } of store.list("flaky/")) keys.push(key);
    expect(keys).toEqual(["flaky/a"]);
  });
});
