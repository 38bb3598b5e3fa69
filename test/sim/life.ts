/** A process of the simulator, from its first step to its end or its death. */

/** What a process comes to that died. */
export const CRASHED: unique symbol = Symbol("crashed");

/** What a process asks of the scheduler. */
export interface Turns {
  /** Puts a step into the queue: not before `wait` ms have passed, and not after `within`. */
  enqueue<T>(life: Life, label: string, wait: number, within: number, work: () => Promise<T>): Promise<T>;
  /** How long a step waits before its turn can come. */
  nap(within: number, isCritical: boolean): number;
}

/** One running process: its steps happen when the scheduler says so, and no more once it is dead. */
export class Life {
  readonly name: string;
  readonly #turns: Turns;
  readonly #onDeath: () => void;
  /** Steps that wait for their turn. */
  waiting = 0;
  over = false;

  constructor(name: string, turns: Turns, onDeath: () => void) {
    this.name = name;
    this.#turns = turns;
    this.#onDeath = onDeath;
  }

  /** Does one thing when its turn comes, which is at most `within` ms from now. Before what is critical it may hesitate. */
  turn<T>(
    label: string,
    work: () => Promise<T>,
    { within = Number.POSITIVE_INFINITY, isCritical = false } = {},
  ): Promise<T> {
    return this.#turns.enqueue(this, label, this.#turns.nap(within, isCritical), within, work);
  }

  /** Sleeps this long, or longer. */
  pause(milliseconds: number): Promise<void> {
    const label = `pause ${milliseconds}`;
    return this.#turns.enqueue(this, label, milliseconds, Number.POSITIVE_INFINITY, async () => {});
  }

  /**
   * Dies: whatever it waits for or asks for from now on fails, and nothing of that happens. So it may close its files,
   * as the system does for a process that was killed. What it has sent is on its way.
   */
  die(): Promise<never> {
    if (!this.over) {
      this.over = true;
      this.#onDeath();
    }
    return Promise.reject(new Dead());
  }
}

/** What everything fails with that a dead process asks for. */
export class Dead extends Error {
  override readonly name = "Dead";
}
