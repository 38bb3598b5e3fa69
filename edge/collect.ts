/**
 * The Cron Trigger's other work: what no version needs any more is deleted from the bucket. The only
 * code of the Worker that can delete; requests never come near it.
 */
import { asLightedgeError } from "../shared/errors.ts";
import type { WriteStore } from "../shared/store/store.ts";
import { collectGarbage, type GcPorts } from "../shared/versions/gc.ts";
import { KEEP } from "../shared/versions/times.ts";
import { pause } from "./pause.ts";

/** The real ones. A Worker's clock moves with every answer from the store, one of which comes before each delete. */
const PORTS: GcPorts = {
  randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
  pause,
  monotonic: () => performance.now(),
};

/**
 * Collects, leaving versions that were replaced less than `graceMs` ago and the newest three of each index. Never
 * rejects: what went wrong is a line of the log, and the next run goes on where this one ended. Cost: a listing of the
 * store, and two calls for each object deleted.
 */
export async function collect(
  store: WriteStore,
  graceMs: number,
  log: (line: string) => void,
  ports: GcPorts = PORTS,
): Promise<void> {
  try {
    const { deleted, bytes } = await collectGarbage(store, { graceMs, keep: KEEP }, ports);
    log(JSON.stringify({ level: "info", collected: deleted.length, bytes }));
  } catch (error) {
    const { code, message } = asLightedgeError(error);
    log(JSON.stringify({ level: "error", collect: "failed", code, message }));
  }
}
