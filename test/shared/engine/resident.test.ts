import { beforeAll, describe, expect, it } from "vitest";
import { mostPostingBytes } from "../../../shared/engine/postings.ts";
import { loadHotShard, loadShard, residentShardBytes } from "../../../shared/engine/resident.ts";
import { loadTable, residentTableBytes } from "../../../shared/engine/resident-table.ts";
import { bytesOf } from "../../../shared/format/bytes.ts";
import { loadEnvelope, openStreamed } from "../../../shared/format/load.ts";
import { blobsOf, type Manifest } from "../../../shared/format/manifest.ts";
import { readAllButVectors, readShard, readShardMeta } from "../../../shared/format/shard.ts";
import { AS_ONE, type StreamLimits } from "../../../shared/format/streamed.ts";
import { readTable } from "../../../shared/format/table.ts";
import type { Kernels } from "../../../shared/kernels/kernels.ts";
import { SCRATCH_BYTES } from "../../../shared/kernels/memory.ts";
import { readList } from "../../../shared/kernels/posting-lists.ts";
import { createWasmKernels } from "../../../shared/kernels/wasm.ts";
import { KIB, MIB } from "../../../shared/limits.ts";
import type { ReadStore } from "../../../shared/store/store.ts";
import { buildTiny } from "../../helpers/tiny-build.ts";
import { sourceOf, tinyDocuments } from "../../helpers/tiny-corpus.ts";
import { builtKernels } from "../kernels/built.ts";

const PIECES: StreamLimits = { wholeBytes: 0, pieceBytes: 64 * KIB, atOnce: 2 };

let store: ReadStore;
let manifest: Manifest;
let module: Awaited<ReturnType<typeof builtKernels>>;
beforeAll(async () => {
  ({ store, manifest } = await buildTiny({ source: sourceOf(tinyDocuments(900)) }));
  module = await builtKernels();
});

const kernels = () => createWasmKernels(module, 16 * MIB);
const shard = () => blobsOf(manifest, "shard")[0]!;
const table = () => blobsOf(manifest, "table")[0]!;
/** All that a kernel memory holds but its scratch. */
const memoryOf = (all: Kernels) => all.bytes(SCRATCH_BYTES, all.residentBytes - SCRATCH_BYTES);

/** Codes in blocks of 64, byte by byte. */
function inBlocks(codes: Uint8Array, width: number): Uint8Array {
  const room = Math.ceil(codes.length / width / 64) * 64;
  return Uint8Array.from({ length: room * width }, (_, at) => {
    const [block, rest] = [Math.floor(at / (64 * width)), at % (64 * width)];
    return codes[(64 * block + (rest % 64)) * width + Math.floor(rest / 64)] ?? 0;
  });
}

