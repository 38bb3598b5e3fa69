/** How long eight tokens take to become a query's vector, beside a bare sum of eight rows. */
import { encodeQuery } from "../../shared/engine/encode-query.ts";
import type { ResidentTable } from "../../shared/engine/resident-table.ts";
import { against, quantile, type Result, round } from "../result.ts";
import type { StretchedTable } from "./stretch.ts";

const TOKENS = 8;
const ROUNDS = 60;
const WARM = 10;

/** `encode` in microseconds. */
export function speedOf(
  table: StretchedTable,
  resident: ResidentTable,
  texts: readonly (readonly number[])[],
): readonly Result[] {
  const queries = texts.filter(({ length }) => length >= TOKENS).map((ids) => ids.slice(0, TOKENS));
  const time = (call: (ids: readonly number[]) => void): number => {
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const started = performance.now();
      for (const ids of queries) call(ids);
      times.push(((performance.now() - started) * 1000) / queries.length);
    }
    return quantile(times.slice(WARM), 0.5);
  };
  const rows = new Map(queries.flat().map((id) => [id, table.row(id)]));
  const sum = new Float32Array(table.dimension);
  const bare = time((ids) => {
    sum.fill(0);
    for (const id of ids) {
      const row = rows.get(id)!;
      for (let j = 0; j < sum.length; j++) sum[j]! += row[j]!;
    }
  });
  const encode = time((ids) => {
    encodeQuery(resident, ids);
  });
  const note = `${queries.length} queries of ${TOKENS} tokens`;
  return [
    against(
      { name: "encode", value: round(encode), unit: "us", note },
      "float32 rows added up",
      bare,
      "less",
    ),
  ];
}
