/** Question: how large is what the edge loads? Corpus: the collection's index. */
import { blobsOf } from "../../shared/format/manifest.ts";
import type { Context } from "../context.ts";
import type { Result } from "../result.ts";

/** `table.bytes` and the bytes of the index's other files. */
export function measureBytes({ index }: Context): readonly Result[] {
  const { manifest } = index;
  const bytes = (role: "table" | "lexicon" | "shard" | "documents" | "tokenizer") =>
    blobsOf(manifest, role).reduce((sum, blob) => sum + blob.bytes, 0);
  const { vocabulary, dimension } = manifest.model;
  const float32 = vocabulary * dimension * 4;
  return [
    {
      name: "table.bytes",
      value: bytes("table"),
      unit: "bytes",
      peer: "float32",
      peer_value: float32,
      ratio: Number((float32 / bytes("table")).toPrecision(3)),
    },
    { name: "shard.bytes", value: bytes("shard"), unit: "bytes", note: `${manifest.counts.chunks} chunks` },
    { name: "documents.bytes", value: bytes("documents"), unit: "bytes" },
    { name: "lexicon.bytes", value: bytes("lexicon"), unit: "bytes" },
    { name: "tokenizer.bytes", value: bytes("tokenizer"), unit: "bytes" },
    { name: "resident.bytes", value: index.residentBytes, unit: "bytes" },
  ];
}
