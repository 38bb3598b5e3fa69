/** Which letters lie beside each other on a QWERTY keyboard: for telling likely slips of a finger from others. */

/** The rows of letters, each shifted by half a key against the one above. */
const ROWS = ["qwertyuiop", "asdfghjkl", "zxcvbnm"] as const;

const NEIGHBOURS: ReadonlyMap<string, string> = new Map(
  ROWS.flatMap((row, y) => [...row].map((letter, x) => [letter, around(x, y)] as const)),
);

/** The letters whose keys touch this one's, a to z; none for any other character. */
export function keysBeside(letter: string): string {
  return NEIGHBOURS.get(letter) ?? "";
}

/** Key x of a row touches x - 1 and x + 1 beside it, x and x + 1 above, x - 1 and x below. */
function around(x: number, y: number): string {
  const at = (column: number, row: number): string => ROWS[row]?.[column] ?? "";
  return [at(x - 1, y), at(x + 1, y), at(x, y - 1), at(x + 1, y - 1), at(x - 1, y + 1), at(x, y + 1)].join(
    "",
  );
}
