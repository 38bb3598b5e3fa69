/**
 * Memory of `lightedge index` with a model whose query table is its own: the greatest resident set of the process
 * (`VmHWM`), stage by stage, loading the model, its tokenizer, impacts, the table and publishing included.
 *
 *   node bench/index-memory.ts --model DIR [--collection DIR] [--documents 200] [--words 60] [--table made-up|model] [--json]
 *
 * Rows of a large model take hours on two cores and none of that memory: with `--table made-up` (the default) random
 * rows are put into the cache first, by the code that makes real ones, and what the run itself does is measured. Documents
 * are cut to `--words`, as the language model head costs a second for a hundred tokens. Linux alone has the figure.
 */
import { spawn } from "node:child_process";
import { createReadStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { makeRows } from "../indexer/cached/make-rows.ts";
import type { RowGraph } from "../indexer/cached/row-graph.ts";
import { planRows } from "../indexer/cached/row-plan.ts";
import { loadModel } from "../indexer/model/model.ts";
import { showProgress } from "../indexer/progress.ts";
import { Random } from "../indexer/random.ts";
import { loadTokenizer } from "../shared/tokenizer/load.ts";
import { type Result, round } from "./result.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string" },
    collection: { type: "string", default: "../shared/collections/scifact" },
    documents: { type: "string", default: "200" },
    words: { type: "string", default: "60" },
    table: { type: "string", default: "made-up" },
    json: { type: "boolean" },
  },
});
/** Milliseconds between two looks at the process. Its peak only grows, so a look misses nothing but the very end. */
const LOOK_MS = 50;
/** Different rows that are made up; they come again and again, as compressing does not care. */
const MADE_UP = 4096;

if (values.model === undefined) throw new Error("--model DIR is needed.");
const folder = mkdtempSync(join(tmpdir(), "lightedge-index-memory-"));
try {
  if (values.table === "made-up") await makeUp(values.model, join(folder, "cache"));
  const source = join(folder, "documents.jsonl");
  await writeDocuments(values.collection, source, Number(values.documents), Number(values.words));
  const { peak, stages } = await run(values.model, source);
  const result: Result = {
    name: "memory of indexing",
    value: round(peak / 2 ** 20),
    unit: "GB",
    note: `VmHWM, 2^30 bytes; ${values.documents} documents of at most ${values.words} words, table ${values.table}; after each stage: ${stages.join(", ")}`,
  };
  process.stdout.write(
    values.json
      ? `${JSON.stringify({ results: [result] }, null, 2)}\n`
      : `${result.name}: ${result.value} ${result.unit} (${result.note})\n`,
  );
} finally {
  rmSync(folder, { recursive: true });
}

/** Rows of the model's first task, at random. */
async function makeUp(model: string, cache: string): Promise<void> {
  const loaded = await loadModel(model);
  const { dimension, tasks } = loaded.description;
  const plan = await planRows(loaded, loadTokenizer(loaded.tokenizer), Object.keys(tasks)[0]!);
  const random = new Random(1);
  const data = Float32Array.from({ length: MADE_UP * dimension }, () => random.bits() / 2 ** 31 - 1);
  const graph: RowGraph = {
    provider: "chance",
    pass: async (ids) => ({
      data,
      first: ((ids[0]! * 7) % (MADE_UP - ids.length)) * dimension,
      stride: dimension,
    }),
    close: async () => {},
  };
  await makeRows(plan, null, { cache, open: async () => graph }, showProgress(process.stderr));
}

async function writeDocuments(collection: string, to: string, count: number, words: number): Promise<void> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: createReadStream(join(collection, "corpus.jsonl")) })) {
    const { _id, title, text } = JSON.parse(line) as Readonly<Record<"_id" | "title" | "text", string>>;
    lines.push(JSON.stringify({ id: _id, title, text: text.split(/\s+/u).slice(0, words).join(" ") }));
    if (lines.length === count) break;
  }
  writeFileSync(to, lines.join("\n"));
}

/** Runs the command; its peak in KiB, and what the peak was as each stage ended. */
async function run(model: string, source: string): Promise<{ peak: number; stages: string[] }> {
  const words = ["--index", "memory", "--model", model, "--device", "cpu", "--force", "--json"];
  const places = ["--store", `file:${join(folder, "store")}`, "--cache", join(folder, "cache")];
  const bin = fileURLToPath(new URL("../indexer/bin.mjs", import.meta.url));
  const child = spawn(process.execPath, [bin, "index", source, ...words, ...places], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const stages: string[] = [];
  let peak = 0;
  const look = () => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
      peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/u.exec(status)?.[1] ?? 0));
    } catch {
      // It has ended.
    }
  };
  const timer = setInterval(look, LOOK_MS);
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    process.stderr.write(text);
    look();
    const done = /^(.+?) {2,}[\d.]+ s/u.exec(text);
    if (done !== null) stages.push(`${done[1]} ${(peak / 2 ** 20).toFixed(2)}`);
  });
  const code = await new Promise((resolve) => child.once("close", resolve));
  clearInterval(timer);
  if (code !== 0) throw new Error(`lightedge index ended with ${code}`);
  return { peak, stages };
}
