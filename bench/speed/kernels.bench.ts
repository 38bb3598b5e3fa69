/**
 * How fast is each kernel, and how far from what memory allows?
 *
 * Corpus: pseudo-random bytes, 200,000 chunks of 384 dimensions. Prints one JSON object per
 * line: name, value, unit. Values are the median of the runs that fit in 0.6 s, on one core,
 * after as long a warm-up. `read-bandwidth` is the C library looking for a byte that is not in
 * 73 MiB, the size of the vectors: a kernel at that rate has nothing left to gain.
 * Run: `node bench/speed/kernels.bench.ts`, after `npm run build`.
 */
import { loadKernelsModule } from "../../indexer/kernels-node.ts";
import { tableBytes } from "../../shared/kernels/code-blocks.ts";
import { rowBytes } from "../../shared/kernels/packing.ts";
import { createWasmKernels } from "../../shared/kernels/wasm.ts";
import { MIB } from "../../shared/limits.ts";

const COUNT = 200_000;
const DIMENSION = 384;
const CODE_BYTES = DIMENSION / 8;
const RUN_MS = 600;

const kernels = createWasmKernels(await loadKernelsModule(), 512 * MIB);

function print(name: string, value: number, unit: string): void {
  console.log(JSON.stringify({ name, value: Number(value.toPrecision(4)), unit }));
}

/** Median milliseconds of one call. */
function time(work: () => void): number {
  const runFor = (ms: number): number[] => {
    const times: number[] = [];
    const end = performance.now() + ms;
    while (times.length < 5 || performance.now() < end) {
      const start = performance.now();
      work();
      times.push(performance.now() - start);
    }
    return times;
  };
  runFor(RUN_MS);
  const times = runFor(RUN_MS).sort((a, b) => a - b);
  return times[times.length >> 1]!;
}

/** Allocates space full of bytes that no predictor guesses. */
function noise(bytes: number): number {
  const pointer = kernels.allocate(bytes);
  let state = 1;
  const words = kernels.ints(pointer, bytes >> 2);
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return pointer;
}

// All space first: a later allocation would not move it, but views would end.
const codes = noise(COUNT * CODE_BYTES);
const vectors = noise(COUNT * DIMENSION);
const planes = noise(4 * CODE_BYTES);
const query = noise(2 * DIMENSION);
const codebook = noise(16);
const table = noise(8 * DIMENSION);
const impacts = noise(65_536);
const factors = kernels.allocate(4 * COUNT);
const tables = kernels.allocate(tableBytes(DIMENSION));
const estimates = kernels.allocate(4 * COUNT);
const scores = kernels.allocate(4 * COUNT);
const allRows = kernels.allocate(4 * COUNT);
const someRows = kernels.allocate(4 * 1000);
const postings = kernels.allocate(2 * 65_536);
const found = kernels.allocate(4 * COUNT);
const sum = kernels.allocate(4 * DIMENSION);
kernels.shorts(query, DIMENSION).forEach((value, j, all) => {
  all[j] = value >> 4;
});
kernels.floats(factors, COUNT).fill(0.05);
kernels.ints(allRows, COUNT).forEach((_, i, all) => {
  all[i] = i;
});
kernels.ints(someRows, 1000).forEach((_, i, all) => {
  all[i] = 199 * i;
});
kernels.shorts(postings, 65_536).forEach((_, i, all) => {
  all[i] = i;
});
// Three rows in ten have a score, as after a query of some common words.
kernels.ints(scores, COUNT).forEach((_, i, all) => {
  const hash = Math.imul(i, 0x9e3779b1) >>> 0;
  all[i] = hash % 10 < 3 ? (hash >>> 12) % 200_000 : 0;
});

const haystack = Buffer.alloc(COUNT * DIMENSION, 1);
print("read-bandwidth", haystack.length / time(() => haystack.indexOf(2)) / 1e6, "GB/s");

// Values of 0 to 7.
kernels.bytes(planes + 3 * CODE_BYTES, CODE_BYTES).fill(0);
kernels.scanTables(planes, DIMENSION, tables);
const scan = time(() =>
  kernels.scanCodes(codes, factors, 0, COUNT, DIMENSION, tables, 2 * DIMENSION, estimates),
);
print("scan-codes-200000x48", scan, "ms");
print("scan-codes-200000x48-rate", (COUNT * CODE_BYTES) / scan / 1e6, "GB/s of codes");

const dot = time(() => kernels.dotRows(vectors, allRows, COUNT, DIMENSION, query, found));
print("dot-rows-200000x384", dot, "ms");
print("dot-rows-200000x384-rate", (COUNT * DIMENSION) / dot / 1e6, "GB/s of vectors");
print(
  "dot-rows-1000x384-scattered",
  time(() => kernels.dotRows(vectors, someRows, 1000, DIMENSION, query, found)),
  "ms",
);

for (const bits of [2, 3, 4, 8] as const) {
  // A hundred queries of eight rows, as one is too short for the clock.
  const ms = time(() => {
    for (let i = 0; i < 800; i++) {
      const row = table + (i & 7) * rowBytes(DIMENSION, bits);
      kernels.accumulateRow(sum, row, bits, DIMENSION, codebook, 0.001);
    }
  });
  print(`accumulate-8-rows-384-${bits}-bit`, ms * 10, "us");
}

const add = time(() => kernels.addPostings(postings, impacts, 65_536, 700, estimates));
print("add-postings-65536", add, "ms");
print("add-postings-each", (add / 65_536) * 1e6, "ns");

kernels.scanCodes(codes, factors, 0, COUNT, DIMENSION, tables, 2 * DIMENSION, estimates);
print(
  "top-floats-1000-of-200000",
  time(() => kernels.topFloats(estimates, COUNT, 1000, found)),
  "ms",
);
print(
  "top-ints-1000-of-200000",
  time(() => kernels.topInts(scores, COUNT, 1000, found)),
  "ms",
);
