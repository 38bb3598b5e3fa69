/** Random histories of several kinds, each of which looks for trouble in another place. */
import type { Random } from "../../indexer/random.ts";
import type { Chance } from "../helpers/fault-plan.ts";
import {
  drawActors,
  drawJobs,
  drawPast,
  drawWrite,
  HOUR,
  MINUTE,
  soundFaults,
  UNSOUND_FAULTS,
} from "./draw.ts";
import type { History, Job } from "./history.ts";

/** Each draws a history of its kind. */
const DRAWS = { everything, revival, sleepers, race } as const;

/** A kind of history. */
export type Scene = keyof typeof DRAWS;
/** All kinds, the more telling ones twice. */
const SCENES: readonly Scene[] = ["everything", "everything", "revival", "revival", "sleepers", "race"];

/** Whether there is a kind of this name. */
export function isScene(name: string): name is Scene {
  return Object.hasOwn(DRAWS, name);
}

/** A history of this kind, or of any. */
export function drawHistory(random: Random, scene: Scene = random.pick(SCENES)): History {
  return DRAWS[scene](random);
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
  const say = (index: string, text: number, atMs: number): Job => ({
    kind: "publish",
    index,
    atMs,
    change: { texts: new Map([["only", String(text)]]) },
  });
  const each = (texts: readonly number[], atMs: number) =>
    texts.flatMap((text) => indexes.map((index) => say(index, text, atMs)));
  const drawAgain = (): Job => {
    const [index, atMs] = [random.pick(indexes), random.below(500)];
    if (random.below(4) === 0) return { kind: "roll back", index, atMs, back: 1 + random.below(5) };
    return say(index, random.pick([0, 1, 2, 3, 7, 8]), atMs);
  };
  return {
    indexes,
    retention: { graceMs, keep: 1 },
    unrest: {
      oversleep: 0.01,
      sticky: random.pick([0, 0.5]),
      hesitant: random.pick([0.2, 0.6]),
      zombie: random.pick([0, 0.04]),
    },
    past: [...each([0, 1, 2, 3, 4], 0), ...each([5], ageMs), ...each(random.pick([[], [6]]), 2 * ageMs)],
    actors: [
      ...drawActors(random, "indexer", [1, 2], () => ({ faults, jobs: drawJobs(random, 2, drawAgain) })),
      ...drawActors(random, "collector", [1, 2], () => ({
        faults: random.below(2) === 0 ? [...faults, ...SLOW_ANSWERS] : faults,
        jobs: drawJobs(random, 2, () => ({ kind: "collect", atMs: random.below(500) })),
      })),
    ],
  };
}

/** Writers that fall asleep for hours in the middle of their work, and collections meanwhile. */
function sleepers(random: Random): History {
  const indexes = ["one"];
  const graceMs = 30 * MINUTE;
  const gap = graceMs + 20 * MINUTE;
  return {
    indexes,
    retention: { graceMs, keep: random.pick([1, 3]) },
    unrest: { oversleep: 0.05, sticky: 0, hesitant: 0, zombie: random.pick([0.03, 0.1]) },
    past: drawPast(random, indexes, random.pick([0, gap])),
    actors: [
      ...drawActors(random, "indexer", [1, 2], () => ({
        faults: [],
        jobs: drawJobs(random, 3, () => drawWrite(random, indexes, random.below(gap))),
      })),
      ...drawActors(random, "collector", [1, 2], () => ({
        faults: [],
        jobs: drawJobs(random, 4, () => ({ kind: "collect", atMs: gap * random.below(4) })),
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
    unrest: {
      oversleep: random.pick([0, 0.1]),
      sticky: random.pick([0, 0.6]),
      hesitant: 0.4,
      zombie: random.pick([0.01, 0.05]),
    },
    past: [],
    actors: drawActors(random, "indexer", [3, 4], () => ({
      faults,
      jobs: drawJobs(random, 3, () => drawWrite(random, ["one"], random.below(1000))),
    })),
  };
}
