/**
 * Questions: how many of the exact ten best documents does the first pass leave out, and how
 * far does rounding the query to 12 bits move a cosine?
 * Corpus and queries: the collection's own. The twin: every document rescored.
 */
import { nodePorts } from "../indexer/engine-node.ts";
import { encodeQuery } from "../shared/engine/encode-query.ts";
import { liveShards, searchable } from "../shared/engine/live-shards.ts";
import { loadShard } from "../shared/engine/resident.ts";
import { loadTable } from "../shared/engine/resident-table.ts";
import { NEAR_POOL } from "../shared/engine/shard-contract.ts";
import { blobsOf } from "../shared/format/manifest.ts";
import { loadTokenizer } from "../shared/tokenizer/load.ts";
import type { Context } from "./context.ts";
import { type Result, round } from "./result.ts";

const MEMORY = 1 << 28;
const BEST = 10;

/** `first-pass.missing`, a share of 0 to 1, and `query.rounding`, the greatest difference of a cosine. */
export async function measureFirstPass({
  collection,
  index,
  store,
  encoder,
}: Context): Promise<readonly Result[]> {
  const ports = await nodePorts(store);
  const tokenizer = loadTokenizer(encoder.model.tokenizer);
  const blob = (role: "table" | "shard") => blobsOf(index.manifest, role)[0]!;
  const table = await loadTable(store, blob("table"), ports.kernels(MEMORY));
  const [shard] = liveShards([await loadShard(store, blob("shard"), ports.kernels(MEMORY))]);
  if (shard === undefined) throw new Error("The collection has no shard.");
  const { documents } = shard.meta;
  let cases = 0;
  let missing = 0;
  let rounding = 0;
  for (const { text } of collection.queries) {
    const query = encodeQuery(table, tokenizer.ids(text));
    if (query.dense === null) continue;
    const exact = table.kernels.floats(table.sum, shard.meta.padded).slice();
    const all = searchable(shard).score(
      query,
      Uint32Array.from({ length: documents }, (_, at) => at),
    );
    const near = new Set(searchable(shard).propose(query, NEAR_POOL).dense.documents);
    const best = Array.from(all.documents.keys()).sort((a, b) => all.dense[b]! - all.dense[a]!);
    for (const at of best.slice(0, BEST)) {
      cases++;
      if (!near.has(all.documents[at]!)) missing++;
      const chunk = shard.owners[all.documents[at]!]! + all.chunks[at]!;
      const { values, scale } = shard.cold.vector(chunk);
      const dot = exact.reduce((sum, value, j) => sum + value * values[j]!, 0) * scale;
      rounding = Math.max(rounding, Math.abs(dot / query.dense.norm - all.dense[at]!));
    }
  }
  const note = `${cases} documents, the first shard`;
  return [
    { name: "first-pass.missing", value: round(missing / cases), unit: "", note },
    { name: "query.rounding", value: round(rounding), unit: "cosine", note },
  ];
}
