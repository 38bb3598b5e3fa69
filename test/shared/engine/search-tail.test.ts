/** Search over a table of which next to nothing is kept: every answer is that of the whole table, to the bit. */
import { beforeAll, describe, expect, it } from "vitest";
import type { OpenIndex } from "../../../shared/engine/api.ts";
import { LightedgeError } from "../../../shared/errors.ts";
import { blobsOf } from "../../../shared/format/manifest.ts";
import { MIB } from "../../../shared/limits.ts";
import type { MemoryStore } from "../../../shared/store/memory.ts";
import { MODES } from "../../../shared/types.ts";
import { buildTiny, openTiny, requestFor } from "../../helpers/tiny-build.ts";
import { sourceOf, tinyDocuments } from "../../helpers/tiny-corpus.ts";
import { TOPICS } from "../../helpers/tiny-encoder.ts";
import { entryOf } from "../../helpers/writes.ts";
import { TINY } from "../../sim/tiny.ts";

let store: MemoryStore;
let whole: OpenIndex;
let ranged: OpenIndex;
beforeAll(async () => {
  ({ store } = await buildTiny({ source: sourceOf(tinyDocuments(90)) }));
  whole = await openTiny(store, "wasm");
  ranged = await openTiny(store, "wasm", { tableBytes: 1 });
});

const QUERIES = TOPICS.flatMap((words) => [
  words.slice(0, 4).join(" "),
  `the ${words[5]} of a ${words[1]} and the ${words[1]}`,
]);
const writes = [
  {
    entry: entryOf(0, "new", { title: "New harbour", text: "A sailor sang of the comet." }, TINY),
    bytes: 100,
  },
  { entry: entryOf(1, "a/b", { text: "Butter and honey, bread and cheese." }, TINY), bytes: 100 },
];
const without = ({ ...answer }: object) => ({ ...answer, took_ms: 0 });

describe("a search whose rows are read when they are wanted", () => {
  it("answers as with all of them in memory, explanations and all, one after the other and at once", async () => {
    const requests = QUERIES.flatMap((q) => MODES.map((mode) => requestFor(q, { mode, explain: true })));
    const expected = await Promise.all(requests.map((request) => whole.search(request)));
    const found = await Promise.all(requests.map((request) => ranged.search(request)));
    expect(found.map(without)).toEqual(expected.map(without));
    for (const [at, request] of requests.entries())
      expect(without(await ranged.search(request))).toEqual(without(expected[at]!));
  });

  it("ranks what was written as with all of them, once that was prepared", async () => {
    const fresh = await openTiny(store, "wasm", { tableBytes: 1 });
    await fresh.prepare(writes);
    const plain = await openTiny(store, "wasm");
    const [laid, expected] = [fresh, plain].map((index) => index.withWrites(writes, 16 * MIB));
    expect(laid!.left).toBe(0);
    expect(laid!.waitingBytes).toBe(expected!.waitingBytes);
    for (const q of ["sailor comet", "honey bread"]) {
      const request = requestFor(q, { explain: true });
      expect(without(await laid!.search(request))).toEqual(without(await expected!.search(request)));
    }
  });

  it("leaves out what was written and not prepared, and says so, rather than rank it by half of its words", async () => {
    const fresh = await openTiny(store, "wasm", { tableBytes: 1 });
    const laid = fresh.withWrites(writes, 16 * MIB);
    expect(laid.left).toBe(2);
    expect((await laid.search(requestFor("sailor comet"))).warnings?.[0]).toContain("2 documents");
    // There is room: that they wait for being prepared is no reason to refuse them.
    expect(fresh.leavesOut(writes, 16 * MIB)).toBe(0);
  });

  it("fails with the store, and is whole again with it", async () => {
    const { key } = blobsOf(whole.manifest, "table")[0]!;
    let down = false;
    const failing = new Proxy(store, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (name !== "getRange" || typeof value !== "function")
          return value instanceof Function ? value.bind(target) : value;
        return async (...args: readonly unknown[]) => {
          if (down && args[0] === key) throw new LightedgeError("store/unavailable", "down");
          return value.apply(target, args);
        };
      },
    });
    const index = await openTiny(failing, "wasm", { tableBytes: 1 });
    const request = requestFor(QUERIES[0]!, { explain: true });
    down = true;
    await expect(index.search(request)).rejects.toMatchObject({ code: "store/unavailable" });
    await expect(index.prepare(writes)).rejects.toMatchObject({ code: "store/unavailable" });
    down = false;
    expect(without(await index.search(request))).toEqual(without(await whole.search(request)));
  });
});

describe("a write that is laid while rows are read", () => {
  it("is not searched in the memory of what was laid before", async () => {
    const gate = Promise.withResolvers<void>();
    let held = false;
    const slow = new Proxy(store, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        return async (...args: readonly unknown[]) => {
          if (held && name === "getRange") await gate.promise;
          return value.apply(target, args);
        };
      },
    });
    const index = await openTiny(slow, "wasm", { tableBytes: 1 });
    const plain = await openTiny(store, "wasm");
    await index.prepare(writes);
    const before = index.withWrites(writes.slice(0, 1), 16 * MIB);
    held = true;
    // Words that no write has, so their rows are still to be read.
    const request = requestFor("violin concert siege comet", { explain: true });
    const pending = before.search(request);
    index.withWrites(writes, 16 * MIB);
    gate.resolve();
    expect(without(await pending)).toEqual(without(await plain.withWrites(writes, 16 * MIB).search(request)));
  });
});
