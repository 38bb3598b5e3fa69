/** How much is run at once: batches of like length, of a size that is given or found while the work is done. */
import { LightedgeError } from "../../shared/errors.ts";
import { firstLine, isOutOfMemory } from "./device.ts";

/** How large a batch may be, in tokens with padding. */
export interface BatchSize {
  readonly tokens: number;
  /** A batch of this many took so long. */
  done(tokens: number, ms: number): void;
  /** A batch of this many did not fit. */
  refused(tokens: number): void;
}

/** Padded tokens of a batch on the CPU: enough to fill the cores, few enough to stay in their caches. */
export const BATCH_TOKENS = 4096;
/** Most that is tried: what a batch gives back is in the memory of this machine. */
const MOST_TOKENS = 1 << 19;
/** Full batches of a size before it is judged, by the fastest: the first may have set something up. */
const TRIALS = 3;
/** How much faster the double must be to be worth its memory. */
const GAIN = 1.05;

/** A size that only becomes smaller: halved when a batch does not fit. */
export function givenSize(tokens: number): BatchSize {
  let allowed = tokens;
  return {
    get tokens() {
      return allowed;
    },
    done() {},
    refused(size) {
      allowed = Math.max(1, Math.min(allowed, Math.floor(size / 2)));
    },
  };
}

/** A size that is doubled until a batch does not fit, or the double is no faster: then it stays. */
export function foundSize(start = BATCH_TOKENS, most = MOST_TOKENS): BatchSize {
  let allowed = start;
  let growing = true;
  let trials = 0;
  let fastest = 0;
  let before = 0;
  return {
    get tokens() {
      return allowed;
    },
    done(tokens, ms) {
      // What is left at the end of the work is no measure of a full batch.
      if (!growing || 4 * tokens < 3 * allowed) return;
      fastest = Math.max(fastest, tokens / Math.max(ms, 1e-3));
      if (++trials < TRIALS) return;
      if (fastest < before * GAIN) {
        allowed /= 2;
        growing = false;
      } else if (2 * allowed > most) growing = false;
      else allowed *= 2;
      [before, fastest, trials] = [fastest, 0, 0];
    },
    refused(size) {
      growing = false;
      allowed = Math.max(1, Math.min(allowed, Math.floor(size / 2)));
    },
  };
}

/** How items are run in batches. */
export interface BatchPlan<T, R> {
  readonly size: BatchSize;
  /** Items of a batch at most. */
  readonly rows: number;
  lengthOf(item: T): number;
  /** What each item of a batch gives, in their order. No result may depend on what else is in the batch. */
  run(batch: readonly T[]): Promise<readonly R[]>;
  /** Milliseconds since any time, never going back. */
  now(): number;
}

/**
 * Results in the order of the items. Items of like length go together, the shortest first, so that little is padded. A
 * batch that does not fit the device's memory is run again as smaller ones; throws `device/unavailable` when one item alone does not.
 */
export async function inBatches<T, R>(
  items: readonly T[],
  plan: BatchPlan<T, R>,
  onProgress: (items: number) => void,
): Promise<R[]> {
  const { size, rows, lengthOf, run, now } = plan;
  const lengths = items.map(lengthOf);
  const order = Array.from(items.keys()).sort((a, b) => lengths[a]! - lengths[b]! || a - b);
  const results = new Array<R>(items.length);

  for (let first = 0; first < order.length; ) {
    let end = first + 1;
    while (end < order.length && end - first < rows && fits(end + 1 - first, lengths[order[end]!]!, size))
      end++;
    const places = order.slice(first, end);
    const tokens = places.length * lengths[places.at(-1)!]!;
    const started = now();
    let found: readonly R[];
    try {
      found = await run(places.map((at) => items[at]!));
    } catch (error) {
      if (!isOutOfMemory(error)) throw error;
      if (places.length === 1) throw tooLong(tokens, error);
      size.refused(tokens);
      continue;
    }
    size.done(tokens, now() - started);
    places.forEach((at, row) => {
      results[at] = found[row]!;
    });
    onProgress(places.length);
    first = end;
  }
  return results;
}

function fits(items: number, longest: number, { tokens }: BatchSize): boolean {
  return items * longest <= tokens;
}

function tooLong(tokens: number, error: unknown): LightedgeError {
  return new LightedgeError(
    "device/unavailable",
    `One text of ${tokens} tokens does not fit the memory of the device, alone in its batch: ${firstLine(error)}. Lower max_tokens in model.json, use a graph of fewer bits, or a device with more memory.`,
    { field: "max_tokens", limit: tokens },
    error,
  );
}
