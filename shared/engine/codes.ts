/** A shard's codes as they lie in memory, and the space that a pass over them works in. */
import type { HotShardFile, ShardMeta } from "../format/shard.ts";
import type { Kernels, Pointer } from "../kernels/kernels.ts";

/** Codes that are estimated at a time: their estimates are still in the processor's first cache when they are read. */
export const SCAN_BATCH = 4096;

/** Bytes of a bit for each of 65,536 documents. */
const SEEN_BYTES = 8192;

/** Bytes of kernel memory by name: codes with what belongs to them, and the space that a query needs for them. */
export function codeLengths(meta: Pick<ShardMeta, "chunks" | "documents" | "padded">) {
  const { chunks, documents, padded } = meta;
  return {
    // Early in memory, as the scores are: with 65,536 values behind it no document's number leads outside.
    best: documents * 4,
    seen: SEEN_BYTES,
    codes: (Math.ceil(chunks / 16) * 16 * padded) / 8,
    // Whole blocks of sixteen fill whole cache lines, so there is room for those of the last.
    factors: chunks * 4,
    codeDocuments: isPlain(meta) ? 0 : chunks * 2,
    planes: padded / 2,
    tables: padded * 4,
    estimates: Math.min(chunks, SCAN_BATCH) * 4,
    found: documents * 2,
  };
}

/** Lays codes that have been read to where they stay, and says whose each is. */
export function layCodes(
  kernels: Kernels,
  { meta, owners }: Pick<HotShardFile, "meta" | "owners">,
  at: Readonly<Record<"codes" | "codeDocuments" | "seen", Pointer>>,
): { readonly codes: Pointer; readonly codeDocuments: Pointer | null } {
  const { codes } = at;
  kernels.blockCodes(codes, meta.chunks, meta.padded);
  kernels.bytes(at.seen, SEEN_BYTES).fill(0);
  if (isPlain(meta)) return { codes, codeDocuments: null };
  const numbers = kernels.shorts(at.codeDocuments, meta.chunks);
  for (let document = 0; document < meta.documents; document++)
    numbers.fill(document, owners[document]!, owners[document + 1]!);
  return { codes, codeDocuments: at.codeDocuments };
}

/** Whether each code is the one chunk of the document with its number. */
function isPlain({ chunks, documents }: Pick<ShardMeta, "chunks" | "documents">): boolean {
  return chunks === documents;
}
