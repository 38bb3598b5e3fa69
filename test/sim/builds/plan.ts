/** Random plans of schedules over real indexes. */
import type { Random } from "../../../indexer/random.ts";
import type { SourceDocument } from "../../../indexer/sources/source.ts";
import type { Chance } from "../../helpers/fault-plan.ts";
import { documentOf, tinyDocuments } from "../../helpers/tiny-corpus.ts";
import { HOUR, MINUTE, soundFaults } from "../draw.ts";
import type { Retention } from "../ledger.ts";
import type { Unrest } from "../scheduler.ts";

/** One thing that a process does, not before a time that counts from the schedule's beginning. */
export type Task = { readonly atMs: number } & (
  | { readonly kind: "build"; readonly rebuild: "documents" | "all" | undefined }
  | { readonly kind: "roll back"; readonly back: number }
  /** Puts a document at the edge, or deletes it where the text is null. */
  | { readonly kind: "write"; readonly id: string; readonly text: string | null }
  | { readonly kind: "collect" }
  | { readonly kind: "read"; readonly q: string }
);

/** A process that does its tasks one after the other. */
export interface Worker {
  readonly name: string;
  readonly tasks: readonly Task[];
  readonly faults: readonly Chance[];
}

/** A whole schedule's plan. */
export interface Plan {
  readonly retention: Retention;
  readonly unrest: Unrest;
  /** What the source holds from when on, ascending. */
  readonly source: readonly { readonly atMs: number; readonly documents: readonly SourceDocument[] }[];
  readonly workers: readonly Worker[];
}

const GRACE_MS = 30 * MINUTE;
const STAYING = tinyDocuments(6);
const IDS = ["p", "q", "r", "s"];
const TEXTS = ["A boat left the harbour.", "The king signed a treaty.", "Bread and wine for dinner.", ""];
const QUERIES = ["harbour boat", "king", "wine and song"];

/** A plan. */
export function drawPlan(random: Random): Plan {
  const moments = [0];
  for (let n = 2 + random.below(2); n > 0; n--) {
    moments.push(moments.at(-1)! + random.pick([MINUTE, GRACE_MS + 20 * MINUTE, 2 * HOUR]));
  }
  const faults = soundFaults(random.pick([0, 0.3, 1]));
  const atMs = () => random.pick(moments) + random.below(random.pick([500, 5 * MINUTE]));
  const worker = (name: string, most: number, draw: () => Task): Worker => ({
    name,
    // A run whose listing of the inbox is cut takes in the rest the next time; collections must bear it.
    faults: name === "collector" ? faults : faults.filter(({ fault }) => fault !== "cut"),
    tasks: Array.from({ length: 1 + random.below(most) }, draw).sort((a, b) => a.atMs - b.atMs),
  });
  const drawBuild = (): Task => ({
    kind: "build",
    atMs: atMs(),
    rebuild: random.pick([undefined, undefined, undefined, "documents", "all"]),
  });
  const drawWrite = (): Task => ({
    kind: "write",
    atMs: atMs(),
    id: random.pick(["w1", "w2"]),
    text: random.pick([...TEXTS, null]),
  });
  return {
    retention: { graceMs: GRACE_MS, keep: random.pick([1, 2]) },
    unrest: {
      oversleep: random.pick([0, 0.03]),
      sticky: random.pick([0, 0.8]),
      hesitant: random.pick([0, 0.3]),
      zombie: random.pick([0, 0.02]),
    },
    source: drawSource(random, moments),
    workers: [
      worker("indexer 0", 4, drawBuild),
      worker("indexer 1", 3, drawBuild),
      worker("edge", 3, drawWrite),
      worker("collector", 2, () => ({ kind: "collect", atMs: atMs() })),
      worker("operator", 1, () => ({ kind: "roll back", atMs: atMs(), back: 1 + random.below(2) })),
      worker("reader", 2, () => ({ kind: "read", atMs: atMs(), q: random.pick(QUERIES) })),
    ],
  };
}

/** A source to which a few documents come, in which they change, and from which they go. */
function drawSource(random: Random, moments: readonly number[]): Plan["source"] {
  const changing = new Map<string, string>();
  // Once when all meet, and once while they are at work.
  const times = moments.flatMap((atMs) => [atMs, atMs + 300]);
  return times.map((atMs) => {
    for (let n = random.below(3); n >= 0; n--) {
      if (random.below(3) === 0) changing.delete(random.pick(IDS));
      else changing.set(random.pick(IDS), random.pick(TEXTS));
    }
    const documents = Array.from(changing, ([id, text]) => documentOf(id, { title: id, text }));
    return { atMs, documents: [...STAYING, ...documents] };
  });
}
