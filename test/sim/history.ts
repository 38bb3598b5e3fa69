/** What a schedule is made of: who does what to which index, and when, decided before anything runs. */
import type { Chance } from "../helpers/fault-plan.ts";
import type { Change } from "./content.ts";
import type { Retention } from "./ledger.ts";
import type { Unrest } from "./scheduler.ts";

/** One thing that a process does, not before a time that counts from the schedule's beginning. */
export type Job = { readonly atMs: number } & (
  | { readonly kind: "publish"; readonly index: string; readonly change: Change }
  /** Goes back so many versions. */
  | { readonly kind: "roll back"; readonly index: string; readonly back: number }
  | { readonly kind: "read"; readonly index: string; readonly dwellMs: number }
  | { readonly kind: "collect" }
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
  /** What happened before, one after the other. */
  readonly past: readonly Job[];
  readonly actors: readonly Actor[];
}
