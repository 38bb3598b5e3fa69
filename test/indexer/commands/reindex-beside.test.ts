import { afterAll, describe, expect, it } from "vitest";
import { type IndexResult, summaryOf } from "../../../indexer/commands/reindex.ts";
import { busyError, outcomeFacts, outcomeSentences } from "../../../indexer/commands/runner.ts";
import { acquireLease, leaseKey } from "../../../indexer/store/lease.ts";
import { LightedgeError } from "../../../shared/errors.ts";
import { MemoryStore } from "../../../shared/store/memory.ts";
import { configOf, removeFolder, run, summary, versionOf } from "../../helpers/reindexing.ts";
import { tinyEncoder } from "../../helpers/tiny-encoder.ts";
import { VirtualTime } from "../../helpers/virtual-time.ts";

afterAll(removeFolder);

describe("an index that another run is at work on", () => {
  it("is left to it, and the next one is run; no model is loaded where all are", async () => {
    const store = new MemoryStore();
    const beating = {
      randomBytes: () => new Uint8Array(16),
      host: "other",
      process: 7,
      isRunning: () => true,
    };
    let beat = 0;
    // Time passes with every pause of ours: the other run beats once in it.
    const other = async () => {
      beat++;
      const record = {
        format: 1,
        holder: "f".repeat(32),
        beat,
        host: "other",
        process: 7,
        started: "",
        released: false,
      };
      await store.put(leaseKey("one"), new TextEncoder().encode(JSON.stringify(record)));
    };
    await other();
    const lease = { ...beating, host: "here", pause: other, now: () => new Date(0) };
    const both = await configOf({ one: "a.jsonl", two: "b.jsonl" });
    // Beats of our own would be pauses too, and without end: only the index that is busy is run.
    const { results, opened } = await run(
      { ...both, indexes: both.indexes.slice(0, 1) },
      store,
      { lock: 60_000 },
      { lease },
    );
    expect(results).toEqual([
      {
        kind: "done",
        index: "one",
        outcome: { kind: "busy", holder: expect.objectContaining({ host: "other", process: 7 }) },
      },
    ]);
    expect(opened).toBe(0);
    expect(await versionOf(store, "one")).toBe(0);
    expect(summary((await run(both, store, { lock: null })).results)).toEqual([
      "one: published",
      "two: published",
    ]);
  });

  it("is held while it is run, and given back afterwards, also where it fails", async () => {
    const store = new MemoryStore();
    const config = await configOf({ one: "a.jsonl" });
    const seen: boolean[] = [];
    const lookingAt = async () => {
      const { body } = (await store.get(leaseKey("one")))!;
      seen.push(JSON.parse(new TextDecoder().decode(body)).released);
    };
    const looking = {
      openEncoder: async () => {
        await lookingAt();
        return tinyEncoder();
      },
    };
    await run(config, store, { lock: 60_000 }, looking);
    await lookingAt();
    await expect(
      run(config, store, { lock: 60_000 }, { openEncoder: () => Promise.reject(new Error("no model")) }),
    ).rejects.toThrow("no model");
    await lookingAt();
    expect(seen).toEqual([false, true, true]);
    const next = await acquireLease(store, "one", { warn: () => {} });
    expect(next.kind).toBe("held");
    if (next.kind === "held") await next.lease.release();
  });
});

describe("two runs that cron has started at once", () => {
  it("are one run: the other leaves every index to it, and fails of nothing", async () => {
    const time = new VirtualTime();
    const memory = new MemoryStore();
    const config = await configOf({ one: "a.jsonl" });
    const machine = (host: string) => ({
      lease: {
        randomBytes: (length: number) => new Uint8Array(length).fill(host.length),
        pause: time.pause,
        now: () => new Date(0),
        host,
        process: 1,
        isRunning: () => true,
      },
    });
    const runs = await time.run(
      Promise.all(
        ["first", "second-machine"].map((host) =>
          run(config, time.watched(memory), { lock: 60_000 }, machine(host)),
        ),
      ),
    );
    const ends = runs.flatMap(({ results }) => summary(results)).sort();
    expect(ends).toEqual(["one: busy", "one: published"]);
    expect(await versionOf(memory, "one")).toBe(1);
  });

  it("publish one version between them where they ask for no lease", async () => {
    const memory = new MemoryStore();
    const configs = [await configOf({ one: "a.jsonl" }), await configOf({ one: "a.jsonl" })];
    const runs = await Promise.all(configs.map((config, days) => run(config, memory, { lock: null, days })));
    const ends = runs.flatMap(({ results }) => summary(results)).sort();
    expect(ends[0]).toBe("one: published");
    expect(["one: store/conflict", "one: up to date"]).toContain(ends[1]);
    expect(await versionOf(memory, "one")).toBe(1);
  });
});

describe("what is said of a run", () => {
  const holder = {
    format: 1,
    holder: "f".repeat(32),
    beat: 3,
    host: "alpha",
    process: 7,
    started: "2026-01-31T03:17:00.000Z",
    released: false,
  } as const;
  const plan = { kind: "all", reason: "", added: 1, changed: 0, removed: 0, unchanged: 0, drift: 0 } as const;
  const report = { plan, own: 10, encoded: 6, copied: 3, packs: 1, bytes: 9000 };

  it("that left an index to another names the other, and is an error for a run by hand", () => {
    const outcome = { kind: "busy", holder } as const;
    expect(outcomeSentences("docs", outcome)).toBe(
      "Another run is at work on docs: process 7 on alpha, since 2026-01-31T03:17:00.000Z by its clock. docs was left to it.",
    );
    expect(outcomeFacts("docs", outcome)).toEqual({ index: "docs", skipped: "locked", holder });
    const error = busyError("docs", holder);
    expect(error.code).toBe("store/conflict");
    expect(error.message).toContain("process 7 on alpha");
    expect(error.message).toContain("--no-lock");
  });

  it("that did a part adds up to the texts of the part", () => {
    const outcome = { kind: "part", part: { number: 3, of: 8 }, report } as const;
    expect(outcomeSentences("docs", outcome)).toBe(
      [
        "Part 3 of 8 of docs is in the store; nothing was published.",
        "10 texts: 6 encoded, 3 from the local cache, 1 in the store already; 9000 bytes written, in packs: 1.",
      ].join("\n"),
    );
    expect(outcomeFacts("docs", outcome)).toEqual({ index: "docs", part: "3/8", ...report });
  });

  it("of several indexes ends with how many ended how", () => {
    const results: readonly IndexResult[] = [
      { kind: "done", index: "one", outcome: { kind: "busy", holder: null } },
      { kind: "done", index: "two", outcome: { kind: "part", part: { number: 1, of: 1 }, report } },
      { kind: "failed", index: "three", error: new LightedgeError("source/invalid", "No documents.") },
      { kind: "failed", index: "four", error: new LightedgeError("store/conflict", "Too late.") },
    ];
    const lines = summaryOf(results).split("\n");
    expect(lines[0]).toBe("Another run is at work on one. one was left to it.");
    expect(lines.slice(-3)).toEqual([
      "three failed: No documents.",
      "four failed: Too late.",
      "1 encoded in part, 1 left to another run, 2 failed.",
    ]);
  });
});
