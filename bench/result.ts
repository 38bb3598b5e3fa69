/** What a measurement is, and the arithmetic that all of them share. */

/** One measured figure; with a peer, the same figure of somebody else's in the same run. */
export interface Result {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly peer?: string;
  readonly peer_value?: number;
  /** How many times better the value is than the peer's. */
  readonly ratio?: number;
  /** What else one should know to read the figure. */
  readonly note?: string;
}

/** A result with a peer, where less is better (times, bytes) or more is (rates). */
export function against(result: Result, peer: string, peerValue: number, better: "less" | "more"): Result {
  const ratio = better === "less" ? peerValue / result.value : result.value / peerValue;
  return { ...result, peer, peer_value: round(peerValue), ratio: round(ratio) };
}

/** The value below which this share of the values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** Four significant digits: more would be noise. */
export function round(value: number): number {
  return Number(value.toPrecision(4));
}

/** Milliseconds of each call, after `warm` calls that do not count. */
export async function timeEach<T>(
  items: readonly T[],
  warm: number,
  call: (item: T) => unknown,
): Promise<number[]> {
  for (let i = 0; i < warm; i++) await call(items[i % items.length]!);
  const times: number[] = [];
  for (const item of items) {
    const started = performance.now();
    await call(item);
    times.push(performance.now() - started);
  }
  return times;
}
