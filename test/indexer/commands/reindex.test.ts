import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { checkIndex } from "../../../indexer/check.ts";
import { chosenIndexes, type IndexResult, reindex, summaryOf } from "../../../indexer/commands/reindex.ts";
import {
  busyError,
  outcomeFacts,
  outcomeSentences,
  type RunnerOptions,
  type RunnerPorts,
} from "../../../indexer/commands/runner.ts";
import { type Config, loadConfig } from "../../../indexer/config/config.ts";
import { SILENT } from "../../../indexer/progress.ts";
import type { SourceDocument } from "../../../indexer/sources/source.ts";
import { acquireLease, leaseKey } from "../../../indexer/store/lease.ts";
import { readPointer } from "../../../indexer/store/publish.ts";
import { S3Store } from "../../../indexer/store/s3.ts";
import { LightedgeError } from "../../../shared/errors.ts";
import { parseRunMark, runMarkKey } from "../../../shared/format/run-mark.ts";
import { MemoryStore } from "../../../shared/store/memory.ts";
import type { WriteStore } from "../../../shared/store/store.ts";
import { FaultStore } from "../../helpers/fault-store.ts";
import { S3Server } from "../../helpers/s3-server.ts";
import { tinyDocuments } from "../../helpers/tiny-corpus.ts";
import { tinyEncoder } from "../../helpers/tiny-encoder.ts";
import { VirtualTime } from "../../helpers/virtual-time.ts";

const folder = mkdtempSync(join(tmpdir(), "lightedge-reindex-"));
afterAll(() => rmSync(folder, { recursive: true }));

const DOCUMENTS = tinyDocuments(30);

function writeSource(name: string, documents: readonly SourceDocument[]): void {
  const lines = documents.map(({ id, fields }) => JSON.stringify({ id, ...fields }));
  writeFileSync(join(folder, name), `${lines.join("\n")}\n`);
}

let made = 0;
/** The config of indexes with these sources, by a name; each with a cache of its own. */
async function configOf(indexes: Readonly<Record<string, string>>, name = "nightly"): Promise<Config> {
  made++;
  const file = join(folder, `config-${made}.yaml`);
  const entries = Object.entries(indexes).map(
    ([index, source]) => `  - {index: ${index}, sources: [${source}], weight: 0.5}\n`,
  );
  const text = `name: ${name}\nstore: file:out\ncache: cache-${made}\nindexes:\n${entries.join("")}`;
  writeFileSync(file, text);
  return loadConfig(file, {});
}

/** Runs a config against a store; what came of it, the texts that were encoded, and what was warned of. */
async function run(
  config: Config,
  store: WriteStore,
  options: Partial<RunnerOptions> & { readonly takeOver?: boolean; readonly days?: number } = {},
  ports: Partial<RunnerPorts> = {},
) {
  const inner = tinyEncoder();
  let opened = 0;
  const warnings: string[] = [];
  const { days = 0, takeOver = false, part, lock = 0 } = options;
  const results = await reindex(
    config,
    config.indexes,
    { takeOver, runner: { part, lock } },
    {
      store,
      cache: config.cache,
      openEncoder: async () => {
        opened++;
        return inner;
      },
      now: () => new Date(Date.UTC(2026, 0, 31 + days)),
      ...ports,
    },
    { ...SILENT, warn: (message) => warnings.push(message) },
  );
  return { results, encoded: [...inner.encoded], opened, warnings };
}

/** `index: kind`, with what says more about it. */
function summary(results: readonly IndexResult[]): string[] {
  return results.map((result) => {
    if (result.kind === "failed") return `${result.index}: ${result.error.code}`;
    const { outcome, index } = result;
    if (outcome.kind !== "built") return `${index}: ${outcome.kind}`;
    return `${index}: ${outcome.run.report.changed ? "published" : "up to date"}`;
  });
}

async function versionOf(store: WriteStore, index: string): Promise<number> {
  return (await readPointer(store, index))?.pointer.seq ?? 0;
}

writeSource("a.jsonl", DOCUMENTS);
writeSource("b.jsonl", DOCUMENTS.slice(0, 20));

