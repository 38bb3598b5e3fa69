/**
 * Trying again: after how long, how often, and out of which budget. A store that is down for a
 * minute must not be kept down by the tries of those who wait for it, so retries are a share of
 * all calls and not only a number for each.
 */
import { setTimeout as timeout } from "node:timers/promises";

/** What trying again takes from the world around it. */
export interface RetryPorts {
  /** Milliseconds of a clock that only goes forward. */
  now(): number;
  /** 0 to below 1. */
  random(): number;
  /** Resolves after this many milliseconds. */
  pause(milliseconds: number): Promise<void>;
}

/** How one call is tried again. */
export interface RetryRule {
  /** Tries of a call, the first included. */
  readonly tries: number;
  /** The wait before the second try is half of this to all of it, in ms, and doubles with every try after it. */
  readonly firstWaitMs: number;
  /** No wait is longer than this. */
  readonly longestWaitMs: number;
  /** No try begins later than this after the first one began. */
  readonly withinMs: number;
}

/** Tokens that a budget begins with and never exceeds: a burst of errors is sat out even at the start of a run. */
const BUDGET = 20;
/** What each call adds: over a long run, at most so many retries a call. */
const SHARE = 0.1;

const PORTS: RetryPorts = {
  now: () => performance.now(),
  random: Math.random,
  pause: (milliseconds) => timeout(milliseconds),
};

/**
 * Runs calls, and runs them again out of one budget: 20 retries, and one more for every ten calls.
 * Once it is spent, calls fail at their first error until others have filled it again.
 */
export class Retries {
  readonly #ports: RetryPorts;
  #tokens = BUDGET;

  constructor(ports: RetryPorts = PORTS) {
    this.#ports = ports;
  }

  /**
   * What the work gives, or its last error. `waitFor` says whether an error may be tried again: null
   * for no, else the least wait in ms that whoever failed asks for.
   */
  async run<T>(
    rule: RetryRule,
    waitFor: (error: unknown) => number | null,
    work: () => Promise<T>,
  ): Promise<T> {
    const { now, random, pause } = this.#ports;
    const begun = now();
    this.#tokens = Math.min(BUDGET, this.#tokens + SHARE);
    for (let tries = 1; ; tries += 1) {
      try {
        return await work();
      } catch (error) {
        const asked = waitFor(error);
        if (asked === null || tries >= rule.tries) throw error;
        const most = Math.min(rule.longestWaitMs, rule.firstWaitMs * 2 ** (tries - 1));
        // Jittered, so that writers who failed together do not come back together.
        const wait = Math.max(asked, most * (0.5 + random() / 2));
        if (now() - begun + wait > rule.withinMs || this.#tokens < 1) throw error;
        this.#tokens -= 1;
        await pause(wait);
      }
    }
  }
}
