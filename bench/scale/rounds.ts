/** Contenders timed turn by turn: on a machine that others use too, only what ran side by side can be compared. */
import { quantile, round } from "../result.ts";

/** What came of the rounds: milliseconds of one item. */
export interface Timing {
  /** Median over the rounds of a round's mean. */
  readonly median: number;
  readonly least: number;
  readonly greatest: number;
}

/**
 * Every contender over all items in each round, the first of a round another one each time. `rounds` at
 * least 1; one round before them does not count.
 */
export function timeRounds<Name extends string, T>(
  contenders: Readonly<Record<Name, (item: T) => unknown>>,
  items: readonly T[],
  rounds: number,
): Readonly<Record<Name, Timing>> {
  const names = Object.keys(contenders) as Name[];
  const means = new Map<Name, number[]>(names.map((name) => [name, []]));
  for (let turn = -1; turn < rounds; turn++) {
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + turn + names.length) % names.length]!;
      const work = contenders[name];
      const started = performance.now();
      for (const item of items) work(item);
      if (turn >= 0) means.get(name)!.push((performance.now() - started) / items.length);
    }
  }
  const timing = (name: Name): Timing => ({
    median: quantile(means.get(name)!, 0.5),
    least: Math.min(...means.get(name)!),
    greatest: Math.max(...means.get(name)!),
  });
  return Object.fromEntries(names.map((name) => [name, timing(name)])) as Record<Name, Timing>;
}

/** The spread of a timing in words. */
export function spread({ least, greatest }: Timing): string {
  return `rounds ${round(least)} to ${round(greatest)}`;
}