describe("a config that is run", () => {
  it("publishes its indexes in turn with one model, and the second time nothing, encoding nothing", async () => {
    const store = new MemoryStore();
    const config = await configOf({ one: "a.jsonl", two: "b.jsonl" });
    const first = await run(config, store);
    expect(summary(first.results)).toEqual(["one: published", "two: published"]);
    expect(first.opened).toBe(1);
    const before = [await readPointer(store, "one"), await readPointer(store, "two")];
    const second = await run(config, store);
    expect(summary(second.results)).toEqual(["one: up to date", "two: up to date"]);
    expect(second.encoded).toEqual([]);
    expect([await readPointer(store, "one"), await readPointer(store, "two")]).toEqual(before);
  });

  it("goes on after an index that fails, whatever it fails of, and leaves that one as it was", async () => {
    const store = new MemoryStore();
    writeSource("changing.jsonl", DOCUMENTS);
    const config = await configOf({ bad: "changing.jsonl", good: "b.jsonl" });
    await run(config, store);
    const before = await readPointer(store, "bad");
    for (const [documents, code] of [
      ["{not json\n", "source/invalid"],
      [null, "usage/invalid"],
    ] as const) {
      if (documents === null) rmSync(join(folder, "changing.jsonl"));
      else writeFileSync(join(folder, "changing.jsonl"), documents);
      const { results, warnings } = await run(config, store);
      expect(summary(results)).toEqual([`bad: ${code}`, "good: up to date"]);
      expect(warnings.join()).toContain("bad failed: ");
      expect(await readPointer(store, "bad")).toEqual(before);
    }
  });

  it("marks its versions with its name: another config is refused until it takes over", async () => {
    const store = new MemoryStore();
    await run(await configOf({ shared: "a.jsonl" }, "team-a"), store);
    const other = await configOf({ shared: "b.jsonl", own: "b.jsonl" }, "team-b");
    const refused = await run(other, store);
    expect(summary(refused.results)).toEqual(["shared: index/taken", "own: published"]);
    expect(await versionOf(store, "shared")).toBe(1);
    const taken = await run(other, store, { takeOver: true });
    expect(summary(taken.results)[0]).toBe("shared: published");
    const back = await run(await configOf({ shared: "a.jsonl" }, "team-a"), store);
    expect(summary(back.results)).toEqual(["shared: index/taken"]);
  });

  it("makes the same of the same on a machine whose clock is days off", async () => {
    const blobs = async (days: number) => {
      const store = new MemoryStore();
      await run(await configOf({ one: "a.jsonl" }), store, { days });
      const keys: string[] = [];
      for await (const { key } of store.list("blobs/")) keys.push(key);
      return { store, keys };
    };
    const [early, late] = [await blobs(-400), await blobs(1)];
    expect(early.keys).toEqual(late.keys);
    // A run by a clock that lags the one before.
    const config = await configOf({ one: "b.jsonl" });
    expect(summary((await run(config, late.store, { days: -1 })).results)).toEqual(["one: published"]);
    expect(await versionOf(late.store, "one")).toBe(2);
    expect(summary((await run(config, late.store, { days: 30 })).results)).toEqual(["one: up to date"]);
  });

  it("runs the indexes that are asked for, and refuses a name that it has not", async () => {
    const config = await configOf({ one: "a.jsonl", two: "b.jsonl", three: "b.jsonl" });
    const names = (wanted: readonly string[]) => chosenIndexes(config, wanted).map(({ spec }) => spec.index);
    expect(names([])).toEqual(["one", "two", "three"]);
    expect(names(["three", "one"])).toEqual(["one", "three"]);
    expect(() => names(["one", "tow"])).toThrow(/has no index "tow"; it has one, two, three\./u);
  });
});

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

describe("what concerns all indexes", () => {
  it("is one error, before a model is loaded or anything written: a store that cannot be reached", async () => {
    const config = await configOf({ one: "a.jsonl", two: "b.jsonl" });
    const memory = new MemoryStore();
    let opened = 0;
    const openEncoder = async () => {
      opened++;
      return tinyEncoder();
    };
    const refusing = new FaultStore(memory, 0, "crash");
    await expect(run(config, refusing, {}, { openEncoder })).rejects.toMatchObject({
      code: "store/unavailable",
    });
    expect(refusing.log).toHaveLength(1);
    expect(opened).toBe(0);
    for await (const { key } of memory.list("")) throw new Error(`written: ${key}`);
  });

  it("is one error that says what is wrong: credentials, a bucket that is not there", async () => {
    const server = await S3Server.start();
    try {
      const config = await configOf({ one: "a.jsonl", two: "b.jsonl" });
      const place = server.place();
      const wrong = { ...place, credentials: { accessKeyId: "AKIATEST", secretAccessKey: "wrong" } };
      for (const [location, message] of [
        [wrong, /Check the keys/u],
        [{ ...place, bucket: "another" }, /There is no bucket another/u],
      ] as const) {
        for (const mode of [{}, { part: { number: 1, of: 2 } }]) {
          let opened = 0;
          const openEncoder = async () => {
            opened++;
            return tinyEncoder();
          };
          const failing = run(config, new S3Store(location), mode, { openEncoder });
          await expect(failing).rejects.toMatchObject({
            code: "store/denied",
            message: expect.stringMatching(message),
          });
          expect(opened).toBe(0);
        }
      }
      expect(server.objects.size).toBe(0);
    } finally {
      await server.close();
    }
  });

  it("is one error: a model that cannot be loaded", async () => {
    const config = await configOf({ one: "a.jsonl", two: "b.jsonl" });
    let tries = 0;
    const openEncoder = () => {
      tries++;
      return Promise.reject(new LightedgeError("model/invalid", "There is no model here."));
    };
    await expect(run(config, new MemoryStore(), {}, { openEncoder })).rejects.toMatchObject({
      code: "model/invalid",
    });
    expect(tries).toBe(1);
  });
});

