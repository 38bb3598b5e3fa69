/** Brute force in float32: what recall is measured against. */

/** Rows of the `wanted` greatest dot products with a query, best first, ties to the lower row. Cost: rows x dimension. */
export function exactTop(
  vectors: Float32Array,
  dimension: number,
  query: Float32Array,
  wanted: number,
): readonly number[] {
  const best: { row: number; score: number }[] = [];
  let least = Number.NEGATIVE_INFINITY;
  for (let row = 0, at = 0; at < vectors.length; row++) {
    // Four sums, as one would wait for itself.
    let [a, b, c, d] = [0, 0, 0, 0];
    for (let j = 0; j < dimension; j += 4, at += 4) {
      a += vectors[at]! * query[j]!;
      b += vectors[at + 1]! * query[j + 1]!;
      c += vectors[at + 2]! * query[j + 2]!;
      d += vectors[at + 3]! * query[j + 3]!;
    }
    const score = a + b + c + d;
    if (best.length === wanted && score <= least) continue;
    let place = best.length;
    while (place > 0 && best[place - 1]!.score < score) place--;
    best.splice(place, 0, { row, score });
    if (best.length > wanted) best.pop();
    least = best[best.length - 1]!.score;
  }
  return best.map(({ row }) => row);
}

/** Share of the true rows that were found, over all queries. */
export function recallOf(
  truth: readonly (readonly number[])[],
  found: readonly (readonly number[])[],
): number {
  let hits = 0;
  let wanted = 0;
  truth.forEach((rows, at) => {
    const own = new Set(found[at]);
    wanted += rows.length;
    for (const row of rows) if (own.has(row)) hits++;
  });
  return hits / wanted;
}
