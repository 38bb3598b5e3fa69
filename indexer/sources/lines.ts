import { isUtf8 } from "node:buffer";
import { createReadStream } from "node:fs";
import { DOCUMENT_LIMITS } from "../../shared/limits.ts";
import { invalid } from "./validate.ts";

/** One record of a file, cut out but not looked into. */
export interface RawRecord {
  /** Line in the file where it begins, from 1. */
  readonly line: number;
  /** Its bytes without the line feed, valid until the next record is asked for; undefined for a record above the limit. */
  readonly bytes: Uint8Array | undefined;
  /** Whether a line feed ended it, and not the end of the file. */
  readonly ended: boolean;
}

/**
 * Says where records end. Sees every byte of a file once and in order; may keep
 * state between calls.
 */
export interface Framing {
  /** The position just after the line feed that ends the record which goes on at `from`, or -1 if it is not in this piece. */
  recordEnd(piece: Buffer, from: number): number;
}

/** One record a line. */
export const LINES: Framing = {
  recordEnd: (piece, from) => piece.indexOf(LINE_FEED, from) + 1 || -1,
};

const LINE_FEED = 0x0a;
const PIECE_BYTES = 256 * 1024;

/**
 * The records of a file, a byte order mark at its start left out. A record above
 * `DOCUMENT_LIMITS.lineBytes` is read to its end without being kept. Memory: one
 * record and one piece of 256 KiB.
 */
export async function* rawRecords(file: string, framing: Framing = LINES): AsyncIterable<RawRecord> {
  let kept: Buffer[] = [];
  let size = 0;
  let line = 1;
  let newlines = 0;
  const take = (part: Buffer): void => {
    size += part.length;
    newlines += countNewlines(part);
    if (size <= DOCUMENT_LIMITS.lineBytes) kept.push(part);
    else kept = [];
  };
  const finish = (ended: boolean): RawRecord => {
    const fits = size <= DOCUMENT_LIMITS.lineBytes;
    const all = kept.length === 1 && kept[0] !== undefined ? kept[0] : Buffer.concat(kept);
    const record = { line, bytes: fits ? all.subarray(0, all.length - (ended ? 1 : 0)) : undefined, ended };
    line += newlines;
    kept = [];
    size = 0;
    newlines = 0;
    return record;
  };
  let first = true;
  for await (const whole of createReadStream(file, { highWaterMark: PIECE_BYTES })) {
    const piece: Buffer = first ? withoutMark(whole) : whole;
    first = false;
    let from = 0;
    while (from < piece.length) {
      const end = framing.recordEnd(piece, from);
      take(piece.subarray(from, end < 0 ? piece.length : end));
      if (end < 0) break;
      yield finish(true);
      from = end;
    }
  }
  if (size > 0) yield finish(false);
}

/** The text of these bytes. Throws `source/invalid` where they are not UTF-8: a replacement character would hide the loss. */
export function decodeUtf8(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw invalid("Not valid UTF-8. Convert the file to UTF-8 first.");
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

/** The error for a record that `rawRecords` did not keep. */
export function tooLong() {
  const limit = DOCUMENT_LIMITS.lineBytes;
  return invalid(`The record has more than ${limit} bytes.`, { limit });
}

/** The bytes after a UTF-8 byte order mark, or all of them. The first piece of a file is never shorter than its mark. */
export function withoutMark(bytes: Buffer): Buffer {
  const marked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return marked ? bytes.subarray(3) : bytes;
}

function countNewlines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, at + 1)) count++;
  return count;
}
