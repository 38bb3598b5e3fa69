/** Searches, one after the other at a steady pace, while somebody looks. */
import type { SearchAnswer } from "../../../shared/types.ts";
import type { Sent } from "./history.ts";

/** Requests under way at once: a region that hangs must not pile up others behind it. */
const MOST_UNDER_WAY = 24;

/** What the sender needs. */
export interface LoadPorts {
  search(): Promise<SearchAnswer>;
  /** Takes what became of each request. */
  done(sent: Sent, answer: SearchAnswer | undefined, failure: string | undefined): void;
}

/** Sends searches. Not while the page is hidden: nobody would see them, and they cost. */
export class Load {
  readonly #ports: LoadPorts;
  #timer: ReturnType<typeof setInterval> | undefined;
  #underWay = 0;

  constructor(ports: LoadPorts) {
    this.#ports = ports;
  }

  get isRunning(): boolean {
    return this.#timer !== undefined;
  }

  /** Begins, with a search every so many ms. */
  start(everyMs: number): void {
    this.stop();
    this.#timer = setInterval(() => void this.#send(), everyMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #send(): Promise<void> {
    if (document.hidden || this.#underWay >= MOST_UNDER_WAY) return;
    this.#underWay++;
    const at = performance.now();
    try {
      const answer = await this.#ports.search();
      this.#ports.done({ at, region: answer.region, ms: performance.now() - at }, answer, undefined);
    } catch (error) {
      const failure = error instanceof Error ? error.message : String(error);
      this.#ports.done({ at, region: null, ms: performance.now() - at }, undefined, failure);
    } finally {
      this.#underWay--;
    }
  }
}
