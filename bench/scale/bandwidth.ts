/**
 * Question: how near do the scan kernels come to what one core can read?
 *
 * Corpus: pseudo-random codes and vectors of 384 numbers, many times the size of the last cache, and as many
 * as fit a shard of 50,000 chunks, which stay in the cache. The rate counts what a kernel must read and not what it
 * writes: codes and factors for `scanCodes`, vectors for `dotRows` in order. Denominators, measured
 * in turn with the kernels: a sum of 32-bit lanes in WASM SIMD over as many bytes (for the large buffers what this runtime
 * gets from memory, for a shard in the cache what it gets from there, which no kernel with work to do comes near), and, for
 * the large ones, bandwidth.c, compiled with gcc for this very processor, where there is a gcc. The sum is one stream of
 * reads: `dotRows`, which has four, may pass it.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadKernelsModule } from "../../indexer/kernels-node.ts";
import { SCAN_BATCH } from "../../shared/engine/codes.ts";
import { BLOCK_CODES, tableBytes } from "../../shared/kernels/code-blocks.ts";
import { createWasmKernels } from "../../shared/kernels/wasm.ts";
import { MIB } from "../../shared/limits.ts";
import { against, quantile, type Result, round } from "../result.ts";
import { benchKernels } from "./module.ts";
import { spread, timeRounds } from "./rounds.ts";

const DIMENSION = 384;
const CODE_BYTES = DIMENSION / 8;
/** Bytes of the large buffers: several times any last cache. */
const LARGE = 256 * MIB;
const SHARD = 50_000;
/** Bytes of its codes and factors, as the sum over them takes them: in whole lines. */
const SHARD_BYTES = Math.floor((SHARD * (CODE_BYTES + 4)) / 64) * 64;
const ROUNDS = 15;

/** Rates in GB/s, each against both denominators. */
export async function measureBandwidth(note: (message: string) => void): Promise<readonly Result[]> {
  const native = nativeRead(note);
  const module = await loadKernelsModule();
  const sums = await benchKernels(LARGE);
  new Int32Array(sums.buffer).fill(0x01020304);
  const scanned = Math.floor(LARGE / CODE_BYTES / BLOCK_CODES) * BLOCK_CODES;
  const scan = scanner(createWasmKernels(module, 1 << 30), scanned);
  const cached = scanner(createWasmKernels(module, 64 * MIB), SHARD);
  const rows = Math.floor(LARGE / DIMENSION);
  const dots = dotter(createWasmKernels(module, 1 << 29), rows);
  const times = timeRounds(
    {
      sum: () => sums.sumBytes(0, LARGE),
      sumCached: () => {
        for (let i = 0; i < 100; i++) sums.sumBytes(0, SHARD_BYTES);
      },
      scan: () => scan(),
      cached: () => {
        for (let i = 0; i < 100; i++) cached();
      },
      dots: () => dots(),
    },
    [0],
    ROUNDS,
  );
  const again = native === null ? null : nativeRead(note);
  const rate = (bytes: number, ms: number) => bytes / ms / 1e6;
  const wasm = rate(LARGE, times.sum.median);
  const core = native === null || again === null ? null : Math.max(native, again);
  const rates = [
    { name: "scan", bytes: scanned * (CODE_BYTES + 4), time: times.scan, sum: wasm, of: "codes and factors" },
    {
      name: "scan.cached",
      bytes: 100 * SHARD * (CODE_BYTES + 4),
      time: times.cached,
      sum: rate(100 * SHARD_BYTES, times.sumCached.median),
      of: "codes and factors of 50,000 chunks, in the cache, where the sum is too",
    },
    { name: "dots", bytes: rows * DIMENSION, time: times.dots, sum: wasm, of: "int8 vectors in order" },
  ];
  return [
    { name: "scale.read.wasm", value: round(wasm), unit: "GB/s", note: `${spread(times.sum)} ms` },
    ...(core === null
      ? []
      : [{ name: "scale.read.native", value: round(core), unit: "GB/s", note: "bandwidth.c, widest loads" }]),
    ...rates.flatMap(({ name, bytes, time, sum, of }) => {
      const own = { name: `scale.${name}`, value: round(rate(bytes, time.median)), unit: "GB/s" };
      const said = `${of}; ${spread(time)} ms`;
      return [
        { ...against({ ...own, name: `${own.name}.wasm` }, "WASM sum", sum, "more"), note: said },
        ...(core === null
          ? []
          : [{ ...against({ ...own, name: `${own.name}.native` }, "native sum", core, "more"), note: said }]),
      ];
    }),
  ];
}

