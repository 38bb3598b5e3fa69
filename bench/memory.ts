/**
 * Question: does workerd stay below the memory that Workers give an isolate while it answers
 * everything at once? `node bench/memory.ts` serves an index from a workerd process in a memory
 * cgroup of 128 MiB, swap excluded, and fails where the kernel killed it or a request went wrong.
 * Corpus: the shipped collection, `--copies` times over, or an index of one's own by `--store` and
 * `--index`. The cap is harder than Cloudflare's: it is over all of the process, not one isolate. The process
 * is workerd with the Worker and its objects as they are deployed, and nothing else: `lightedge serve` has seven isolates of
 * miniflare beside them, 17 MiB before anything is asked.
 *
 * `--copies 1,4,8` are several indexes. `--sharded 40` is one more, of so many copies, in shards of `--shard-chunks`:
 * above the budget of `--resident` MiB it lies in shard objects, which are of the same isolate. `--also NAME` is one that the
 * store has. `--republish 20` makes the
 * next version of one of the indexes every 20 s, which is loaded beside the one that it replaces. `--writes`
 * fills the inbox of the first index before the load begins, and writes to all of them during it.
 *
 * Cloudflare bounds the heap of an isolate, workerd alone does not: it lets dead answers lie until
 * V8 sees a reason to collect, which a cgroup is none. `--v8= --only page`, where nothing but one
 * constant text is sent, is killed at 128 MiB as well. So V8 is told to make each collection a full
 * one, and what is measured is what is in use; `--v8=` measures what is left lying, too.
 */
import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { readTestCollection } from "../indexer/evaluate/collection.ts";
import { showProgress } from "../indexer/progress.ts";
import { openStore } from "../indexer/store/open.ts";
import { MIB } from "../shared/limits.ts";
import { createMemoryCgroup, numberIn } from "./memory/cgroup.ts";
import { COLLECTION, Copies, type CopiesOptions, republish } from "./memory/copies.ts";
import { fillInbox, mixedLoad } from "./memory/load.ts";
import { serveCapped } from "./memory/workerd.ts";
import { report } from "./report.ts";
import { type Result, round } from "./result.ts";

const SAMPLE_MS = 20;

const { values } = parseArgs({
  options: {
    store: { type: "string" },
    index: { type: "string" },
    copies: { type: "string", default: "1" },
    sharded: { type: "string" },
    "shard-chunks": { type: "string", default: "10000" },
    /** MiB that an isolate keeps resident; the product's own when absent. */
    resident: { type: "string" },
    /** More indexes that the store has. */
    also: { type: "string" },
    republish: { type: "string" },
    writes: { type: "boolean", default: false },
    seconds: { type: "string", default: "30" },
    limit: { type: "string", default: "128" },
    only: { type: "string" },
    v8: { type: "string", default: "--gc-global --max-semi-space-size=1" },
    json: { type: "boolean", default: false },
  },
});
const seconds = Number(values.seconds);
const limit = Number(values.limit);
const progress = showProgress(process.stderr);
const store = openStore(values.store ?? "file:.lightedge/memory");
const copies = new Copies(store);
const made = values.index === undefined ? wanted() : [];
for (const each of made) await copies.build(each, progress);
const indexes = [
  ...(values.index === undefined ? made.map(({ index }) => index) : [values.index]),
  ...(values.also?.split(",") ?? []),
];
const adminKey = values.writes ? "memory-bench-0123456789" : undefined;

