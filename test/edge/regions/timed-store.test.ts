import { describe, expect, test } from "vitest";
import { TimedStore, timedInbox } from "../../../edge/regions/timed-store.ts";
import { inboxPrefix } from "../../../shared/format/names.ts";
import { MIB } from "../../../shared/limits.ts";
import { MemoryStore } from "../../../shared/store/memory.ts";
import { FaultStore } from "../../helpers/fault-store.ts";
import { VirtualTime } from "../../helpers/virtual-time.ts";

const POINTER = "indexes/docs/current.json";
const BLOB = `blobs/${"0".repeat(64)}`;

/** A store that gives each read after this many ms, or never. */
async function setUp(delayMs: number | null) {
  const time = new VirtualTime();
  const inner = new MemoryStore();
  for (const key of [POINTER, BLOB]) await inner.put(key, new Uint8Array(2 * MIB));
  const stalled = new FaultStore(inner, () => ({ fault: "stall" }));
  const slow = delayMs === null ? stalled : time.watched(inner, () => delayMs);
  return { time, store: new TimedStore(slow, { limitMs: 1000, pause: time.pause }) };
}

describe("a read", () => {
  test("that ends in time is what it is", async () => {
    const { time, store } = await setUp(1000 - 1);
    expect((await time.run(store.get(POINTER)))?.body.length).toBe(2 * MIB);
    expect((await time.run(store.head(POINTER)))?.bytes).toBe(2 * MIB);
    expect((await time.run(store.getRange(POINTER, 5, 7)))?.length).toBe(7);
    expect(await time.run(store.get("indexes/none/current.json"))).toBeNull();
  });

  test.each([
    ["get", POINTER, 1000],
    ["head", BLOB, 1000],
    // A whole blob, and a range, may take longer the more they bring.
    ["get", BLOB, 3000],
    ["getRange", BLOB, 2000],
  ] as const)("of %s %s that never ends is store/unavailable after %d ms", async (method, key, after) => {
    const { time, store } = await setUp(null);
    const read: Promise<unknown> =
      method === "getRange" ? store.getRange(key, 0, 2 * MIB) : store[method](key);
    await expect(time.run(read)).rejects.toMatchObject({ code: "store/unavailable", details: { blob: key } });
    expect(time.now).toBe(after);
  });
});

test("a listing of an inbox that never ends fails too, while a write is waited for", async () => {
  const time = new VirtualTime();
  const never = new Promise<never>(() => undefined);
  const late = time.pause(5000).then(() => "written" as const);
  const inbox = timedInbox({ list: () => never, put: () => late }, { limitMs: 1000, pause: time.pause });
  await expect(time.run(inbox.list("docs", null))).rejects.toMatchObject({
    ...{ code: "store/unavailable", details: { blob: inboxPrefix("docs") } },
  });
  const write = "1769947200000-0000000000000001" as Parameters<typeof inbox.put>[1];
  expect(await time.run(inbox.put("docs", write, new Uint8Array(1)))).toBe("written");
  expect(time.now).toBe(5000);
});
