/**
 * Which bytes to fetch, as a pure function, so that the cost of reading is tested
 * without reading. docs/format.md section 5.
 */

import { LightedgeError } from "../errors.ts";

/** Bytes `[start, end)` of a file or a section: `end` is exclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** How reads are put together. */
export interface PlanLimits {
  /** Bytes not asked for that may lie between two ranges fetched in one read. */
  readonly gapBytes: number;
  /** Bytes of one read above which nothing more is merged into it. A single range may still be longer. */
  readonly readBytes: number;
}

/**
 * A read from object storage takes 20 to 50 ms whatever its length up to about a megabyte,
 * so four unwanted blocks cost less than a second read; 2 MiB bounds what a query holds.
 */
export const PLAN_LIMITS: PlanLimits = { gapBytes: 256 * 1024, readBytes: 2 * 1024 * 1024 };

/** The part of a file that is divided into blocks. */
export interface Blocks {
  /** First byte of the body in the file: where block 0 begins. */
  readonly start: number;
  /** End of the file. */
  readonly end: number;
  /** Bytes of a block; only the last is shorter. */
  readonly blockBytes: number;
}

/**
 * Reads that cover all of `wanted`, absolute ranges inside the body in any order: whole
 * blocks, ascending, apart from each other by more than the gap limit or grown to the read
 * limit. Empty ranges ask for nothing.
 */
export function planReads(
  wanted: readonly ByteRange[],
  blocks: Blocks,
  limits: PlanLimits = PLAN_LIMITS,
): readonly ByteRange[] {
  const whole = wanted
    .filter((range) => range.end > range.start)
    .map((range) => wholeBlocks(range, blocks))
    .sort((a, b) => a.start - b.start || a.end - b.end);
  const reads: ByteRange[] = [];
  for (const range of whole) {
    const last = reads[reads.length - 1];
    if (last !== undefined && merges(last, range, limits)) {
      reads[reads.length - 1] = { start: last.start, end: Math.max(last.end, range.end) };
    } else {
      reads.push(range);
    }
  }
  return reads;
}

/** The whole body in reads of this many bytes, a multiple of a block's; only the last is shorter. */
export function planPieces({ start, end, blockBytes }: Blocks, pieceBytes: number): readonly ByteRange[] {
  if (pieceBytes <= 0 || pieceBytes % blockBytes !== 0) {
    throw new LightedgeError("internal", `A piece of ${pieceBytes} bytes is not one of whole blocks.`);
  }
  const count = Math.ceil((end - start) / pieceBytes);
  return Array.from({ length: count }, (_, at) => {
    const from = start + at * pieceBytes;
    return { start: from, end: Math.min(end, from + pieceBytes) };
  });
}

/** Overlapping ranges always merge: a block fetched twice would be a block paid twice. */
function merges(last: ByteRange, next: ByteRange, limits: PlanLimits): boolean {
  if (next.start < last.end) return true;
  return next.start - last.end <= limits.gapBytes && next.end - last.start <= limits.readBytes;
}

function wholeBlocks(range: ByteRange, { start, end, blockBytes }: Blocks): ByteRange {
  const first = Math.floor((range.start - start) / blockBytes);
  const last = Math.ceil((range.end - start) / blockBytes);
  return { start: start + first * blockBytes, end: Math.min(end, start + last * blockBytes) };
}
