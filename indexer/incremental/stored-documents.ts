/** Documents out of a stored shard, to be put into a new one: no encoder, no source, the same numbers. */
import { openDocuments } from "../../shared/format/documents.ts";
import { loadEnvelope } from "../../shared/format/load.ts";
import { wholeSource } from "../../shared/format/ranged.ts";
import { readShard } from "../../shared/format/shard.ts";
import { documentsOf } from "../../shared/segment/segment.ts";
import type { ReadStore } from "../../shared/store/store.ts";
import type { ShardDocument } from "../stages/make-shards.ts";
import type { BaseShard } from "./base.ts";

/** A shard's documents but those dead. Cost: the shard and its documents file are read whole, and stay in memory while they are wanted. */
export async function storedDocuments(
  store: ReadStore,
  base: BaseShard,
  dead: readonly number[],
): Promise<readonly ShardDocument[]> {
  const gone = new Set(dead);
  const shard = readShard(await loadEnvelope(store, base.shard));
  const file = await openDocuments(wholeSource(await loadEnvelope(store, base.documents)));
  let open:
    | { readonly number: number; readonly block: Awaited<ReturnType<typeof file.blocks>>[number] }
    | undefined;
  return documentsOf(shard).flatMap((numbers, row): readonly ShardDocument[] => {
    if (gone.has(row)) return [];
    const { block, index } = numbers.place;
    return [
      {
        id: numbers.id,
        chunks: numbers.chunks.length,
        postings: numbers.impacts.ids.length,
        async make() {
          // Records are asked for in their order, so one open block is enough.
          if (open?.number !== block) open = { number: block, block: (await file.blocks([block]))[0]! };
          return { numbers, record: open.block.record(index), digest: base.digests![row]! };
        },
      },
    ];
  });
}
