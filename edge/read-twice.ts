import { LightedgeError } from "../shared/errors.ts";

/** Milliseconds before the second try, up to half of it more at random so that isolates do not march in step. */
const BACKOFF_MS = 40;

/**
 * Runs a read, and once more after a short pause if it fails: object storage answers a few
 * requests in a million with an error that is gone a moment later. Only for reads, which
 * may be repeated. The second error is thrown, as `store/unavailable` with its cause unless
 * it is one of ours already.
 */
export async function readTwice<T>(
  key: string,
  read: () => Promise<T>,
  backoffMs: number = BACKOFF_MS,
): Promise<T> {
  try {
    return await read();
  } catch {
    await new Promise((resolve) => setTimeout(resolve, backoffMs * (1 + Math.random() / 2)));
  }
  try {
    return await read();
  } catch (error) {
    if (error instanceof LightedgeError) throw error;
    const message = `The object store failed twice on ${key}. Try again; if it lasts, look at the store's status.`;
    throw new LightedgeError("store/unavailable", message, { blob: key }, error);
  }
}
