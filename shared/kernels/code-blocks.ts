/** How codes of one bit a number, and what a scan of them knows of a query, lie in kernel memory. */

/** Codes of a block: what `blockCodes` lays together, and `scanCodes` reads at once. */
export const BLOCK_CODES = 64;

/** Codes that are estimated together at the ends of a range. Their factors must all be there. */
export const LANE_CODES = 16;

/** `count` raised to a multiple of `unit`. */
export function wholeUnits(count: number, unit: number): number {
  return Math.ceil(count / unit) * unit;
}

/** Bytes that `scanTables` fills for a padded dimension. */
export function tableBytes(dimension: number): number {
  return 4 * dimension + 32;
}

/** Whether any of the values that four bit planes of equal length spell is -8: then look-ups could leave a byte. */
export function holdsLeast(planes: Uint8Array): boolean {
  const width = planes.length / 4;
  for (let at = 0; at < width; at++) {
    const others = planes[at]! | planes[width + at]! | planes[2 * width + at]!;
    if ((planes[3 * width + at]! & ~others) !== 0) return true;
  }
  return false;
}
