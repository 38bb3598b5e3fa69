/**
 * Question: how long until an index that lost its memory answers? `node bench/regions/wake.ts` serves indexes of several
 * sizes from real workerd, each in a process of its own, and times one search, as a client on the same machine sees it,
 *
 * - **cold**: the first one of a new process whose shard objects have no storage yet: all of it comes from the store;
 * - **woken**: the first after workerd was killed and started again, so that nothing is in memory: the Worker has opened the
 *   index (its table, not its shards) and answered from another one, the shard objects have their storage. Reads of the
 *   shards from the store are counted, and there must be none;
 * - **reset**: the first after the objects alone were reset, whose isolate still has their codes;
 * - **warm**: the median of those that follow.
 *
 * The store is a folder on the same machine, so cold has no distance in it; `reads` and `bytes` say what a distance would
 * be multiplied by. Every woken answer must be the warm one to the bit.
 *
 * Corpus: the first `--sizes` passages of `bench/scale/corpus.ts` (`--corpus FILE`), one chunk each, really encoded.
 * An index that is there already is measured by `--store URL --index NAME`. `--resident MIB` is the budget of an isolate; a size above it lies in shard objects, of `--shard-chunks` each.
 */
import { createReadStream, existsSync, mkdtempSync, rmSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { BUILD_DEFAULTS, buildIndex } from "../../indexer/build.ts";
import { cachedEncoder } from "../../indexer/encode/cache.ts";
import { createOnnxEncoder } from "../../indexer/encode/onnx.ts";
import { readTestCollection } from "../../indexer/evaluate/collection.ts";
import { loadModel } from "../../indexer/model/model.ts";
import { showProgress } from "../../indexer/progress.ts";
import { serve } from "../../indexer/serve.ts";
import { openSource } from "../../indexer/sources/open.ts";
import { FolderStore } from "../../indexer/store/folder.ts";
import type { ServedStore } from "../../indexer/store/service.ts";
import { loadManifest } from "../../shared/format/load.ts";
import { blobsOf } from "../../shared/format/manifest.ts";
import { MIB } from "../../shared/limits.ts";
import type { SearchAnswer } from "../../shared/types.ts";
import { readPointer } from "../../shared/versions/current.ts";
import { COLLECTION } from "../memory/copies.ts";
import { report } from "../report.ts";
import { quantile, type Result, round } from "../result.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const { values } = parseArgs({
  options: {
    sizes: { type: "string", default: "1000,10000,50000,100000" },
    /** An index that the store has, instead of sizes. */
    index: { type: "string" },
    corpus: { type: "string", default: join(ROOT, ".lightedge/scale/corpus.jsonl") },
    store: { type: "string", default: join(ROOT, ".lightedge/wake") },
    "shard-chunks": { type: "string" },
    resident: { type: "string" },
    /** Times that memory is lost. */
    rounds: { type: "string", default: "9" },
    json: { type: "boolean", default: false },
  },
});

/** The size whose index, in the Worker itself, is asked so that no code is run for the first time. */
const SMALL = 1000;

/** Reads of a store, counted. */
class CountingStore implements ServedStore {
  readonly #inner: FolderStore;
  reads = 0;
  bytes = 0;
  /** Reads of each key. */
  readonly byKey = new Map<string, number>();

  constructor(inner: FolderStore) {
    this.#inner = inner;
  }

  get(key: string) {
    return this.#counted(key, this.#inner.get(key), (found) => found?.body.length ?? 0);
  }
  getRange(key: string, offset: number, length: number) {
    return this.#counted(key, this.#inner.getRange(key, offset, length), (found) => found?.length ?? 0);
  }
  head(key: string) {
    return this.#counted(key, this.#inner.head(key), () => 0);
  }
  putIfAbsent(key: string, body: Uint8Array<ArrayBuffer>) {
    return this.#inner.putIfAbsent(key, body);
  }
  list(prefix: string) {
    return this.#inner.list(prefix);
  }

  async #counted<T>(key: string, read: Promise<T>, bytesOf: (found: T) => number): Promise<T> {
    const found = await read;
    this.reads++;
    this.byKey.set(key, (this.byKey.get(key) ?? 0) + 1);
    this.bytes += bytesOf(found);
    return found;
  }
}

