/**
 * What a run costs when little has changed: `node bench/incremental.ts DIR [--cache FOLDER]`.
 *
 * DIR is a collection in BEIR layout. Four runs over it, into a store and a cache that begin empty: everything; then
 * nothing changed; then one document in a hundred changed (half of them edited, a quarter gone, a quarter
 * new); then everything anew with all encodings cached. Times are of whole runs, the model's loading
 * included; bytes are those that the store was given. `--cache` uses a folder of encodings that is kept, so that
 * the first run encodes nothing either: then only bytes mean something.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { BUILD_DEFAULTS, type BuildReport, buildIndex } from "../indexer/build.ts";
import { EMBEDDED_MODEL } from "../indexer/commands/options.ts";
import { cachedEncoder } from "../indexer/encode/cache.ts";
import { createOnnxEncoder } from "../indexer/encode/onnx.ts";
import { loadModel } from "../indexer/model/model.ts";
import { showProgress } from "../indexer/progress.ts";
import { openSource } from "../indexer/sources/open.ts";
import type { Source, SourceDocument } from "../indexer/sources/source.ts";
import { FolderStore } from "../indexer/store/folder.ts";
import type { WriteStore } from "../shared/store/store.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { cache: { type: "string" } },
});
const folder = positionals[0];
if (folder === undefined) throw new Error("Usage: node bench/incremental.ts DIR [--cache FOLDER]");

const scratch = await mkdtemp(join(tmpdir(), "lightedge-incremental-"));
const progress = showProgress(process.stderr);
const counted = countWrites(new FolderStore(join(scratch, "store")));
const documents = await read(await openSource([folder], "beir"));
const cache = values.cache ?? join(scratch, "cache");

interface Row {
  readonly run: string;
  readonly seconds: number;
  readonly bytes: number;
  readonly encoded: number;
  readonly report: BuildReport;
}

const rows: Row[] = [];
try {
  rows.push(await run("everything, nothing cached", documents));
  rows.push(await run("nothing changed", documents));
  rows.push(await run("one in a hundred changed", changed(documents)));
  rows.push(await run("everything, all cached", changed(documents), "all"));
} finally {
  await rm(scratch, { recursive: true, force: true });
}
const full = rows[0]!;
for (const { run: name, seconds, bytes, encoded, report } of rows) {
  const { kind, added, changed: edited, removed } = report.plan;
  const share = (value: number, of: number) => `${((100 * value) / of).toFixed(2)} %`;
  process.stdout.write(
    `${name.padEnd(27)} ${seconds.toFixed(2).padStart(8)} s ${share(seconds, full.seconds).padStart(9)}  ${String(bytes).padStart(10)} bytes ${share(bytes, full.bytes).padStart(9)}  ${encoded} encoded; ${kind}, +${added} ~${edited} -${removed}\n`,
  );
}

/** One run as a user would start it, from loading the model to the pointer. */
async function run(name: string, content: readonly SourceDocument[], rebuild?: "all"): Promise<Row> {
  const before = counted.bytes;
  const started = performance.now();
  const encoder = cachedEncoder(
    await createOnnxEncoder(await loadModel(EMBEDDED_MODEL), { device: "cpu" }),
    cache,
  );
  try {
    const options = { ...BUILD_DEFAULTS, tasks: [], rebuild, now: () => new Date() };
    const source = sourceOf(content);
    const report = await buildIndex(
      { index: "bench", source, encoder, store: counted.store, ...options },
      progress,
    );
    const seconds = (performance.now() - started) / 1000;
    return { run: name, seconds, bytes: counted.bytes - before, encoded: encoder.counts.misses, report };
  } finally {
    await encoder.close();
  }
}

async function read(source: Source): Promise<readonly SourceDocument[]> {
  const found: SourceDocument[] = [];
  for await (const record of source.records()) if (record.kind === "document") found.push(record.document);
  return found;
}

/** Of each hundred documents one is touched: of four such, two are edited, one is gone, one is new. */
function changed(content: readonly SourceDocument[]): readonly SourceDocument[] {
  return content.flatMap((document, at) => {
    if (at % 100 !== 0) return [document];
    const { id, fields } = document;
    const edited = { ...document, fields: { ...fields, text: `${fields.text} It was looked at again.` } };
    switch ((at / 100) % 4) {
      case 0:
        return [];
      case 1:
        return [document, { ...edited, id: `${id}-new` }];
      default:
        return [edited];
    }
  });
}

function sourceOf(content: readonly SourceDocument[]): Source {
  return {
    description: "memory",
    async *records() {
      for (const document of content) yield { kind: "document" as const, document };
    },
  };
}

/** A store that counts the bytes it is given. */
function countWrites(inner: WriteStore): { readonly store: WriteStore; readonly bytes: number } {
  let bytes = 0;
  const count = <T>(body: Uint8Array, done: T): T => {
    bytes += body.length;
    return done;
  };
  const store: WriteStore = {
    get: (key) => inner.get(key),
    getRange: (key, offset, length) => inner.getRange(key, offset, length),
    head: (key) => inner.head(key),
    list: (prefix) => inner.list(prefix),
    delete: (key) => inner.delete(key),
    put: (key, body) => count(body, inner.put(key, body)),
    putIfAbsent: (key, body) => count(body, inner.putIfAbsent(key, body)),
    putIfMatch: (key, body, etag) => count(body, inner.putIfMatch(key, body, etag)),
  };
  return {
    store,
    get bytes() {
      return bytes;
    },
  };
}
