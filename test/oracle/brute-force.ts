/**
 * Search by plain loops over the stored numbers: the dumb twin of shared/engine. It shares
 * the file readers with it and nothing else.
 */
import { idAt } from "../../shared/format/ids.ts";
import { loadEnvelope } from "../../shared/format/load.ts";
import { blobsOf, type Manifest } from "../../shared/format/manifest.ts";
import { readShard, type ShardFile } from "../../shared/format/shard.ts";
import { NO_ROW, readTable, rowBytes } from "../../shared/format/table.ts";
import { unpackRow } from "../../shared/kernels/packing.ts";
import type { ReadStore } from "../../shared/store/store.ts";

/** Both scores of a document. */
export interface PlainScore {
  readonly id: string;
  readonly dense: number;
  readonly sparse: number;
}

/** Scores every document of an index for token ids, in the order of ids. */
export async function bruteForce(
  store: ReadStore,
  manifest: Manifest,
): Promise<(ids: readonly number[]) => readonly PlainScore[]> {
  const table = readTable(await loadEnvelope(store, blobsOf(manifest, "table")[0]!));
  const shards: ShardFile[] = [];
  for (const blob of blobsOf(manifest, "shard")) shards.push(readShard(await loadEnvelope(store, blob)));
  const { padded, bits, codebook, dimension } = table.meta;

  function embed(ids: readonly number[]): number[] {
    const sum = new Array<number>(dimension).fill(0);
    for (const id of ids) {
      const row = table.rank[id] ?? NO_ROW;
      if (row === NO_ROW) continue;
      const bytes = rowBytes(padded, bits);
      const codes = unpackRow(table.rows.subarray(row * bytes, (row + 1) * bytes), bits, padded);
      for (let j = 0; j < dimension; j++) {
        sum[j]! += table.scales[row]! * (bits === 8 ? codes[j]! : codebook[codes[j]!]!);
      }
    }
    const norm = Math.hypot(...sum);
    return norm > 0 ? sum.map((value) => value / norm) : sum;
  }

  return (ids) => {
    const query = embed(ids);
    return shards.flatMap((shard) => {
      const sparse = new Map<number, number>();
      for (const id of ids) {
        const term = shard.terms.indexOf(id);
        if (term < 0) continue;
        for (let at = shard.starts[term]!; at < shard.starts[term + 1]!; at++) {
          const add =
            (table.weights[id]! / table.meta.weight_scale) * (shard.impacts[at]! / shard.meta.impact_scale);
          sparse.set(shard.rows[at]!, (sparse.get(shard.rows[at]!) ?? 0) + add);
        }
      }
      return Array.from({ length: shard.meta.documents }, (_, document): PlainScore => {
        let dense = Number.NEGATIVE_INFINITY;
        for (let chunk = shard.owners[document]!; chunk < shard.owners[document + 1]!; chunk++) {
          let dot = 0;
          for (let j = 0; j < dimension; j++)
            dot += query[j]! * shard.vectors[chunk * padded + j]! * shard.scales[chunk]!;
          dense = Math.max(dense, dot);
        }
        return { id: idAt(shard, document), dense, sparse: sparse.get(document) ?? 0 };
      });
    });
  };
}
