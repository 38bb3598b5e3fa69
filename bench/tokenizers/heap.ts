/**
 * Memory that a stored tokenizer takes in an engine of its own, started by `bench/tokenizers.ts`:
 *
 *   node --expose-gc bench/tokenizers/heap.ts FILE < QUERIES
 *
 * FILE is a tokenizer file. Prints `{load_ms, query_us, seen_us, heap_mb, buffers_mb}`; queries are lines. `query_us`
 * is for a tokenizer that has seen none of their words, `seen_us` for one that has seen all.
 */
import { readFileSync } from "node:fs";
import { parseEnvelope } from "../../shared/format/envelope.ts";
import { readTokenizerFile } from "../../shared/format/tokenizer-file.ts";
import { loadTokenizer } from "../../shared/tokenizer/load.ts";
import type { Tokenizer } from "../../shared/tokenizer/tokenizer.ts";
import { quantile, round } from "../result.ts";

const ROUNDS = 60;
/** Rounds in which the engine compiles. */
const WARM = 20;
/** Tokenizers that are loaded anew. */
const FRESH = 5;

const queries = readFileSync(0, "utf8").split("\n");
const settle = () => {
  for (let times = 0; times < 4; times++) globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return { heapUsed, arrayBuffers };
};
const file = process.argv[2]!;
const before = settle();
const tokenizer = await load(file);
const seen = Array.from({ length: ROUNDS }, () => passMicroseconds(tokenizer.value));
const after = settle();
const unseen: number[] = [];
for (let fresh = 0; fresh < FRESH; fresh++) unseen.push(passMicroseconds((await load(file)).value));
process.stdout.write(
  JSON.stringify({
    load_ms: round(tokenizer.ms),
    query_us: round(quantile(unseen, 0.5)),
    seen_us: round(quantile(seen.slice(WARM), 0.5)),
    heap_mb: round((after.heapUsed - before.heapUsed) / 1e6),
    buffers_mb: round((after.arrayBuffers - before.arrayBuffers) / 1e6),
  }),
);

function passMicroseconds(value: Tokenizer): number {
  const started = performance.now();
  for (const query of queries) value.ids(query);
  return ((performance.now() - started) * 1000) / queries.length;
}

async function load(path: string) {
  // Copied into a buffer of its own, as a store gives it.
  const bytes = new Uint8Array(readFileSync(path));
  const started = performance.now();
  const value = loadTokenizer(readTokenizerFile(parseEnvelope(bytes, "tokenizer")).value);
  return { value, ms: performance.now() - started };
}