type Kernels = ReturnType<typeof createWasmKernels>;

/** A scan of so many codes, a batch at a time as the engine does it. */
function scanner(kernels: Kernels, count: number): () => void {
  const room = Math.ceil(count / BLOCK_CODES) * BLOCK_CODES;
  const codes = kernels.allocate(room * CODE_BYTES);
  const factors = kernels.allocate(4 * room);
  const planes = kernels.allocate(4 * CODE_BYTES);
  const estimates = kernels.allocate(4 * SCAN_BATCH);
  fillWithNoise(kernels.ints(codes, (count * CODE_BYTES) / 4));
  // Values of 0, 1, 2 and 3.
  fillWithNoise(kernels.ints(planes, CODE_BYTES / 2));
  const querySum = kernels
    .bytes(planes, 2 * CODE_BYTES)
    .reduce((sum, byte, at) => sum + (at < CODE_BYTES ? 1 : 2) * ones(byte), 0);
  kernels.floats(factors, count).fill(0.05);
  const tables = kernels.allocate(tableBytes(DIMENSION));
  kernels.scanTables(planes, DIMENSION, tables);
  return () => {
    for (let first = 0; first < count; first += SCAN_BATCH) {
      const batch = Math.min(SCAN_BATCH, count - first);
      kernels.scanCodes(codes, factors, first, batch, DIMENSION, tables, querySum, estimates);
    }
  };
}

/** Bits of a byte that are set. */
function ones(byte: number): number {
  let count = 0;
  for (let rest = byte; rest > 0; rest >>= 1) count += rest & 1;
  return count;
}

/** Products of so many vectors in order. */
function dotter(kernels: Kernels, count: number): () => void {
  const vectors = kernels.allocate(count * DIMENSION);
  const rows = kernels.allocate(4 * count);
  const query = kernels.allocate(2 * DIMENSION);
  const out = kernels.allocate(4 * count);
  fillWithNoise(kernels.ints(vectors, (count * DIMENSION) / 4));
  kernels.ints(rows, count).forEach((_, i, all) => {
    all[i] = i;
  });
  kernels.shorts(query, DIMENSION).forEach((_, j, all) => {
    all[j] = (j * 37) % 2000;
  });
  return () => kernels.dotRows(vectors, rows, count, DIMENSION, query, out);
}

/** Bytes that no predictor guesses. */
function fillWithNoise(words: Int32Array): void {
  let state = 1;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
}

/** GB/s of bandwidth.c: the better of the loads of this processor and of 16 bytes, which older code uses; null without a compiler. */
function nativeRead(note: (message: string) => void): number | null {
  const scratch = mkdtempSync(join(tmpdir(), "lightedge-bandwidth-"));
  try {
    const source = fileURLToPath(new URL("bandwidth.c", import.meta.url));
    const rates = [
      ["-march=native", "-DWIDTH=64"],
      ["-msse2", "-DWIDTH=16"],
    ].map((flags) => {
      execFileSync("gcc", ["-O3", ...flags, "-o", join(scratch, "read"), source], { stdio: "pipe" });
      const printed = execFileSync(join(scratch, "read"), [String(LARGE), "15"], { stdio: "pipe" });
      return Number(printed.toString());
    });
    return quantile(rates, 1);
  } catch (error) {
    note(`The native denominator is left out: ${error instanceof Error ? error.message.split("\n")[0] : ""}`);
    return null;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}
