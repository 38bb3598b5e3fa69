/** Contenders timed turn by turn: on a machine that others use too, only what ran side by side can be compared. */
import { quantile, round } from "../result.ts";

/** What came of the rounds: milliseconds of one item. */
export interface Timing {
  /** Mean over the items of each one's median over the rounds: what the machine did beside in one round does not count. */
  readonly median: number;
  /** Least and greatest mean of a round. */
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
  now: () => number = () => performance.now(),
): Readonly<Record<Name, Timing>> {
  const names = Object.keys(contenders) as Name[];
  /** By contender and round, the time of each item. */
  const times = new Map<Name, number[][]>(names.map((name) => [name, []]));
  for (let turn = -1; turn < rounds; turn++) {
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + turn + names.length) % names.length]!;
      const work = contenders[name];
      const own = items.map((item) => {
        const started = now();
        work(item);
        return now() - started;
      });
      if (turn >= 0) times.get(name)!.push(own);
    }
  }
  return Object.fromEntries(names.map((name) => [name, timingOf(times.get(name)!)])) as Record<Name, Timing>;
}

function timingOf(rounds: readonly (readonly number[])[]): Timing {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const means = rounds.map(mean);
  const medians = rounds[0]!.map((_, at) =>
    quantile(
      rounds.map((own) => own[at]!),
      0.5,
    ),
  );
  return { median: mean(medians), least: Math.min(...means), greatest: Math.max(...means) };
}

/** The spread of a timing in words. */
export function spread({ least, greatest }: Timing): string {
  return `rounds ${round(least)} to ${round(greatest)}`;
}
