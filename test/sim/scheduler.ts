/**
 * Who goes on next. Processes of the simulator are ordinary asynchronous code, of which every
 * step to the world outside (an operation of the store, a pause) waits here until a seed lets it
 * happen, on a clock that is nobody else's. One process runs at a time, so a seed is a schedule.
 */
import { createHash } from "node:crypto";
import type { Random } from "../../indexer/random.ts";
import { CRASHED, Dead, Life } from "./life.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** Beginning of every schedule by the store's clock. */
const START = Date.UTC(2026, 0, 31);
/** Longest times for which a process hesitates, and sleeps. */
const MOMENTS_MS = [300, 1500, 8 * SECOND];
const SLEEPS_MS = [2 * SECOND, MINUTE, 20 * MINUTE, 2 * HOUR, 30 * HOUR, 80 * HOUR];
/** Steps after which a schedule is taken to go round in circles. */
const MOST_STEPS = 20_000;
/** Real time that a process may work between two steps, in ms. Only builds of real indexes need any. */
const PATIENCE_MS = 30_000;

/** How unruly a schedule is: chances from 0 to 1. */
export interface Unrest {
  /** That the next step is one whose time has not come, so that all who are ready oversleep it. */
  readonly oversleep: number;
  /** That who went on last goes on, where it can: near 1, processes run for long and are seldom interrupted. */
  readonly sticky: number;
  /** That a process hesitates for seconds before it changes what others look at. */
  readonly hesitant: number;
  /** That a process sleeps for long between being about to do something and doing it. */
  readonly zombie: number;
}

interface Step {
  readonly life: Life | null;
  readonly label: string;
  /** Not before this time. */
  readonly at: number;
  /** Not after this time. */
  readonly by: number;
  run(): Promise<void>;
  /** Tells who waits for it that they are dead. */
  fail(): void;
}

/** Runs processes step by step in an order that its randomness decides. */
export class Scheduler {
  readonly #random: Random;
  readonly #unrest: Unrest;
  readonly #log: ((line: string) => void) | undefined;
  readonly #trace = createHash("sha256");
  #waiting: Step[] = [];
  #open = 0;
  #last: Life | null = null;
  #failure: { readonly error: unknown } | undefined;
  #asked = 0;
  /** The store's clock, in ms since 1970. */
  now = START;
  /** Steps so far. */
  steps = 0;
  /** While this holds nobody waits for a turn, oversleeps or dies: for what is done one after the other. */
  calm = false;

  constructor(random: Random, unrest: Unrest, log?: (line: string) => void) {
    this.#random = random;
    this.#unrest = unrest;
    this.#log = log;
  }

  /** Runs a process to its end, or to its death. */
  live<T>(name: string, body: (life: Life) => Promise<T>): Promise<T | typeof CRASHED> {
    return new Promise((resolve, reject) => {
      this.#open++;
      const ended = (): void => {
        life.over = true;
        this.#open--;
      };
      const life: Life = new Life(name, this, () => {
        const own = this.#waiting.filter((step) => step.life === life);
        this.#waiting = this.#waiting.filter((step) => step.life !== life);
        for (const step of own) step.fail();
        this.#open--;
        this.note(`${name} dies`);
        resolve(CRASHED);
      });
      const begin = async (): Promise<void> => {
        body(life).then(
          (value) => {
            if (life.over) return;
            ended();
            resolve(value);
          },
          (error: unknown) => {
            if (life.over) return;
            ended();
            reject(error);
          },
        );
      };
      this.enqueue(life, "begins", 0, Number.POSITIVE_INFINITY, begin).catch(() => undefined);
    });
  }

  /** Starts a process whose errors end the whole simulation. */
  start(name: string, body: (life: Life) => Promise<void>): void {
    this.live(name, body).catch((error: unknown) => {
      this.#failure ??= { error };
    });
  }

  /** Lets something happen on nobody's behalf, after `milliseconds` and before `within`: a request that is late. */
  later(label: string, milliseconds: number, within: number, work: () => Promise<unknown>): void {
    const run = async (): Promise<void> => void (await work().catch(() => undefined));
    void this.enqueue(null, label, Math.min(milliseconds, within), within, run);
  }

