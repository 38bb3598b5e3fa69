import { describe, expect, test } from "vitest";
import { rollback } from "../../indexer/store/rollback.ts";
import { inboxPrefix, type WriteId } from "../../shared/format/names.ts";
import type { MemoryStore } from "../../shared/store/memory.ts";
import { errorOf } from "../helpers/edge-app.ts";
import { buildTiny, TINY } from "../helpers/tiny-build.ts";
import { sourceOf, tinyDocuments } from "../helpers/tiny-corpus.ts";
import { type Isolate, isolate } from "../helpers/writing-app.ts";

const source = sourceOf(tinyDocuments(40));
const rebuild = (store: MemoryStore) => buildTiny({ store, source });
const DOCUMENT = `/v1/indexes/${TINY}/documents`;

const describeIndex = async ({ fetch }: Isolate) =>
  (await (await fetch(`/v1/indexes/${TINY}`)).json()) as {
    version: string;
    documents: number;
    waiting: { writes: number };
  };
const writeOf = async (response: Response) => ((await response.json()) as { write: WriteId }).write;

/** An isolate whose clock is in the test's hands. */
async function watched(store: MemoryStore): Promise<Isolate & { later(): Promise<void> }> {
  let now = Date.now();
  const one = await isolate(store, { now: () => now, pointerMaxAgeMs: 1000 });
  return {
    ...one,
    async later() {
      now += 1001;
      await one.find("river");
      await one.settle();
    },
  };
}

describe("a write", () => {
  test("is found before, while and after the next version takes it in, and never twice", async () => {
    const { store } = await buildTiny({ source });
    const one = await watched(store);
    const write = await writeOf(await one.write("new", { text: "anchor" }));
    await one.write("twin-a");
    const check = async () => {
      const found = await one.find("anchor nurse doctor", "&limit=100");
      expect(found.filter((id) => id === "new")).toHaveLength(1);
      expect(found).not.toContain("twin-a");
      expect((await one.fetch(`${DOCUMENT}/twin-a`)).status).toBe(404);
      expect((await one.fetch(`${DOCUMENT}/new?min_write=${write}`)).status).toBe(200);
    };
    await check();
    expect(await describeIndex(one)).toMatchObject({ documents: 40, waiting: { writes: 2 } });
    const report = await rebuild(store);
    await check();
    await one.later();
    await check();
    const { version, documents, waiting } = await describeIndex(one);
    expect([version, documents, waiting.writes]).toEqual([report.version, 40, 0]);
    // Gone from the inbox too, once it is collected.
    for await (const { key } of store.list(inboxPrefix(TINY))) await store.delete(key);
    await one.later();
    await check();
  });

  test("that comes after a version was made is laid over that version", async () => {
    const { store } = await buildTiny({ source });
    const one = await watched(store);
    await one.write("x", { text: "anchor one" });
    await rebuild(store);
    // This isolate has not looked yet: to it both writes wait.
    await one.write("x", { text: "anchor two" });
    await one.later();
    expect(await describeIndex(one)).toMatchObject({ waiting: { writes: 1 } });
    const fields = async () =>
      ((await (await one.fetch(`${DOCUMENT}/x`)).json()) as { fields: object }).fields;
    expect(await fields()).toEqual({ text: "anchor two" });
    await rebuild(store);
    await one.later();
    expect(await fields()).toEqual({ text: "anchor two" });
    expect(await describeIndex(one)).toMatchObject({ waiting: { writes: 0 } });
  });

  test("waits again when the index goes back to a version from before it", async () => {
    const { store, version } = await buildTiny({ source });
    const one = await watched(store);
    await one.write("new", { text: "anchor" });
    await rebuild(store);
    await rollback(store, TINY, version, new Date());
    await one.later();
    expect(await describeIndex(one)).toMatchObject({ waiting: { writes: 1 }, documents: 40 });
    expect((await one.fetch(`${DOCUMENT}/new`)).status).toBe(200);
    await rebuild(store);
    await one.later();
    expect(await describeIndex(one)).toMatchObject({ waiting: { writes: 0 }, documents: 41 });
  });

  test("whose sender named it is done once even after it was folded", async () => {
    const { store } = await buildTiny({ source });
    const named = { "idempotency-key": "order-17" };
    const write = await writeOf(await (await isolate(store)).write("x", { text: "anchor" }, named));
    await rebuild(store);
    const one = await isolate(store);
    expect(await describeIndex(one)).toMatchObject({ waiting: { writes: 0 } });
    expect(await writeOf(await one.write("x", { text: "anchor" }, named))).toBe(write);
    expect(await describeIndex(one)).toMatchObject({ waiting: { writes: 0 } });
  });

  test("after a fold of one with a greater name is given a greater one still", async () => {
    const { store } = await buildTiny({ source });
    const ahead = await isolate(store, { now: () => Date.now() + 3_600_000 });
    await ahead.write("x", { text: "anchor one" });
    await rebuild(store);
    const one = await watched(store);
    await one.write("x", { text: "anchor two" });
    await rebuild(store);
    await one.later();
    expect(await (await one.fetch(`${DOCUMENT}/x`)).json()).toMatchObject({ fields: { text: "anchor two" } });
  });
});

