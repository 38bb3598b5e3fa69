/** Random histories: who does what to which index, and when, drawn from a seed before anything runs. */
import type { Random } from "../../indexer/random.ts";
import type { Chance } from "../helpers/fault-plan.ts";
import type { Change } from "./content.ts";
import type { Retention } from "./ledger.ts";
import type { Unrest } from "./scheduler.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** One thing that a process does, after a wait. */
export type Job = { readonly index: string; readonly waitMs: number } & (
  | { readonly kind: "publish"; readonly change: Change }
  | { readonly kind: "read"; readonly dwellMs: number }
);

/** A process that does its jobs one after the other, each anew where it died in the middle. */
export interface Actor {
  readonly name: string;
  readonly jobs: readonly Job[];
  /** By how much its own clock is wrong, in ms. */
  readonly skewMs: number;
  readonly faults: readonly Chance[];
  /** Whether it only sees faults that leave what it is promised in force. */
  readonly clean: boolean;
}

/** A whole schedule's plan. */
export interface History {
  readonly indexes: readonly string[];
  readonly retention: Retention;
  readonly unrest: Unrest;
  readonly actors: readonly Actor[];
}

/** Ids and texts are few, so that contents come back that were there before. */
const IDS = ["a", "b", "c", "d"];
const TEXTS = ["x", "y", "z"];

/** A history. */
export function drawHistory(random: Random): History {
  const indexes = random.pick([["one"], ["one"], ["one", "two"]]);
  const graceMs = random.pick([30 * MINUTE, 2 * HOUR, 24 * HOUR]);
  const level = random.pick([0, 0.5, 1, 4]);
  const actor = (name: string, count: number, clean: boolean, draw: () => Job): Actor => ({
    name,
    jobs: Array.from({ length: 1 + random.below(count) }, draw),
    skewMs: (random.below(96) - 48) * HOUR,
    faults: chances(level, clean),
    clean,
  });
  const pace = random.pick([MINUTE, graceMs, 3 * graceMs]);
  const waitMs = () => random.below(pace);
  const index = () => random.pick(indexes);
  const writers = Array.from({ length: 2 + random.below(2) }, (_, at) =>
    actor(`indexer ${at}`, 4, true, () => ({
      kind: "publish",
      index: index(),
      waitMs: waitMs(),
      change: drawChange(random),
    })),
  );
  const readers = Array.from({ length: 1 + random.below(2) }, (_, at) =>
    actor(`reader ${at}`, 3, random.below(3) > 0, () => ({
      kind: "read",
      index: index(),
      waitMs: waitMs(),
      dwellMs: graceMs / random.pick([8, 100, 10_000]),
    })),
  );
  return {
    indexes,
    retention: { graceMs, keep: 1 + random.below(3) },
    unrest: { oversleep: random.pick([0, 0.02, 0.1]), zombie: random.pick([0, 0.01, 0.05]) },
    actors: [...writers, ...readers],
  };
}

function drawChange(random: Random): Change {
  const texts = new Map<string, string | null>();
  for (let n = random.below(3); n >= 0; n--) {
    texts.set(random.pick(IDS), random.below(4) === 0 ? null : random.pick(TEXTS));
  }
  return random.below(5) === 0 ? { texts, table: random.below(3) } : { texts };
}

/** Faults that a store may show without breaking its contract, and for who is not clean, some that break it. */
function chances(level: number, clean: boolean): readonly Chance[] {
  const sound: readonly Chance[] = [
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
  ];
  const damage: readonly Chance[] = [
    { fault: "missing", chance: 0.01 },
    { fault: "stale", chance: 0.05 },
    { fault: "short", chance: 0.01, below: 10 },
    { fault: "long", chance: 0.01, below: 10 },
    { fault: "flip", chance: 0.01, below: 2 ** 20 },
  ];
  const all = clean ? sound : [...sound, ...damage];
  return all.map((each) => ({ ...each, chance: each.chance * level }));
}
