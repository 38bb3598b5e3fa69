/**
 * Which regions have lately failed, so that requests are not spent on them: after a failure a circuit is open for a
 * while, longer each time; then one request tries, and the others wait for what becomes of it.
 */
import type { ErrorCode } from "../../shared/errors.ts";

/** How circuits behave. */
export interface CircuitOptions {
  /** Milliseconds that a first failure keeps requests away; each further one doubles it, up to `mostMs`. */
  readonly leastMs: number;
  readonly mostMs: number;
  /** Milliseconds after which a try of which nothing was heard is made again: its request may have died. */
  readonly tryMs: number;
  /** Circuits that are remembered; beyond it the longest untouched is forgotten, as if it were sound. */
  readonly most: number;
  /** Milliseconds from any fixed point. */
  now(): number;
}

/** What is known of a circuit that is not closed. */
interface Failing {
  readonly failures: number;
  readonly code: ErrorCode;
  /** When the last failure was counted. */
  readonly openedAt: number;
  /** No request is let through before. */
  readonly until: number;
}

/** Circuits by name. Those of which no failure is known are closed and take no memory. */
export class Circuits {
  readonly #options: CircuitOptions;
  readonly #failing = new Map<string, Failing>();

  constructor(options: CircuitOptions) {
    this.#options = options;
  }

  /**
   * Whether a request may go through all of these circuits. It is the one that tries where one of them has been open
   * for its time: whoever is told so must tell `succeeded` or `failed` of it.
   */
  admits(names: readonly string[]): boolean {
    const time = this.#options.now();
    const failing = names.flatMap((name) => {
      const found = this.#failing.get(name);
      return found === undefined ? [] : [{ name, ...found }];
    });
    if (failing.some(({ until }) => time < until)) return false;
    for (const { name, ...state } of failing)
      this.#set(name, { ...state, until: time + this.#options.tryMs });
    return true;
  }

  /** Closes a circuit. */
  succeeded(name: string): void {
    this.#failing.delete(name);
  }

  /**
   * Opens a circuit. `startedAt` is when the request began: those that were under way together when the first of
   * them failed count as one failure.
   */
  failed(name: string, code: ErrorCode, startedAt: number): void {
    const { now, leastMs, mostMs } = this.#options;
    const before = this.#failing.get(name);
    if (before !== undefined && startedAt <= before.openedAt) return;
    const failures = (before?.failures ?? 0) + 1;
    const openedAt = now();
    // A number of failures that no power of two bears ends at the most anyway.
    const openMs = Math.min(mostMs, leastMs * 2 ** Math.min(failures - 1, 30));
    this.#set(name, { failures, code, openedAt, until: openedAt + openMs });
  }

  /** Whether requests are kept away now. Claims nothing. */
  isOpen(name: string): boolean {
    const found = this.#failing.get(name);
    return found !== undefined && this.#options.now() < found.until;
  }

  /** Why this circuit is not closed, and in how many ms the next request may try; null where it is closed. */
  state(name: string): { readonly code: ErrorCode; readonly tryInMs: number } | null {
    const found = this.#failing.get(name);
    if (found === undefined) return null;
    return { code: found.code, tryInMs: Math.max(0, found.until - this.#options.now()) };
  }

  #set(name: string, state: Failing): void {
    this.#failing.delete(name);
    this.#failing.set(name, state);
    for (const oldest of this.#failing.keys()) {
      if (this.#failing.size <= this.#options.most) return;
      this.#failing.delete(oldest);
    }
  }
}