describe("an answer that has to be new enough", () => {
  test("comes from the least version asked for, read at once, or says that there is none", async () => {
    const { store } = await buildTiny({ source });
    const one = await isolate(store);
    await one.find("river");
    const { version } = await buildTiny({ store, source: sourceOf(tinyDocuments(41)) });
    const ask = (query: string) => one.fetch(`/v1/indexes/${TINY}/search?q=river&${query}`);
    expect((await describeIndex(one)).version).toMatch(/^1-/);
    for (const least of ["1", "2", version])
      expect(await (await ask(`min_version=${least}`)).json()).toMatchObject(
        least === "1" ? {} : { version },
      );
    const behind = await ask("min_version=3");
    expect([behind.status, behind.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(await errorOf(behind)).toMatchObject({
      code: "index/behind",
      field: "min_version",
      message: expect.stringContaining(`is at version ${version}`),
    });
    // Of the right number, but of another history.
    expect((await ask("min_version=2-00000000")).status).toBe(503);
    expect(one.log).toEqual([]);
  });

  test("is given by every route that reads, from a URL and from a body", async () => {
    const { store } = await buildTiny({ source });
    const one = await isolate(store);
    const read = [
      await one.fetch(`${DOCUMENT}/twin-a?min_version=9`),
      await one.fetch(`/v1/indexes/${TINY}/search`, { method: "POST", body: { q: "a", min_version: "9" } }),
    ];
    for (const response of read) expect((await errorOf(response)).code).toBe("index/behind");
    const queries = [
      { index: TINY, q: "river", min_version: "9" },
      { index: TINY, q: "river", min_version: "1" },
    ];
    const batch = await one.fetch("/v1/search", { method: "POST", body: { queries } });
    expect(await batch.json()).toMatchObject({
      answers: [{ error: { code: "index/behind" } }, { version: expect.stringMatching(/^1-/) }],
    });
  });

  test("waits for no write that nobody has taken, and believes in old ones that are gone", async () => {
    const { store } = await buildTiny({ source });
    const one = await isolate(store);
    const status = async (time: number) => {
      const write = `${String(time).padStart(13, "0")}-00000000000000ff`;
      return (await one.fetch(`${DOCUMENT}/twin-a?min_write=${write}`)).status;
    };
    expect(await status(Date.now())).toBe(503);
    expect(await status(Date.now() + 1e9)).toBe(503);
    // Longer ago than an entry that is in no version is kept for: it was folded and collected.
    expect(await status(Date.now() - 3_600_000)).toBe(200);
  });

  test.each([
    ["min_version=0", "min_version"],
    ["min_version=7-", "min_version"],
    ["min_version=-1", "min_version"],
    ["min_version=99999999999999999", "min_version"],
    ["min_version=", "min_version"],
    ["min_write=1-2", "min_write"],
    ["min_write=x", "min_write"],
  ])("is refused where %s is asked for", async (query, field) => {
    const { store } = await buildTiny({ source });
    const one = await isolate(store);
    for (const path of [`${DOCUMENT}/twin-a?${query}`, `/v1/indexes/${TINY}/search?q=a&${query}`]) {
      const response = await one.fetch(path);
      expect(response.status).toBe(400);
      expect(await errorOf(response)).toMatchObject({ code: "request/invalid", field });
    }
  });

  test("says its age in whole seconds, wherever it names a version", async () => {
    const { store } = await buildTiny({ source });
    const now = () => Date.parse("2026-01-31T12:00:59.900Z");
    const one = await isolate(store, { now });
    const search = await one.fetch(`/v1/indexes/${TINY}/search?q=river`);
    const document = await one.fetch(`${DOCUMENT}/twin-a`);
    const index = await one.fetch(`/v1/indexes/${TINY}`);
    for (const response of [search, document, index])
      expect(await response.json()).toMatchObject({ age_s: 59 });
    expect(await (await one.fetch("/health")).json()).toMatchObject({
      indexes: [{ index: TINY, age_s: 59 }],
    });
  });
});
