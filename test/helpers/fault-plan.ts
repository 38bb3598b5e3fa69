/** Which operation of a store breaks, and how: one by number, several, or at random from a seed. */
import type { Random } from "../../indexer/random.ts";
import type { WriteStore } from "../../shared/store/store.ts";

/** An operation of a store. */
export type Method = keyof WriteStore;

/** An operation as it was asked for. */
export interface Operation {
  /** Counted from 0 over all operations of one client. */
  readonly number: number;
  readonly method: Method;
  /** The key, or the prefix of a listing. */
  readonly key: string;
}

const WRITES = ["put", "putIfAbsent", "putIfMatch", "delete"] as const satisfies readonly Method[];
const CONDITIONAL = ["putIfAbsent", "putIfMatch"] as const satisfies readonly Method[];
const READS = ["get", "getRange", "head"] as const satisfies readonly Method[];
const BODIES = ["get", "getRange"] as const satisfies readonly Method[];
const ALL = [...READS, ...WRITES, "list"] as const satisfies readonly Method[];

/** Every way to break, with the operations that can break so. */
const APPLIES = {
  /** The request is lost: an error, and nothing was done. `amount`: the HTTP status to name. */
  "fail before": ALL,
  /** The answer is lost: an error, though all was done. */
  "fail after": ALL,
  /** An error at once, and the request lands `amount` ms later. */
  late: WRITES,
  /** Nothing for `amount` ms (for ever when absent), then as "fail before". */
  stall: ALL,
  /** The answer comes `amount` ms late. */
  delay: ALL,
  /** The process dies before the request leaves: this and all later operations fail. */
  crash: ALL,
  /** The process dies before it hears the answer. */
  "crash after": ALL,
  /** 409 or 412 where nothing was written. */
  conflict: CONDITIONAL,
  /** 412 for what was written: a client below repeated the request and met its own write. */
  "conflict after": CONDITIONAL,
  /** 404 for what is there. */
  missing: READS,
  /** What this client saw under the key before. */
  stale: ["get"],
  /** The last `amount` bytes of the body (1 when absent) are not there. */
  short: BODIES,
  /** `amount` bytes (1 when absent) too many. */
  long: BODIES,
  /** Bit `amount` of the body, counted round, is the other one. */
  flip: BODIES,
  /** The listing ends after `amount` keys without saying so. */
  cut: ["list"],
} as const satisfies Readonly<Record<string, readonly Method[]>>;

/** A way to break. */
export type Fault = keyof typeof APPLIES;

/** A fault and how much of it. */
export interface PlannedFault {
  readonly fault: Fault;
  /** What it counts depends on the fault. */
  readonly amount?: number;
}

/** Decides what becomes of an operation: null to leave it whole. Asked once for each, in order. */
export type FaultPlan = (operation: Operation) => PlannedFault | null;

/** Whether this operation can break this way. */
export function canBreak(method: Method, fault: Fault): boolean {
  return (APPLIES[fault] as readonly Method[]).includes(method);
}

/** Breaks one operation by its number. */
export function breakAt(at: number, fault: Fault, amount?: number): FaultPlan {
  return breakAll(new Map([[at, amount === undefined ? { fault } : { fault, amount }]]));
}

/** Breaks operations by their numbers. */
export function breakAll(points: ReadonlyMap<number, PlannedFault>): FaultPlan {
  return ({ number }) => points.get(number) ?? null;
}

/** How often a fault strikes, 0 to 1, and how much of it at most. */
export interface Chance {
  readonly fault: Fault;
  readonly chance: number;
  /** `amount` is drawn below this. */
  readonly below?: number;
  /** Only under these keys. */
  readonly keys?: RegExp;
}

/** Breaks operations by chance. The same seed and the same operations give the same faults. */
export function breakByChance(random: Random, chances: readonly Chance[]): FaultPlan {
  return ({ method, key }) => {
    for (const { fault, chance, below, keys } of chances) {
      if (!canBreak(method, fault) || keys?.test(key) === false) continue;
      if (random.bits() >= chance * 2 ** 32) continue;
      return below === undefined ? { fault } : { fault, amount: random.below(below) };
    }
    return null;
  };
}
