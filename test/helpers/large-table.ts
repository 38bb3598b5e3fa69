/** A table of 20,000 rows, too large for the bytes that it is given: it has tiers. */
import { compressTable, inMemory } from "../../indexer/compress/compress-table.ts";
import { Random } from "../../indexer/random.ts";
import { Publisher } from "../../indexer/store/publish-version.ts";
import type { BlobEntry } from "../../shared/format/manifest.ts";
import type { Sha256 } from "../../shared/hash.ts";
import { MemoryStore } from "../../shared/store/memory.ts";

/** Token ids are below it; row r is that of token `LARGE - 1 - r`, as uses ascend with ids. */
export const LARGE = 20_000;
export const LARGE_DIMENSION = 120;
/** First and second token of the pairs. */
export const LARGE_PAIRS = [5, 3, 700, 19_999] as const;
const DIGEST = "c".repeat(64) as Sha256;

/** Makes the table and puts it into a store of its own. */
export async function largeTable(
  tableBytes?: number,
): Promise<{ readonly store: MemoryStore; readonly entry: BlobEntry; readonly rows: Float32Array }> {
  const random = new Random(11);
  const noise = (length: number) => Float32Array.from({ length }, () => random.bits() / 2 ** 31 - 1);
  const rows = noise(LARGE * LARGE_DIMENSION);
  const { file } = await compressTable(
    inMemory({
      rows,
      phrases: Uint32Array.from(LARGE_PAIRS),
      phraseRows: noise((LARGE_PAIRS.length / 2) * LARGE_DIMENSION),
      dimension: LARGE_DIMENSION,
      figures: {},
    }),
    {
      ...{ encoder: DIGEST, tokenizer: DIGEST, task: "search", queryPrompt: "", bits: 3, tableBytes },
      uses: Uint32Array.from({ length: LARGE }, (_, id) => id),
      weights: new Float64Array(LARGE).fill(1),
    },
  );
  const store = new MemoryStore();
  return { store, entry: { role: "table", task: "search", ...(await new Publisher(store).put(file)) }, rows };
}
