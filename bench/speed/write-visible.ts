/**
 * Question: how long is the way from sending a document to the edge to an answer that has it?
 * Two workerd processes over one store in memory, asked over HTTP by one client. "own": the
 * process that took the write is searched as soon as it acknowledges. "other": the second process is
 * asked by the write's name. "unasked": it is searched every 20 ms until it has looked by itself.
 * Documents of about 1 KB, made of words of the collection's queries; each PUT is followed by its search.
 *
 *   node bench/speed/write-visible.ts [--store file:DIR --index NAME] [--writes 100] [--json]
 */
import { parseArgs } from "node:util";
import { Random } from "../../indexer/random.ts";
import { type Serving, serve } from "../../indexer/serve.ts";
import { openStore } from "../../indexer/store/open.ts";
import { MemoryStore } from "../../shared/store/memory.ts";
import { report } from "../report.ts";
import { quantile, type Result, round } from "../result.ts";

const KEY = "bench-key-0123456789";
/** Seconds for which the second process believes its pointer: the default of a deployment, and of local serving. */
const POINTER_MAX_AGES = [10, 2] as const;
const WORDS =
  "protein cell gene river theory market signal engine winter treaty virus method sample theory light".split(
    " ",
  );

/** An index whose writes are measured. */
export interface Subject {
  readonly store: MemoryStore;
  readonly index: string;
}

/** `write-visible.*` in milliseconds. */
export async function measureWriteVisible(subject: Subject, writes: number): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const pointerMaxAge of POINTER_MAX_AGES) {
    const [first, second] = [await start(subject, pointerMaxAge), await start(subject, pointerMaxAge)];
    try {
      // The first is measured once for both: it does not depend on the age.
      if (results.length === 0) results.push(...(await measureNamed(subject, first, second, writes)));
      results.push(await measureUnasked(subject, first, second, pointerMaxAge));
    } finally {
      await Promise.all([first.close(), second.close()]);
    }
  }
  return results;
}

function start({ store, index }: Subject, pointerMaxAge: number): Promise<Serving> {
  return serve({
    store,
    host: "127.0.0.1",
    port: 0,
    indexes: [index],
    examples: [],
    pointerMaxAge,
    adminKey: KEY,
  });
}

async function measureNamed(
  { index }: Subject,
  first: Serving,
  second: Serving,
  writes: number,
): Promise<readonly Result[]> {
  const random = new Random(1);
  const times: Record<"ack" | "own" | "other", number[]> = { ack: [], own: [], other: [] };
  await Promise.all([finds(first, index, "warm", "warm"), finds(second, index, "warm", "warm")]);
  for (let at = 0; at < writes; at++) {
    const [id, word] = [`bench-${at}`, `visible${at}`];
    const started = performance.now();
    const write = await put(first, index, id, textOf(random, word));
    times.ack.push(performance.now() - started);
    await expectFound(first, index, id, word);
    times.own.push(performance.now() - started);
    await expectFound(second, index, id, word, `&min_write=${write}`);
    times.other.push(performance.now() - started);
  }
  const note = `${writes} writes after each other, all of them waiting; median`;
  return Object.entries(times).flatMap(([name, list]) => [
    { name: `write-visible.${name}`, value: round(quantile(list, 0.5)), unit: "ms", note },
    { name: `write-visible.${name}.p99`, value: round(quantile(list, 0.99)), unit: "ms" },
  ]);
}

async function measureUnasked(
  { index }: Subject,
  first: Serving,
  second: Serving,
  pointerMaxAge: number,
): Promise<Result> {
  const random = new Random(2);
  const times: number[] = [];
  await finds(second, index, "warm", "warm");
  for (let at = 0; at < 5; at++) {
    const [id, word] = [`unasked-${pointerMaxAge}-${at}`, `unasked${at}`];
    const started = performance.now();
    await put(first, index, id, textOf(random, word));
    while (!(await finds(second, index, id, word))) await new Promise((resolve) => setTimeout(resolve, 20));
    times.push(performance.now() - started);
  }
  const note = `greatest of ${times.length}; its pointer is believed for ${pointerMaxAge} s`;
  return {
    name: `write-visible.unasked.${pointerMaxAge}s`,
    value: round(Math.max(...times)),
    unit: "ms",
    note,
  };
}

/** A text of about 1 KB that has this word. */
function textOf(random: Random, word: string): string {
  return `${word}. ${Array.from({ length: 150 }, () => random.pick(WORDS)).join(" ")}.`;
}

async function put({ url }: Serving, index: string, id: string, text: string): Promise<string> {
  const response = await fetch(new URL(`/v1/indexes/${index}/documents/${id}`, url), {
    method: "PUT",
    headers: { authorization: `Bearer ${KEY}`, "content-type": "application/json" },
    body: JSON.stringify({ title: id, text }),
  });
  const body = await response.text();
  if (response.status !== 202) throw new Error(`The write was refused: ${body}`);
  return (JSON.parse(body) as { write: string }).write;
}

async function finds({ url }: Serving, index: string, id: string, word: string, more = ""): Promise<boolean> {
  const path = `/v1/indexes/${index}/search?q=${word}&mode=sparse&limit=100&fields=title${more}`;
  const response = await fetch(new URL(path, url));
  const body = await response.text();
  if (response.status !== 200) throw new Error(`A search failed: ${body}`);
  return (JSON.parse(body) as { hits: readonly { id: string }[] }).hits.some((hit) => hit.id === id);
}

async function expectFound(...what: Parameters<typeof finds>): Promise<void> {
  if (!(await finds(...what))) throw new Error(`${what[2]} was not found after its write was acknowledged.`);
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      store: { type: "string", default: "file:.lightedge/bench" },
      index: { type: "string", default: "bench-scifact" },
      writes: { type: "string", default: "100" },
      json: { type: "boolean", default: false },
    },
  });
  // Copied, so that what is written is gone with the process.
  const store = new MemoryStore();
  const from = openStore(values.store);
  for await (const { key } of from.list("")) await store.put(key, (await from.get(key))!.body);
  report(await measureWriteVisible({ store, index: values.index }, Number(values.writes)), values.json);
}
