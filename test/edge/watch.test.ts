import { createHmac } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { collect } from "../../edge/collect.ts";
import { type CheckResult, healthOf } from "../../edge/health.ts";
import { watch } from "../../edge/watch.ts";
import { Webhook } from "../../edge/webhook.ts";
import { blobsOf, type Manifest } from "../../shared/format/manifest.ts";
import { pointerKey } from "../../shared/format/names.ts";
import { runMarkKey, serializeRunMark } from "../../shared/format/run-mark.ts";
import { MemoryStore } from "../../shared/store/memory.ts";
import { FaultStore } from "../helpers/fault-store.ts";
import { buildTiny, copyOf, TINY } from "../helpers/tiny-build.ts";
import { sourceOf, tinyDocuments } from "../helpers/tiny-corpus.ts";

const CREATED = Date.parse("2026-01-31T12:00:00Z");
const HOUR = 3_600_000;
const SECRET = "a-secret-of-the-operator";

let built: MemoryStore;
let manifest: Manifest;
beforeAll(async () => {
  ({ store: built, manifest } = await buildTiny());
});

/** Watches `tiny` and what else is named, and gives all that came of it. */
async function look(
  store: MemoryStore | FaultStore,
  options: {
    now?: number;
    maxAge?: Record<string, number>;
    indexes?: readonly string[];
    status?: number;
  } = {},
) {
  const { now = CREATED + HOUR, maxAge = {}, indexes = [TINY], status = 204 } = options;
  const sent: { url: string; init: RequestInit }[] = [];
  const checks = new Map<string, CheckResult>();
  const lines: string[] = [];
  let time = now;
  const fetch = async (url: string, init: RequestInit) => {
    sent.push({ url, init });
    return new Response(null, { status });
  };
  const webhook = Webhook.from("https://alarm.example/hook", SECRET, { fetch, now: () => time });
  const regions = [{ name: "test", home: true, store }];
  const ports = { regions, webhook, maxAge: new Map(Object.entries(maxAge)), checks, now: () => time };
  const again = (later = 0) => {
    time += later;
    return watch({ ...ports, log: (line) => lines.push(line) }, indexes);
  };
  await again();
  const log = () => lines.map((line): Record<string, unknown> => JSON.parse(line));
  return { sent, checks, log, again, health: () => healthOf(checks.values(), new Map(), time) };
}

describe("a scheduled check", () => {
  test("of an index that is there in full is a line of the log and a healthy answer", async () => {
    const { checks, log, sent, health } = await look(built, { maxAge: { [TINY]: 7200 } });
    expect(log()).toEqual([
      {
        level: "info",
        check: TINY,
        region: "test",
        version: expect.stringMatching(/^1-/),
        age_s: 3600,
        max_age_s: 7200,
        problem: null,
      },
    ]);
    expect(checks.get(`test/${TINY}`)).toMatchObject({ at: CREATED + HOUR, asOf: CREATED, problem: null });
    expect(health()).toMatchObject({ status: "ok", checks: [{ index: TINY, age_s: 3600, stale: false }] });
    expect(sent).toEqual([]);
  });

  test("of an index older than promised raises an alarm, signed so that its receiver can tell", async () => {
    const { log, sent, health } = await look(built, { maxAge: { [TINY]: 3599 } });
    expect(log()).toMatchObject([
      { level: "alarm", check: TINY, message: expect.stringContaining("3600 seconds ago") },
    ]);
    expect(health()).toMatchObject({ status: "stale", checks: [{ stale: true, problem: null }] });
    const [{ url, init }] = sent as [(typeof sent)[number]];
    expect(url).toBe("https://alarm.example/hook");
    const headers = new Headers(init.headers);
    const timestamp = headers.get("x-lightedge-timestamp");
    expect(timestamp).toBe(String((CREATED + HOUR) / 1000));
    const expected = createHmac("sha256", SECRET).update(`${timestamp}.${init.body}`).digest("hex");
    expect(headers.get("x-lightedge-signature")).toBe(`v1=${expected}`);
    expect(JSON.parse(String(init.body))).toMatchObject({
      type: "lightedge.alarm",
      kind: "stale",
      index: TINY,
      age_s: 3600,
      max_age_s: 3599,
    });
    expect(init.redirect).toBe("manual");
  });

  test("counts from the last run that found the index as its source, and takes its promise", async () => {
    const store = await copyOf(built);
    // Written by the store's own clock, which is now.
    const mark = { format: 1, version: "1-00000000", origin: "nightly", max_age: HOUR } as const;
    await store.put(runMarkKey(TINY), await serializeRunMark(mark));
    const { modified } = (await store.head(runMarkKey(TINY)))!;
    const young = await look(store, { now: modified + HOUR });
    expect(young.health()).toMatchObject({ status: "ok", checks: [{ age_s: 3600 }] });
    const old = await look(store, { now: modified + HOUR + 1000 });
    expect(old.health()).toMatchObject({ status: "stale", checks: [{ age_s: 3601 }] });
    const told = await look(store, { now: modified + HOUR + 1000, maxAge: { [TINY]: 7200 } });
    expect(told.health().status).toBe("ok");
  });

  test("counts from the version where it was made after the last run that left a mark", async () => {
    let now = CREATED - HOUR;
    const store = new MemoryStore(() => now);
    const mark = { format: 1, version: "1-00000000", origin: null, max_age: null } as const;
    await store.put(runMarkKey(TINY), await serializeRunMark(mark));
    now = CREATED;
    await buildTiny({ store });
    expect((await look(store, { now: CREATED + 5000 })).health().checks[0]).toMatchObject({
      age_s: 5,
      stale: false,
    });
  });

  test("goes on to the other indexes, whatever one is like", async () => {
    const { log, health } = await look(built, { indexes: ["none", TINY] });
    expect(log().map(({ level, check }) => [level, check])).toEqual([
      ["alarm", "none"],
      ["info", TINY],
    ]);
    expect(health()).toMatchObject({
      status: "failing",
      checks: [
        { index: "none", version: null, age_s: null, problem: expect.stringMatching(/^index\/not-found/) },
        {},
      ],
    });
  });

  test.each(["tokenizer", "table", "shard", "documents"] as const)(
    "notices a %s that is gone or cut short",
    async (role) => {
      const { key } = blobsOf(manifest, role)[0]!;
      const gone = await copyOf(built);
      await gone.delete(key);
      const missing = await look(gone);
      expect(missing.log()).toMatchObject([{ level: "alarm", problem: expect.stringContaining(key) }]);
      expect(JSON.parse(String(missing.sent[0]!.init.body))).toMatchObject({
        kind: "failing",
        version: expect.stringMatching(/^1-/),
        message: expect.stringContaining("goes on answering"),
      });
      const short = await copyOf(built);
      await short.put(key, (await short.get(key))!.body.slice(1));
      expect((await look(short)).health().checks[0]!.problem).toMatch(/^blob\/corrupt/);
    },
  );

  test("notices a pointer, a manifest and a mark that are damaged, and a store that is down", async () => {
    for (const key of [pointerKey(TINY), runMarkKey(TINY)]) {
      const store = await copyOf(built);
      await store.put(key, new TextEncoder().encode("{}"));
      expect((await look(store)).health()).toMatchObject({ status: "failing" });
    }
    const down = new FaultStore(built, () => ({ fault: "fail before" }));
    const { health, log } = await look(down);
    expect(health().checks[0]!.problem).toMatch(/^store\/unavailable/);
    expect(log()).toHaveLength(1);
  });

  test("sends one alarm an hour for an index, and one that was not taken again at the next check", async () => {
    const taken = await look(built, { maxAge: { [TINY]: 1 } });
    await taken.again(HOUR - 1);
    expect(taken.sent).toHaveLength(1);
    await taken.again(1);
    expect(taken.sent).toHaveLength(2);

    const refused = await look(built, { maxAge: { [TINY]: 1 }, status: 302 });
    await refused.again(60_000);
    expect(refused.sent).toHaveLength(2);
    expect(refused.log()).toMatchObject([
      {},
      { level: "error", message: "The webhook answered 302." },
      {},
      {},
    ]);
  });
});