const cgroup = createMemoryCgroup(`lightedge-memory-${process.pid}`, limit * MIB);
const options = {
  ...{ store, indexes, examples: [], pointerMaxAge: 1 },
  ...(adminKey === undefined ? {} : { adminKey }),
  v8: values.v8.split(" ").filter((flag) => flag !== ""),
  procs: cgroup?.procs,
  ...(values.resident === undefined ? {} : { residentBytes: Number(values.resident) * MIB }),
};
const serving = await serveCapped(options);
const anonymous = () => cgroup?.anonymous() ?? ofProcess("RssAnon");
let most = 0;
const sampling = setInterval(() => {
  most = Math.max(most, anonymous());
}, SAMPLE_MS);
try {
  const stage = progress.stage("measure", 0);
  await (await fetch(new URL("/health", serving.url))).text();
  const empty = anonymous();
  const { queries } = await readTestCollection(COLLECTION);
  const texts = queries.map(({ text }) => text);
  const filled = adminKey === undefined ? 0 : await fillInbox(serving.url, indexes[0]!, adminKey, texts);
  const over = new AbortController();
  const publishing =
    values.republish === undefined
      ? Promise.resolve(0)
      : republish(copies, made, Number(values.republish) * 1000, over.signal);
  // Where versions come and go an index may have to make room for its own next one.
  const mayRefuse =
    values.sharded !== undefined || values.also !== undefined || values.republish !== undefined;
  const first = most;
  const load = await mixedLoad({
    ...{ url: serving.url, indexes, queries: texts, seconds, only: values.only, adminKey, mayRefuse },
  });
  over.abort();
  const published = await publishing;
  stage.done(`${load.requests} requests`);
  const loaded = await residentBytes();
  const last = anonymous();
  const kills = cgroup?.kills() ?? 0;
  const results: Result[] = [
    { name: "memory.workerd", value: mib(empty), unit: "MiB", note: "anonymous, no index loaded yet" },
    { name: "memory.index", value: mib(loaded), unit: "MiB", note: "tables and shards" },
    {
      name: "memory.anonymous",
      value: mib(most),
      unit: "MiB",
      note: `greatest of samples ${SAMPLE_MS} ms apart`,
    },
    { name: "memory.before", value: mib(first), unit: "MiB", note: "greatest before the load began" },
    { name: "memory.last", value: mib(last), unit: "MiB", note: "when it was over" },
    peak(),
    { name: "memory.kills", value: kills, unit: "processes" },
    {
      name: "memory.requests",
      value: load.requests,
      unit: "requests",
      note: `${seconds} s, 16 at a time, ${indexes.length} indexes, ${mib(load.bytes)} MiB of answers`,
    },
    {
      name: "memory.refused",
      value: load.refused,
      unit: "requests",
      note: `503 with Retry-After; ${load.partial} partial`,
    },
    {
      name: "memory.written",
      value: load.written,
      unit: "writes",
      note: `after ${filled} that filled the first inbox`,
    },
    { name: "memory.published", value: published, unit: "versions", note: "each loaded over the one before" },
    {
      name: "memory.failures",
      value: load.failures.length,
      unit: "requests",
      note: counted(load.failures),
    },
  ];
  report(results, values.json);
  if (kills > 0 || load.failures.length > 0) process.exitCode = 1;
} finally {
  clearInterval(sampling);
  await serving.close();
  await copies.close();
  await removeCgroup();
}

/** The indexes of copies that are asked for. */
function wanted(): readonly CopiesOptions[] {
  const small = values.copies.split(",").map(Number);
  const indexes: CopiesOptions[] = small.map((each) => ({ index: `copies-${each}`, copies: each }));
  if (values.sharded === undefined) return indexes;
  const shardChunks = Number(values["shard-chunks"]);
  return [...indexes, { index: `sharded-${values.sharded}`, copies: Number(values.sharded), shardChunks }];
}

/** Each failure once, with how often it was. */
function counted(failures: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const failure of failures) counts.set(failure, (counts.get(failure) ?? 0) + 1);
  if (counts.size === 0) return "refusals that must be are none";
  return [...counts].map(([failure, count]) => `${count} x ${failure}`).join("; ");
}

/** What the kernel says, and of what. */
function peak(): Result {
  const shared = { name: "memory.peak", unit: "MiB" };
  if (cgroup === undefined) {
    const note =
      "VmHWM of workerd, its program's pages included; no cgroup can be made here, so nothing was capped";
    return { ...shared, value: mib(ofProcess("VmHWM")), note };
  }
  const note = `cgroup v${cgroup.version} of ${limit} MiB; counts pages of files too, which the kernel drops when it must`;
  return { ...shared, value: mib(cgroup.peak()), note };
}

/** A figure of workerd's own, in bytes; 0 once it is gone. */
function ofProcess(name: string): number {
  try {
    const line = readFileSync(`/proc/${serving.pid}/status`, "utf8")
      .replaceAll(/:\s+/gu, " ")
      .replaceAll(" kB", "");
    return numberIn(line, name) * 1024;
  } catch {
    return 0;
  }
}

/** What the Worker says that its indexes take; 0 once it is gone. */
async function residentBytes(): Promise<number> {
  try {
    const response = await fetch(new URL("/health", serving.url));
    const health = (await response.json()) as {
      readonly indexes: readonly { readonly resident_bytes: number }[];
    };
    return health.indexes.reduce((sum, { resident_bytes }) => sum + resident_bytes, 0);
  } catch {
    return 0;
  }
}

/** A cgroup can be removed a moment after its last process has ended. */
async function removeCgroup(): Promise<void> {
  for (let attempt = 1; cgroup !== undefined; attempt++) {
    try {
      return cgroup.remove();
    } catch (error) {
      if (attempt === 50) throw error;
      await setTimeout(100);
    }
  }
}

function mib(bytes: number): number {
  return round(bytes / MIB);
}
