/** A shard's codes as they lie in memory, and the space that a pass over them works in. */
import type { HotShardFile, ShardMeta } from "../format/shard.ts";
import { BLOCK_CODES, tableBytes, wholeUnits } from "../kernels/code-blocks.ts";
import type { Kernels, Pointer } from "../kernels/kernels.ts";

/** Codes that are estimated at a time: their estimates are still in the processor's first cache when they are read. */
export const SCAN_BATCH = 4096;

/** Bytes of a bit for each of 65,536 documents. */
const SEEN_BYTES = 8192;

/** Bytes of kernel memory by name: codes with what belongs to them, and the space that a query needs for them. */
export function codeLengths({
  chunks,
  documents,
  padded,
}: Pick<ShardMeta, "chunks" | "documents" | "padded">) {
  return {
    // Early in memory, as the scores are: with 65,536 values behind it no document's number leads outside.
    best: documents * 4,
    seen: SEEN_BYTES,
    codes: (wholeUnits(chunks, BLOCK_CODES) * padded) / 8,
    // Sixteen fill a cache line, so there is room for those of the last.
    factors: chunks * 4,
    codeDocuments: chunks * 2,
    planes: padded / 2,
    tables: tableBytes(padded),
    estimates: Math.min(chunks, SCAN_BATCH) * 4,
    found: documents * 2,
  };
}

/** Codes in memory. */
export interface ResidentCodes {
  /** As `Kernels.blockCodes` lays them, with the factor of each. */
  readonly codes: Pointer;
  readonly factors: Pointer;
  /** Document of each code, 16 bits. */
  readonly documents: Pointer;
  /** First code of each cluster, one entry more than there are clusters; null where codes are in the order of chunks. */
  readonly clusters: Uint32Array<ArrayBuffer> | null;
}

/** Lays codes that have been read to where they stay, and says whose each is. */
export function layCodes(
  kernels: Kernels,
  { meta, owners, order }: Pick<HotShardFile, "meta" | "owners" | "order">,
  at: Readonly<Record<"codes" | "factors" | "codeDocuments" | "seen", Pointer>>,
): ResidentCodes {
  kernels.blockCodes(at.codes, meta.chunks, meta.padded);
  kernels.bytes(at.seen, SEEN_BYTES).fill(0);
  const numbers = kernels.shorts(at.codeDocuments, meta.chunks);
  const ofChunks = order === undefined ? numbers : new Int16Array(meta.chunks);
  for (let document = 0; document < meta.documents; document++)
    ofChunks.fill(document, owners[document]!, owners[document + 1]!);
  order?.chunks.forEach((chunk, code) => {
    numbers[code] = ofChunks[chunk]!;
  });
  const clusters = order?.starts ?? null;
  return { codes: at.codes, factors: at.factors, documents: at.codeDocuments, clusters };
}