  /** Puts a step into the queue. Resolves to what it gives. */
  enqueue<T>(
    life: Life | null,
    label: string,
    wait: number,
    within: number,
    work: () => Promise<T>,
  ): Promise<T> {
    if (life?.over === true) return Promise.reject(new Dead());
    if (this.calm) {
      this.#step(this.now + wait, life, label);
      return work();
    }
    if (life !== null) this.#asked++;
    return new Promise((resolve, reject) => {
      if (life !== null) life.waiting++;
      this.#waiting.push({
        life,
        label,
        at: this.now + wait,
        by: this.now + within,
        run: async () => {
          if (life !== null) life.waiting--;
          try {
            const value = await work();
            if (life?.over === true) throw new Dead();
            resolve(value);
          } catch (error) {
            reject(error);
          }
        },
        fail: () => reject(new Dead()),
      });
    });
  }

  /** How long a step waits before its turn can come: mostly no time at all. */
  nap(within: number, isCritical: boolean): number {
    if (this.calm) return 0;
    const { zombie, hesitant } = this.#unrest;
    if (this.#chance(isCritical ? 4 * zombie : zombie))
      return Math.min(within, this.#random.below(this.#random.pick(SLEEPS_MS)));
    return isCritical && this.#chance(hesitant) ? this.#random.below(this.#random.pick(MOMENTS_MS)) : 0;
  }

  /** Runs until nobody has anything left to do. Throws what a started process threw. */
  async run(): Promise<void> {
    let asked = 0;
    for (;;) {
      await this.#settle(asked);
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#waiting.length === 0) {
        if (this.#open === 0) return;
        throw new Error("The schedule is stuck: a process waits for something that nobody does.");
      }
      const step = this.#choose();
      this.#waiting.splice(this.#waiting.indexOf(step), 1);
      this.#last = step.life;
      this.#step(step.at, step.life, step.label);
      asked = this.#asked;
      await step.run();
    }
  }

  /** Records something in the trace. */
  note(line: string): void {
    const stamped = `${new Date(this.now).toISOString()} ${line}`;
    this.#trace.update(`${stamped}\n`);
    this.#log?.(stamped);
  }

  /** Digest of all that happened, in order. Ends the trace. */
  digest(): string {
    return this.#trace.digest("hex");
  }

  #step(at: number, life: Life | null, label: string): void {
    if (++this.steps > MOST_STEPS) throw new Error(`The schedule has not ended after ${MOST_STEPS} steps.`);
    this.now = Math.max(this.now, at) + this.#random.below(40);
    this.note(`${life?.name ?? "network"} ${label}`);
  }

  #chance(chance: number): boolean {
    return this.#random.bits() < chance * 2 ** 32;
  }

  #choose(): Step {
    const ready = this.#waiting.filter(({ at }) => at <= this.now);
    const asleep = this.#waiting.filter(({ at }) => at > this.now);
    const oversleeps = asleep.length > 0 && !this.calm && this.#chance(this.#unrest.oversleep);
    if (ready.length > 0 && !oversleeps) return this.#urgent(this.now) ?? this.#pick(ready);
    const next = oversleeps ? this.#random.pick(asleep) : asleep.reduce((a, b) => (b.at < a.at ? b : a));
    return this.#urgent(next.at) ?? next;
  }

  #pick(ready: readonly Step[]): Step {
    const own = ready.filter(({ life }) => life !== null && life === this.#last);
    return this.#random.pick(own.length > 0 && this.#chance(this.#unrest.sticky) ? own : ready);
  }

  /** What must happen before this time, if anything must. */
  #urgent(time: number): Step | undefined {
    const due = this.#waiting.filter(({ by }) => by < time);
    return due.length === 0 ? undefined : due.reduce((a, b) => (b.by < a.by ? b : a));
  }

  /** Waits until the process that went on last stands still: at its next step, at its end, or dead. */
  async #settle(before: number): Promise<void> {
    const last = this.#last;
    for (let waits = 0; waits < PATIENCE_MS; waits++) {
      // All microtasks have run when this resolves.
      await new Promise<void>((resolve) => setImmediate(resolve));
      const stands = last === null || last.over || last.waiting > 0 || this.#asked > before;
      if (stands && (this.#waiting.length > 0 || this.#open === 0 || this.#failure !== undefined)) return;
      // Files are read and written meanwhile.
      if (waits > 20) await new Promise<void>((resolve) => setTimeout(resolve, 1));
    }
  }
}
