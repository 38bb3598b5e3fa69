/** The fault store itself: what lands, what is answered, and that a seed repeats it. */
import { beforeEach, describe, expect, it } from "vitest";
import { Random } from "../../indexer/random.ts";
import { MemoryStore } from "../../shared/store/memory.ts";
import type { WriteStore } from "../../shared/store/store.ts";
import { list } from "../contract/store.ts";
import { bytes, textOf } from "../contract/store-reads.ts";
import { breakAll, breakAt, breakByChance, type Fault } from "../helpers/fault-plan.ts";
import { type FaultPorts, FaultStore } from "../helpers/fault-store.ts";

let inner: MemoryStore;
beforeEach(async () => {
  inner = new MemoryStore();
  await inner.put("a", bytes("old"));
});

/** A client whose first operation breaks. */
function broken(fault: Fault, amount?: number, ports: Partial<FaultPorts> = {}): FaultStore {
  return new FaultStore(inner, breakAt(0, fault, amount), ports);
}

const UNAVAILABLE = { code: "store/unavailable" };

describe("a write that breaks", () => {
  it.each([
    ["fail before", "old"],
    ["fail after", "new"],
    ["stall", "old"],
    ["crash", "old"],
    ["crash after", "new"],
  ] as const)("by %s fails and leaves %s", async (fault, left) => {
    await expect(broken(fault, 503).put("a", bytes("new"))).rejects.toMatchObject(UNAVAILABLE);
    expect(textOf(await inner.get("a"))).toBe(left);
  });

  it("by late fails at once and lands when its time has come", async () => {
    const late: (() => Promise<unknown>)[] = [];
    const client = broken("late", 500, {
      later: (milliseconds, work) => {
        expect(milliseconds).toBe(500);
        late.push(work);
      },
    });
    await expect(client.put("a", bytes("new"))).rejects.toMatchObject(UNAVAILABLE);
    expect(textOf(await inner.get("a"))).toBe("old");
    for (const land of late) await land();
    expect(textOf(await inner.get("a"))).toBe("new");
  });

  it("by conflict writes nothing, by conflict after writes and is refused", async () => {
    const { etag } = (await inner.head("a"))!;
    expect(await broken("conflict").putIfMatch("a", bytes("new"), etag)).toEqual({ kind: "conflict" });
    expect(textOf(await inner.get("a"))).toBe("old");
    expect(await broken("conflict after").putIfMatch("a", bytes("new"), etag)).toEqual({ kind: "conflict" });
    expect(textOf(await inner.get("a"))).toBe("new");
  });

  it("by delay answers as it would have, later", async () => {
    const waits: number[] = [];
    const client = broken("delay", 40, { pause: async (milliseconds) => void waits.push(milliseconds) });
    expect(await client.putIfAbsent("b", bytes("x"))).toMatchObject({ kind: "written" });
    expect(waits).toEqual([40]);
  });
});

describe("a read that breaks", () => {
  it("by missing, short, long or flip gives what did not happen", async () => {
    expect(await broken("missing").get("a")).toBeNull();
    expect(await broken("missing").head("a")).toBeNull();
    expect(textOf(await broken("short", 2).get("a"))).toBe("o");
    expect((await broken("long", 2).get("a"))?.bytes).toBe(5);
    expect(textOf(await broken("flip", 0).get("a"))).toBe("nld");
    expect(await broken("short").getRange("a", 0, 3)).toEqual(bytes("ol"));
  });

  it("by stale gives what this client saw before", async () => {
    const client = new FaultStore(inner, breakAt(1, "stale"));
    await client.get("a");
    await inner.put("a", bytes("new"));
    expect(textOf(await client.get("a"))).toBe("old");
    expect(textOf(await client.get("a"))).toBe("new");
  });

  it("by cut lists the first keys only", async () => {
    for (const key of ["b", "c"]) await inner.put(key, bytes("x"));
    expect((await list(broken("cut", 2), "")).map(({ key }) => key)).toEqual(["a", "b"]);
  });
});

describe("a crash", () => {
  it("ends everything that its client does later, and nobody else", async () => {
    const client = new FaultStore(inner, breakAt(1, "crash"));
    await client.put("b", bytes("x"));
    await expect(client.put("c", bytes("x"))).rejects.toMatchObject(UNAVAILABLE);
    await expect(client.get("a")).rejects.toMatchObject(UNAVAILABLE);
    expect((await list(inner, "")).map(({ key }) => key)).toEqual(["a", "b"]);
  });
});

describe("a plan", () => {
  it("strikes where it was told to, and keeps a record", async () => {
    const plan = breakAll(
      new Map([
        [0, { fault: "fail after" }],
        [2, { fault: "cut" }],
      ]),
    );
    const client = new FaultStore(inner, plan);
    await expect(client.delete("a")).rejects.toMatchObject(UNAVAILABLE);
    await client.head("a");
    // A put cannot be cut short: the operation is left whole.
    await client.put("a", bytes("x"));
    expect(client.log).toEqual(["delete a", "head a", "put a"]);
    expect(client.struck).toEqual(["0 delete a: fail after"]);
  });

  it("made from a seed strikes alike each time", async () => {
    const run = async (seed: number) => {
      const chances = [
        { fault: "fail before", chance: 0.2, below: 600 },
        { fault: "missing", chance: 0.2 },
      ] as const;
      const client = new FaultStore(inner, breakByChance(new Random(seed), chances));
      for (let n = 0; n < 60; n++) await attempt(client);
      return client.struck;
    };
    const struck = await run(1);
    expect(struck.length).toBeGreaterThan(10);
    expect(struck.length).toBeLessThan(40);
    expect(await run(1)).toEqual(struck);
    expect(await run(2)).not.toEqual(struck);
  });
});

async function attempt(client: WriteStore): Promise<void> {
  await client.get("a").catch(() => undefined);
}