describe("a receiver of alarms", () => {
  const ports = { fetch: async () => new Response(), now: () => 0 };

  test.each([
    ["http://alarm.example/", SECRET],
    ["https://user:pass@alarm.example/", SECRET],
    ["https://user@alarm.example/", SECRET],
    ["https://:pass@alarm.example/", SECRET],
    ["alarm.example", SECRET],
    ["javascript:alert(1)", SECRET],
    ["https://alarm.example/", undefined],
    ["https://alarm.example/", "too-short"],
  ])("at %s with the secret %s is refused", (url, secret) => {
    expect(() => Webhook.from(url, secret, ports)).toThrow(/^ALARM_/);
  });

  test("that nobody named is none", () => {
    expect(Webhook.from(undefined, SECRET, ports)).toBeNull();
    expect(Webhook.from("", undefined, ports)).toBeNull();
  });

  test("that does not answer is a message, not a failure", async () => {
    const fetch = () => Promise.reject(new TypeError("refused"));
    const webhook = Webhook.from("https://alarm.example/", SECRET, { ...ports, fetch })!;
    const alarm = {
      index: TINY,
      region: "test",
      kind: "stale",
      version: null,
      age_s: null,
      max_age_s: null,
      message: "",
    } as const;
    expect(await webhook.send(alarm)).toBe("The webhook did not answer: refused");
  });
});

describe("a scheduled collection", () => {
  const ports = {
    randomBytes: (length: number) => new Uint8Array(length).fill(7),
    pause: async () => {},
    monotonic: () => 0,
  };

  test("deletes what no version needs any more after the grace, and says how much", async () => {
    let now = CREATED;
    const store = new MemoryStore(() => now);
    for (let count = 40; count < 45; count++) {
      now += HOUR;
      await buildTiny({ store, source: sourceOf(tinyDocuments(count)) });
    }
    const keys = async () => {
      const found: string[] = [];
      for await (const { key } of store.list("")) found.push(key);
      return found;
    };
    const before = await keys();
    const lines: string[] = [];
    now += 26 * HOUR;
    await collect(store, 24 * HOUR, (line) => lines.push(line), ports);
    const { level, collected } = JSON.parse(lines[0]!) as { level: string; collected: number };
    expect(level).toBe("info");
    expect(collected).toBeGreaterThan(0);
    const manifests = (all: readonly string[]) => all.filter((key) => key.includes("/manifests/")).length;
    expect([manifests(before), manifests(await keys())]).toEqual([5, 3]);
    expect((await look(store)).health().status).toBe("ok");
  });

  test("that goes wrong is a line of the log", async () => {
    const lines: string[] = [];
    await collect(
      new FaultStore(built, () => ({ fault: "fail before" })),
      24 * HOUR,
      (line) => lines.push(line),
      ports,
    );
    expect(JSON.parse(lines[0]!)).toMatchObject({ level: "error", code: "store/unavailable" });
  });
});
