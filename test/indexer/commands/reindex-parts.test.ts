import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { checkIndex } from "../../../indexer/check.ts";
import { readPointer } from "../../../indexer/store/publish.ts";
import { S3Store } from "../../../indexer/store/s3.ts";
import { parseRunMark, runMarkKey } from "../../../shared/format/run-mark.ts";
import { MemoryStore } from "../../../shared/store/memory.ts";
import { FaultStore } from "../../helpers/fault-store.ts";
import {
  configOf,
  DOCUMENTS,
  folder,
  removeFolder,
  run,
  summary,
  versionOf,
  writeSource,
} from "../../helpers/reindexing.ts";
import { S3Server } from "../../helpers/s3-server.ts";

afterAll(removeFolder);

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