describe("a store that takes no notice of conditions", () => {
  it("is refused with nothing written to it but a probe and a lease", async () => {
    const memory = new MemoryStore();
    const careless: WriteStore = {
      get: (key) => memory.get(key),
      getRange: (key, offset, length) => memory.getRange(key, offset, length),
      head: (key) => memory.head(key),
      list: (prefix) => memory.list(prefix),
      delete: (key) => memory.delete(key),
      put: (key, body) => memory.put(key, body),
      putIfAbsent: async (key, body) => ({ kind: "written", etag: (await memory.put(key, body)).etag }),
      putIfMatch: async (key, body) => ({ kind: "written", etag: (await memory.put(key, body)).etag }),
    };
    const { results, encoded } = await run(await configOf({ one: "a.jsonl" }), careless, { lock: 60_000 });
    expect(summary(results)).toEqual(["one: store/unsafe"]);
    expect(encoded).toEqual([]);
    const left: string[] = [];
    for await (const { key } of memory.list("")) left.push(key);
    expect(left).toEqual([leaseKey("one")]);
  });
});

describe("the mark of a run", () => {
  it("is left by the store's clock whether or not anything was published, and not where a run failed", async () => {
    let clock = 1000;
    const store = new MemoryStore(() => clock);
    writeSource("marked.jsonl", DOCUMENTS);
    const plain = await configOf({ one: "marked.jsonl" });
    const config = {
      ...plain,
      indexes: plain.indexes.map((each) => ({ ...each, spec: { ...each.spec, maxAge: 5000 } })),
    };
    const mark = async () => {
      const { body, modified } = (await store.get(runMarkKey("one")))!;
      return { ...(await parseRunMark(body, "one")), modified };
    };
    await run(config, store);
    const first = await mark();
    expect(first).toMatchObject({ origin: "nightly", max_age: 5000, modified: 1000 });
    clock = 2000;
    await run(config, store);
    expect(await mark()).toEqual({ ...first, modified: 2000 });
    clock = 3000;
    writeFileSync(join(folder, "marked.jsonl"), "{not json\n");
    await run(config, store);
    expect(await mark()).toEqual({ ...first, modified: 2000 });
    writeSource("marked.jsonl", DOCUMENTS.slice(0, 28));
    await run(plain, store);
    expect(await mark()).toMatchObject({ max_age: null, modified: 3000 });
    expect((await mark()).version).not.toBe(first.version);
  });

  it("that cannot be written is a warning: the version stands", async () => {
    const memory = new MemoryStore();
    const store = new FaultStore(memory, ({ method, key }) =>
      method === "put" && key === runMarkKey("one") ? { fault: "fail before" } : null,
    );
    const { results, warnings } = await run(await configOf({ one: "a.jsonl" }), store);
    expect(summary(results)).toEqual(["one: published"]);
    expect(warnings).toEqual([expect.stringContaining("indexes/one/run.json could not be written")]);
  });
});

describe("the parts of a config", () => {
  it("leave the run that publishes nothing to encode, in any order and from machines of their own", async () => {
    const store = new MemoryStore();
    const alone = new MemoryStore();
    const whole = await run(await configOf({ one: "a.jsonl", two: "b.jsonl" }), alone);
    let encoded = 0;
    for (const number of [2, 3, 1]) {
      // Each config has a cache of its own, as each machine has.
      const part = await run(await configOf({ one: "a.jsonl", two: "b.jsonl" }), store, {
        part: { number, of: 3 },
      });
      expect(summary(part.results)).toEqual(["one: part", "two: part"]);
      encoded += part.encoded.length;
    }
    expect(encoded).toBe(whole.encoded.length);
    expect(await versionOf(store, "one")).toBe(0);
    const published = await run(await configOf({ one: "a.jsonl", two: "b.jsonl" }), store);
    expect(summary(published.results)).toEqual(["one: published", "two: published"]);
    expect(published.encoded).toEqual([]);
    for (const index of ["one", "two"])
      expect((await readPointer(store, index))?.pointer.manifest).toEqual(
        (await readPointer(alone, index))?.pointer.manifest,
      );
  });

  it("come together in a bucket, also where the server's clock is a day ahead of every machine's", async () => {
    const server = await S3Server.start();
    server.ahead = 86_400_000;
    try {
      const store = () => new S3Store(server.place("search/"));
      const lock = 60_000;
      for (const number of [2, 1])
        await run(await configOf({ one: "a.jsonl" }), store(), { part: { number, of: 2 }, lock });
      const published = await run(await configOf({ one: "a.jsonl" }), store(), { lock });
      expect(summary(published.results)).toEqual(["one: published"]);
      expect(published.encoded).toEqual([]);
      const again = await run(await configOf({ one: "a.jsonl" }), store(), { lock });
      expect(summary(again.results)).toEqual(["one: up to date"]);
      expect(again.encoded).toEqual([]);
      expect([...server.objects.keys()].every((key) => key.startsWith("search/"))).toBe(true);
      expect((await checkIndex(store(), "one")).problems).toEqual([]);
    } finally {
      await server.close();
    }
  });
});
