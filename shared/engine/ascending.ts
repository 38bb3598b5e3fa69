/** Ascending lists of numbers. */

/** Two ascending lists as one. */
export function union(a: Uint32Array, b: Uint32Array): Uint32Array<ArrayBuffer> {
  const merged = new Uint32Array(a.length + b.length);
  let count = 0;
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const [left, right] = [a[i]!, b[j]!];
    merged[count++] = left < right ? left : right;
    if (left <= right) i++;
    if (right <= left) j++;
  }
  for (; i < a.length; i++) merged[count++] = a[i]!;
  for (; j < b.length; j++) merged[count++] = b[j]!;
  return merged.slice(0, count);
}

/** Place of a value in an ascending list, or -1. */
export function find(ascending: Uint32Array | Uint16Array, value: number): number {
  let low = 0;
  let high = ascending.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const found = ascending[middle]!;
    if (found === value) return middle;
    if (found < value) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}
