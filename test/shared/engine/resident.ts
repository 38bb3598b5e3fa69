import type { LiveShard } from "../../../shared/engine/live-shard.ts";
import { liveShards } from "../../../shared/engine/live-shards.ts";
import { loadShard } from "../../../shared/engine/resident.ts";
import { loadTable, type ResidentTable } from "../../../shared/engine/resident-table.ts";
import { blobsOf, type Manifest } from "../../../shared/format/manifest.ts";
import { createReferenceKernels } from "../../../shared/kernels/reference.ts";
import { MIB } from "../../../shared/limits.ts";
import type { ReadStore } from "../../../shared/store/store.ts";
import { loadTokenizer } from "../../../shared/tokenizer/load.ts";
import type { Tokenizer } from "../../../shared/tokenizer/tokenizer.ts";
import { buildTiny } from "../../helpers/tiny-build.ts";
import { sourceOf, tinyDocuments } from "../../helpers/tiny-corpus.ts";
import { TINY_TOKENIZER } from "../../helpers/tiny-encoder.ts";

/** The parts that a searcher is made of, for tests that look at one stage. */
export interface TinyParts {
  readonly store: ReadStore;
  readonly manifest: Manifest;
  readonly tokenizer: Tokenizer;
  readonly table: ResidentTable;
  readonly shards: readonly LiveShard[];
}

/** A tiny index in memory, on the scalar kernels. */
export async function tinyParts(documents: number, shardChunks?: number): Promise<TinyParts> {
  const { store, manifest } = await buildTiny({
    source: sourceOf(tinyDocuments(documents)),
    ...(shardChunks === undefined ? {} : { shardChunks }),
  });
  const kernels = () => createReferenceKernels(16 * MIB);
  const shards = [];
  for (const blob of blobsOf(manifest, "shard")) shards.push(await loadShard(store, blob, kernels()));
  const table = await loadTable(store, blobsOf(manifest, "table")[0]!, kernels());
  return { store, manifest, tokenizer: loadTokenizer(TINY_TOKENIZER), table, shards: liveShards(shards) };
}
