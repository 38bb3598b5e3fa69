/** The known name that a mistyped one most resembles. */

/** Longer names are not compared: no field has one, and the cost is the product of the lengths. */
const LONGEST = 32;

/**
 * The known name at the least edit distance, if that is at most a third of its length and
 * one more; the first of equals. Undefined where nothing is near.
 */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  if (name.length > LONGEST) return undefined;
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate);
    if (distance < least && distance <= 1 + Math.floor(candidate.length / 3)) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}

/** Levenshtein's distance in UTF-16 units, one row of the matrix at a time. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replace = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replace, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}
