/** Pieces of random histories. */
import type { Random } from "../../indexer/random.ts";
import type { Chance } from "../helpers/fault-plan.ts";
import type { Change } from "./content.ts";
import type { Actor, Job } from "./history.ts";

/** A minute and an hour in ms. */
export const MINUTE = 60_000;
/** An hour in ms. */
export const HOUR = 60 * MINUTE;

/** Ids and texts are few, so that contents come back that were there before. */
const TEXTS = ["x", "y", "z"];
const IDS = ["a", "b", "c", "d"];

/** A change of one of these indexes, now and then back to what was before. */
export function drawWrite(random: Random, indexes: readonly string[], atMs: number): Job {
  if (random.below(5) > 0) return drawPublish(random, indexes, atMs);
  return { kind: "roll back", atMs, index: random.pick(indexes), back: 1 + random.below(4) };
}

/** A publication of one of these indexes: some documents added, changed or removed; now and then everything made anew. */
function drawPublish(random: Random, indexes: readonly string[], atMs: number): Job {
  const texts = new Map<string, string | null>();
  for (let n = random.below(3); n >= 0; n--) {
    texts.set(random.pick(IDS), random.below(4) === 0 ? null : random.pick(TEXTS));
  }
  const change: Change = random.below(5) === 0 ? { texts, table: random.below(3) } : { texts };
  return { kind: "publish", atMs, index: random.pick(indexes), change };
}

/** Between `least` and `most` actors of one kind. */
export function drawActors(
  random: Random,
  name: string,
  [least, most]: readonly [number, number],
  make: () => Pick<Actor, "jobs" | "faults"> & { readonly clean?: boolean },
): readonly Actor[] {
  return Array.from({ length: least + random.below(most - least + 1) }, (_, at) => {
    const { jobs, faults, clean = true } = make();
    return {
      name: `${name} ${at}`,
      jobs: [...jobs].sort((a, b) => a.atMs - b.atMs),
      skewMs: (random.below(96) - 48) * HOUR,
      faults,
      clean,
    };
  });
}

/** At least one and at most so many jobs. */
export function drawJobs(random: Random, most: number, draw: () => Job): readonly Job[] {
  return Array.from({ length: 1 + random.below(most) }, draw);
}

/** Three to five versions that follow each other at once, the last of them `ageMs` old when the rest begins. */
export function drawPast(random: Random, indexes: readonly string[], ageMs: number): readonly Job[] {
  const versions = Array.from({ length: 3 + random.below(3) }, () => drawPublish(random, indexes, 0));
  return [...versions, { kind: "read", index: indexes[0]!, atMs: ageMs, dwellMs: 0 }];
}

/** Faults that a store may show, `level` times as often as usual. */
export function soundFaults(level: number): readonly Chance[] {
  const usual: readonly Chance[] = [
    { fault: "fail before", chance: 0.008, below: 600 },
    { fault: "fail after", chance: 0.008 },
    { fault: "late", chance: 0.006, below: 3 * HOUR },
    { fault: "crash", chance: 0.004 },
    { fault: "crash after", chance: 0.004 },
    { fault: "conflict", chance: 0.004 },
    { fault: "conflict after", chance: 0.01 },
    { fault: "stall", chance: 0.004, below: 10 * MINUTE },
    { fault: "delay", chance: 0.01, below: HOUR },
    { fault: "cut", chance: 0.05, below: 4 },
    { fault: "short", chance: 0.003, below: 10 },
    { fault: "long", chance: 0.003, below: 10 },
    { fault: "flip", chance: 0.003, below: 2 ** 20 },
  ];
  return usual.map((each) => ({ ...each, chance: each.chance * level }));
}

/** Faults that a store may not show: whoever meets them is promised nothing but that nothing wrong is believed. */
export const UNSOUND_FAULTS: readonly Chance[] = [
  { fault: "missing", chance: 0.02 },
  { fault: "stale", chance: 0.05 },
  { fault: "flip", chance: 0.05, below: 2 ** 20 },
];