describe("a shard", () => {
  it("gives back the sections that are laid out anew when they are, and no other", async () => {
    const file = await openStreamed(store, shard(), PIECES);
    const given = new Map<string, Uint8Array>();
    const { shard: hot } = await loadHotShard(readShardMeta(file.meta), kernels(), async (space) =>
      readAllButVectors(
        await file.readInto((name, bytes) => {
          const array = space(name, bytes);
          given.set(name, array);
          return array;
        }),
      ),
    );
    const gone = [...given].filter(([, { buffer }]) => buffer.byteLength === 0).map(([name]) => name);
    // Kernel memory has grown, so views of what lies there are none any more.
    expect(gone.sort()).toEqual(["codes", "factors", "impacts", "rows"]);
    expect(hot.owners.length).toBe(hot.meta.documents + 1);
  });

  it("lies in memory as the file has it, section by section", async () => {
    const file = readShard(await loadEnvelope(store, shard()));
    const resident = await loadShard(store, shard(), kernels(), PIECES);
    const { codes, factors, meta, owners } = file;
    expect(resident).toMatchObject({ meta, owners });
    for (const [pointer, bytes] of [
      [resident.codes.codes, inBlocks(codes, meta.padded / 8)],
      [resident.codes.factors, bytesOf(factors)],
    ] as const) {
      expect(Buffer.compare(resident.kernels.bytes(pointer, bytes.length), bytes)).toBe(0);
    }
    const documents = Uint32Array.from({ length: meta.documents }, (_, at) => at);
    const { ids, idStarts, places } = file;
    expect(resident.cold.facts(documents)).toEqual({ ids, idStarts, places });
    for (let chunk = 0; chunk < meta.chunks; chunk += 7) {
      const { values, scale } = resident.cold.vector(chunk);
      expect(values).toEqual(file.vectors.slice(chunk * meta.padded, (chunk + 1) * meta.padded));
      expect(scale).toBe(file.scales[chunk]);
    }
  });

  it("has the file's postings, list by list", async () => {
    const { meta, terms, starts, rows, impacts } = readShard(await loadEnvelope(store, shard()));
    const resident = await loadShard(store, shard(), kernels(), PIECES);
    const { postings } = resident;
    expect(postings.terms).toEqual(terms);
    terms.forEach((_, at) => {
      const length = postings.starts[at + 1]! - postings.starts[at]!;
      const list = readList(
        resident.kernels.bytes(postings.lists + postings.starts[at]!, length),
        meta.documents,
      );
      expect(list.rows).toEqual([...rows.subarray(starts[at]!, starts[at + 1]!)]);
      expect(list.impacts).toEqual([...impacts.subarray(starts[at]!, starts[at + 1]!)]);
    });
  });

  it("takes no more memory than its meta lets expect", async () => {
    const resident = await loadShard(store, shard(), kernels(), AS_ONE);
    const { lists, starts } = resident.postings;
    expect(starts[starts.length - 1]).toBeLessThan(2.7 * resident.meta.postings);
    expect(resident.kernels.residentBytes - lists).toBeLessThan(mostPostingBytes(resident.meta) + 64 * KIB);
  });

  it("is the same to the byte in pieces and whole", async () => {
    expect(shard().bytes).toBeGreaterThan(3 * PIECES.pieceBytes);
    const { kernels: a, cold: coldWhole, ...whole } = await loadShard(store, shard(), kernels(), AS_ONE);
    const { kernels: b, cold: coldPieces, ...pieces } = await loadShard(store, shard(), kernels(), PIECES);
    expect(pieces).toEqual(whole);
    const all = Uint32Array.from({ length: whole.meta.documents }, (_, at) => at);
    expect(coldPieces.facts(all)).toEqual(coldWhole.facts(all));
    expect(Buffer.compare(memoryOf(a), memoryOf(b))).toBe(0);
  });

  it("keeps nothing of the file beside its own arrays", async () => {
    const resident = await loadShard(store, shard(), kernels(), AS_ONE);
    for (const array of [resident.owners, resident.postings.starts, resident.postings.terms])
      expect(array.buffer.byteLength).toBe(array.byteLength);
    expect(residentShardBytes(resident)).toBeGreaterThan(shard().bytes / 2);
    expect(residentShardBytes(resident)).toBeLessThan(shard().bytes + 128 * KIB);
  });
});

describe("a table", () => {
  it("lies in memory as the file has it, in pieces and whole", async () => {
    const { rows, phrases, ...arrays } = readTable(await loadEnvelope(store, table()));
    for (const limits of [PIECES, AS_ONE]) {
      const resident = await loadTable(store, table(), kernels(), limits);
      expect(resident).toMatchObject(arrays);
      expect(resident.phrases.count).toBe(phrases.length / 2);
      expect(Buffer.compare(resident.kernels.bytes(resident.rows, rows.length), rows)).toBe(0);
      expect([...resident.kernels.bytes(resident.codebooks, 16)]).toEqual(
        arrays.meta.codebook.map((value) => value & 0xff),
      );
      expect(residentTableBytes(resident)).toBeLessThan(table().bytes + 128 * KIB);
    }
  });
});
