/** What a run leaves behind once an index is as its source is, whether or not it published anything. docs/format.md section 1. */

import { FORMAT_LIMITS } from "../limits.ts";
import { parseSealed, serializeSealed } from "./sealed.ts";
import { integer, nullable, object, oneOf, text } from "./shape.ts";

/**
 * The content of `indexes/{index}/run.json`. When it was written, by the store's clock, is when the index was
 * last known to be as its source: a version may be old because nothing has changed since.
 */
export interface RunMark {
  readonly format: 1;
  /** The version that was current at the end of the run. */
  readonly version: string;
  /** Name of the configuration that ran, null for a run by hand. */
  readonly origin: string | null;
  /** Milliseconds after which somebody should be told if no other run has left a mark; null for no promise. */
  readonly max_age: number | null;
}

const check = object<RunMark>({
  format: oneOf([1]),
  version: text(64, 1),
  origin: nullable(text(128, 1)),
  max_age: nullable(integer(1, Number.MAX_SAFE_INTEGER)),
});

/** Where an index's mark lies. */
export function runMarkKey(index: string): string {
  return `indexes/${index}/run.json`;
}

/** A mark from its bytes. Throws `blob/corrupt`, `format/unsupported` for a newer format, else `format/invalid`. */
export function parseRunMark(bytes: Uint8Array, index: string): Promise<RunMark> {
  return parseSealed(bytes, runMarkKey(index), { format: 1, limit: FORMAT_LIMITS.pointerBytes, check });
}

/** A mark as bytes. Throws `format/invalid` for what `parseRunMark` would refuse. */
export function serializeRunMark(mark: RunMark): Promise<Uint8Array<ArrayBuffer>> {
  return serializeSealed(check(mark, "the mark of a run"));
}
