/** Garbage collection with the real time and the real randomness. The work itself is in `shared/versions/gc.ts`. */
import type { WriteStore } from "../../shared/store/store.ts";
import {
  collectGarbage as collect,
  type GcOptions,
  type GcPorts,
  type GcReport,
} from "../../shared/versions/gc.ts";
import { PUBLISH_PORTS } from "./publish.ts";

export type { GcOptions, GcPorts, GcReport } from "../../shared/versions/gc.ts";

/** How much further the machine's clock must have moved than that of the process to be believed, in ms: it ticks in whole ones. */
const SLEPT_MS = 1000;

/**
 * A clock for durations that runs no slower than real time. That of a process, the first, stands still
 * while its machine sleeps; the machine's own, the second, tells of the sleep, but may be set back.
 */
export function createMonotonic(
  process: () => number = () => performance.now(),
  machine: () => number = () => Date.now(),
): () => number {
  let passed = 0;
  let last = { process: process(), machine: machine() };
  return () => {
    const next = { process: process(), machine: machine() };
    const [ran, went] = [next.process - last.process, next.machine - last.machine];
    passed += went > ran + SLEPT_MS ? went : ran;
    last = next;
    return passed;
  };
}

/** The real ones. */
export const GC_PORTS: GcPorts = {
  randomBytes: PUBLISH_PORTS.randomBytes,
  pause: PUBLISH_PORTS.pause,
  monotonic: createMonotonic(),
};

/** Deletes what no version needs any more. Throws as `collectGarbage` of `shared/versions/gc.ts`. */
export function collectGarbage(
  store: WriteStore,
  options: GcOptions,
  ports: GcPorts = GC_PORTS,
): Promise<GcReport> {
  return collect(store, options, ports);
}
