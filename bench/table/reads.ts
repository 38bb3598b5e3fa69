/** How many reads a query takes that finds no row of the tail in memory. */
import { missingRows, type ResidentTable, residentTableBytes } from "../../shared/engine/resident-table.ts";
import { layoutOf, rangeOf } from "../../shared/format/row-layout.ts";
import { FORMAT_LIMITS } from "../../shared/limits.ts";
import { type Result, round } from "../result.ts";

/** Shares of queries by reads, for the collection's own and for others, each as the first query of its isolate. */
export function readsOf(
  table: ResidentTable,
  own: readonly (readonly number[])[],
  more: readonly (readonly number[])[],
): readonly Result[] {
  const kept = table.tail === null ? "all rows" : `${table.tail.first} of ${table.meta.rows} rows`;
  const note = `${kept} kept, ${round(residentTableBytes(table) / 1e6)} MB`;
  return [
    ...sharesOf("collection", table, own, note),
    ...(more.length === 0 ? [] : sharesOf("others", table, more, note)),
  ];
}

function sharesOf(
  name: string,
  table: ResidentTable,
  queries: readonly (readonly number[])[],
  note: string,
): readonly Result[] {
  const layout = layoutOf(table.meta);
  const reads = queries.map((ids) => {
    const blocks = missingRows(table, ids).map((row) =>
      Math.floor(rangeOf(layout, row).start / FORMAT_LIMITS.blockBytes),
    );
    return new Set(blocks).size;
  });
  const share = (count: number) => reads.filter((each) => each <= count).length / reads.length;
  const most = reads.reduce((a, b) => Math.max(a, b), 0);
  return [
    {
      name: `reads.${name}.none`,
      value: round(share(0)),
      unit: "share",
      note: `of ${queries.length} queries; ${note}`,
    },
    {
      name: `reads.${name}.one`,
      value: round(share(1)),
      unit: "share",
      note: `at most one read; ${most} at most`,
    },
  ];
}
