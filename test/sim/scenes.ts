/** Random histories of several kinds, each of which looks for trouble in another place. */
import type { Random } from "../../indexer/random.ts";
import type { Chance } from "../helpers/fault-plan.ts";
import {
  drawActors,
  drawJobs,
  drawPast,
  drawPublish,
  drawWrite,
  HOUR,
  MINUTE,
  soundFaults,
  TWO_IDS,
  UNSOUND_FAULTS,
} from "./draw.ts";
import type { History } from "./history.ts";

/** A history. */
export function drawHistory(random: Random): History {
  return random.pick([everything, everything, revival, revival, race])(random);
}

/** Everybody meets at a few moments, some of them so far apart that what was replaced has grown old. */
function everything(random: Random): History {
  const indexes = random.pick([["one"], ["one"], ["one", "two"]]);
  const graceMs = random.pick([30 * MINUTE, 30 * MINUTE, 2 * HOUR, 24 * HOUR]);
  const faults = soundFaults(random.pick([0, 0.3, 1, 3]));
  const moments = [0];
  for (let n = 2 + random.below(3); n > 0; n--) {
    const pause = random.pick([MINUTE, 20 * MINUTE, graceMs + 20 * MINUTE, 2 * graceMs + HOUR]);
    moments.push(moments.at(-1)! + pause);
  }
  const atMs = () => random.pick(moments) + random.below(random.pick([100, 2000, 5 * MINUTE]));
  const dwellMs = () => graceMs / random.pick([8, 100, 10_000]);
  return {
    indexes,
    retention: { graceMs, keep: random.pick([1, 1, 2, 3]) },
    unrest: {
      oversleep: random.pick([0, 0.02, 0.1]),
      sticky: random.pick([0, 0.6, 0.9, 0.97]),
      hesitant: random.pick([0, 0.1]),
      zombie: random.pick([0, 0.01, 0.05]),
    },
    past: random.below(3) === 0 ? [] : drawPast(random, indexes, graceMs + random.below(2 * HOUR)),
    actors: [
      ...drawActors(random, "indexer", [2, 3], () => ({
        faults,
        jobs: drawJobs(random, 4, () => drawWrite(random, indexes, atMs())),
      })),
      ...drawActors(random, "reader", [1, 2], () => {
        const clean = random.below(3) > 0;
        return {
          clean,
          faults: clean ? faults : [...faults, ...UNSOUND_FAULTS],
          jobs: drawJobs(random, 3, () => ({
            kind: "read",
            atMs: atMs(),
            index: random.pick(indexes),
            dwellMs: dwellMs(),
          })),
        };
      }),
      ...drawActors(random, "collector", [0, 2], () => ({
        faults: random.below(4) === 0 ? [...faults, ...BAD_EYES] : faults,
        jobs: drawJobs(random, 4, () => ({ kind: "collect", atMs: atMs() })),
      })),
    ],
  };
}

/** A collector that sees every other manifest wrong. */
const BAD_EYES: readonly Chance[] = [{ fault: "flip", chance: 0.5, below: 2 ** 15, keys: /manifests/u }];

/** A collector that hears late what it has asked for. */
const SLOW_ANSWERS: readonly Chance[] = [
  { fault: "delay", chance: 0.05, below: 20 * MINUTE, keys: /^blobs/u },
];

/**
 * Old contents come back at the very moment at which they are collected: under a version that is as old as
 * they are, or under one that somebody has published since.
 */
function revival(random: Random): History {
  const indexes = random.pick([["one"], ["one"], ["one", "two"]]);
  const graceMs = 30 * MINUTE;
  const ageMs = 2 * graceMs;
  const faults = soundFaults(random.pick([0, 0, 1]));
  const publish = (atMs: number) => drawPublish(random, indexes, atMs, TWO_IDS);
  const recent = random.below(3) > 0 ? indexes.map((index) => ({ ...publish(ageMs), index })) : [];
  const atMs = () => random.below(500);
  return {
    indexes,
    retention: { graceMs, keep: 1 },
    unrest: {
      oversleep: 0.01,
      sticky: random.pick([0, 0.5]),
      hesitant: random.pick([0.2, 0.6]),
      zombie: random.pick([0, 0.04]),
    },
    past: [...drawPast(random, indexes, ageMs, TWO_IDS), ...recent],
    actors: [
      ...drawActors(random, "indexer", [1, 2], () => ({
        faults,
        jobs: drawJobs(random, 3, () => drawWrite(random, indexes, atMs(), TWO_IDS)),
      })),
      ...drawActors(random, "collector", [1, 2], () => ({
        faults: random.below(2) === 0 ? [...faults, ...SLOW_ANSWERS] : faults,
        jobs: drawJobs(random, 3, () => ({ kind: "collect", atMs: atMs() })),
      })),
    ],
  };
}

/** Many writers of one index at once over a store that is bad at saying what became of the pointer. */
function race(random: Random): History {
  const chance = random.pick([0.1, 0.3]);
  const keys = /current\.json$/u;
  const faults: readonly Chance[] = [
    { fault: "fail after", chance, keys },
    { fault: "fail before", chance: chance / 2, keys },
    { fault: "conflict after", chance: chance / 2, keys },
    { fault: "delay", chance, below: 10 * MINUTE, keys },
  ];
  return {
    indexes: ["one"],
    retention: { graceMs: 30 * MINUTE, keep: 1 },
    unrest: { oversleep: random.pick([0, 0.1]), sticky: random.pick([0, 0.6]), hesitant: 0.4, zombie: 0.01 },
    past: [],
    actors: drawActors(random, "indexer", [3, 4], () => ({
      faults,
      jobs: drawJobs(random, 3, () => drawWrite(random, ["one"], random.below(1000))),
    })),
  };
}
