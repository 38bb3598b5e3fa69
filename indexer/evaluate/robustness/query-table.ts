/** The table of an index in float32: its stored rows decoded, added up without rounding. */
import { loadEnvelope } from "../../../shared/format/load.ts";
import { blobsOf, type Manifest } from "../../../shared/format/manifest.ts";
import { readTable } from "../../../shared/format/table.ts";
import type { ReadStore } from "../../../shared/store/store.ts";
import { type DecodedTable, decodeTable, sumOfRows } from "../../compress/decode-table.ts";

/** A decoded table. */
export interface QueryTable extends DecodedTable {
  /** Unit vector of these tokens; zeros where none has a row. */
  encode(ids: readonly number[]): Float32Array<ArrayBuffer>;
}

/** Reads the table of the index's first task. */
export async function readQueryTable(store: ReadStore, manifest: Manifest): Promise<QueryTable> {
  const { table } = manifest.tasks[0]!;
  const blob = blobsOf(manifest, "table").find(({ sha256 }) => sha256 === table)!;
  const decoded = decodeTable(readTable(await loadEnvelope(store, blob)));
  return {
    ...decoded,
    encode(ids) {
      const sum = sumOfRows(decoded, ids);
      const norm = Math.hypot(...sum);
      return Float32Array.from(sum, (value) => (norm > 0 ? value / norm : 0));
    },
  };
}