const progress = showProgress(process.stderr);
const folder = mkdtempSync(join(tmpdir(), "lightedge-wake-"));
const files = new FolderStore(values.store);
const { queries } = await readTestCollection(COLLECTION);
try {
  const results: Result[] = [];
  await build(SMALL);
  if (values.index !== undefined) results.push(...(await measure(values.index)));
  else {
    for (const size of values.sizes.split(",").map(Number)) {
      await build(size);
      results.push(...(await measure(`wake-${size}`)));
    }
  }
  report(results, values.json);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The index of so many passages, where it is not there yet. */
async function build(size: number): Promise<void> {
  const index = `wake-${size}`;
  if ((await readPointer(files, index)) !== null) return;
  const corpus = join(folder, `${size}.jsonl`);
  await mkdir(folder, { recursive: true });
  await writeFile(corpus, await firstLines(values.corpus, size));
  const encoder = cachedEncoder(
    await createOnnxEncoder(await loadModel(join(ROOT, "models/minilm-splade")), { device: "cpu" }),
    join(ROOT, ".lightedge/cache"),
  );
  try {
    const source = await openSource([corpus], "jsonl");
    const chunks = values["shard-chunks"];
    const options = { ...BUILD_DEFAULTS, tasks: [], weight: 0.5, now: () => new Date() };
    await buildIndex(
      {
        ...{ index, source, encoder, store: files, ...options },
        ...(chunks === undefined ? {} : { shardChunks: Number(chunks) }),
      },
      progress,
    );
  } finally {
    await encoder.close();
  }
}

async function firstLines(file: string, count: number): Promise<string> {
  if (!existsSync(file))
    throw new Error(`${file} is not there; "node bench/scale/corpus.ts ${file}" makes it.`);
  const lines: string[] = [];
  for await (const line of createInterface({ input: createReadStream(file) })) {
    lines.push(line);
    if (lines.length === count) break;
  }
  return `${lines.join("\n")}\n`;
}

async function measure(index: string): Promise<readonly Result[]> {
  const store = new CountingStore(files);
  const { pointer } = (await readPointer(files, index))!;
  const manifest = await loadManifest(files, pointer.manifest);
  const shards = blobsOf(manifest, "shard");
  const serving = await serve({
    ...{ store, host: "127.0.0.1", port: 0, indexes: [index], examples: [], control: 0 },
    // The pointer is not looked at again while this lasts: a read of it is no part of waking.
    ...{ pointerMaxAge: 3600, persist: join(folder, index) },
    ...(values.resident === undefined ? {} : { residentBytes: Number(values.resident) * MIB }),
  });
  const get = async (path: string) => {
    const response = await fetch(new URL(path, serving.url));
    const body: unknown = await response.json();
    if (response.status === 200) return body;
    throw new Error(`${path}: ${response.status} ${JSON.stringify(body).slice(0, 300)}`);
  };
  const search = async (at: number, name = index) => {
    const q = queries[at % queries.length]!.text;
    const started = performance.now();
    // Safe: a status of 200 is an answer.
    const answer = (await get(`/v1/indexes/${name}/search?${new URLSearchParams({ q })}`)) as SearchAnswer;
    if (answer.partial) throw new Error(`${name} answers in part only.`);
    return { ms: performance.now() - started, answer };
  };
  const shardReads = () => shards.reduce((sum, { key }) => sum + (store.byKey.get(key) ?? 0), 0);
  /** The first search after memory was lost, which must say what was said before. */
  const first = async (at: number, lose: () => Promise<void>): Promise<number> => {
    const before = (await search(at)).answer;
    await lose();
    const reads = shardReads();
    const { ms, answer } = await search(at);
    wokenReads += shardReads() - reads;
    const [a, b] = [before, answer].map(({ hits, version }) => JSON.stringify([version, hits]));
    if (a !== b) throw new Error(`${index} answers otherwise after it was woken.`);
    return ms;
  };
  let wokenReads = 0;
  try {
    await get("/health");
    const cold = await search(0);
    const [coldReads, coldBytes] = [store.reads, store.bytes];
    const warm: number[] = [];
    // Twice, and only the second time counts: blocks of documents are in the cache by then.
    for (let at = 0; at < 100; at++) warm.push((await search(at % 50)).ms);
    const { placement = "isolate" } = cold.answer;
    const rounds = placement === "isolate" ? 0 : Number(values.rounds);
    const reset: number[] = [];
    for (let at = 0; at < rounds; at++)
      reset.push(await first(at, () => order(serving.control!, { evict: true })));
    const woken: number[] = [];
    for (let at = 0; at < rounds; at++) {
      const lose = async () => {
        await order(serving.control!, { restart: true });
        for (let warming = 0; warming < 10; warming++) await search(warming, `wake-${SMALL}`);
        await get(`/v1/indexes/${index}`);
      };
      woken.push(await first(at, lose));
    }
    const name = (what: string) => `wake.${manifest.counts.chunks}.${what}`;
    const facts = `${manifest.counts.chunks} chunks, ${shards.length} shards, ${placement}`;
    const ofRounds = (what: string, times: readonly number[]): Result => ({
      ...{ name: name(what), value: round(quantile(times, 0.5)), unit: "ms" },
      note: `median of ${times.length}, ${round(Math.min(...times))} to ${round(Math.max(...times))}`,
    });
    return [
      {
        ...{ name: name("cold"), value: round(cold.ms), unit: "ms" },
        note: `${facts}; ${coldReads} reads, ${round(coldBytes / MIB)} MiB`,
      },
      ofRounds("warm", warm.slice(50)),
      ...(rounds === 0
        ? []
        : [
            ofRounds("woken", woken),
            ofRounds("reset", reset),
            {
              name: name("woken_reads"),
              value: wokenReads,
              unit: "reads",
              note: "of shards, over all of both",
            },
          ]),
    ];
  } finally {
    await serving.close();
  }
}

async function order(control: string, body: object): Promise<void> {
  const answer = await fetch(new URL("/faults", control), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`The control refused ${JSON.stringify(body)}: ${await answer.text()}`);
}
