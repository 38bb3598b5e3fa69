/**
 * A file read straight to where it stays: the head first, then the body in pieces, each checked
 * block by block and copied on. Of a file of any length no more than a few pieces are held.
 */

import { MIB } from "../limits.ts";
import { invalid, isZero } from "./bytes.ts";
import type { Envelope } from "./envelope.ts";
import type { ByteRange } from "./plan.ts";
import type { RangedEnvelope } from "./ranged.ts";

/** How a file is read to its end. */
export interface StreamLimits {
  /** Bytes of a file up to which it is one read. */
  readonly wholeBytes: number;
  /** Bytes of a piece, a multiple of a block's. */
  readonly pieceBytes: number;
  /** Pieces of one file that are on their way at once. */
  readonly atOnce: number;
}

/**
 * For what would not fit twice. A read takes 20 to 50 ms up to about a megabyte, and two on their
 * way hide each other's wait; beside the file no more is held than two pieces, each for a moment
 * twice: as it arrives, and whole. Twice the size cost 7 MiB more at the peak.
 */
export const IN_PIECES: StreamLimits = { wholeBytes: MIB, pieceBytes: MIB, atOnce: 2 };
/** One read for any file. */
export const AS_ONE: StreamLimits = { ...IN_PIECES, wholeBytes: Number.POSITIVE_INFINITY };

/** A file whose head is here and whose body is still to be read. */
export interface StreamedFile {
  readonly meta: Envelope["meta"];
  /** Length of a section. `format/invalid` where there is none of this name. */
  bytes(name: string): number;
  /**
   * Reads the body, each section into the space that is given for it, of just its length; the
   * envelope's sections are these spaces. `last` takes a section when all others are there. To be called once.
   */
  readInto(space: SpaceOf, last?: LastSection): Promise<Envelope>;
}

/** A section that is wanted when all others are there. */
export interface LastSection {
  readonly name: string;
  /** Is called with the others, and gives what takes this one. */
  begin(others: Envelope): SectionSink;
}

/** Where the section with this name and length is to lie, or what takes its parts as they arrive. */
export type SpaceOf = (name: string, bytes: number) => Uint8Array<ArrayBuffer> | SectionSink;

/** Takes a part of a section that begins at this byte of it, in any order; the bytes are its own only until it returns. */
export type SectionSink = (offset: number, bytes: Uint8Array<ArrayBuffer>) => void;

/** Sections that fill up as pieces of the file arrive, in any order. */
export interface Sections {
  /** Takes these checked bytes of the body to their sections. Throws `format/invalid` for padding that is not zero. */
  put(range: ByteRange, bytes: Uint8Array<ArrayBuffer>): void;
  /** Says that the others are there. What came of the last section before, with its neighbours, was kept. */
  beginLast(): void;
  readonly envelope: Envelope;
}

/** Spaces for all sections of a file. */
export function spacesFor(file: RangedEnvelope, space: SpaceOf, last?: LastSection): Sections {
  const spaces = new Map<string, Uint8Array<ArrayBuffer> | SectionSink>();
  let kept: Parameters<SectionSink>[] = [];
  let lastSink: SectionSink = (offset, part) => kept.push([offset, part.slice()]);
  const places = file.sections.map((name) => {
    const { start, end } = file.sectionRange(name);
    const isLast = name === last?.name;
    const bytes = isLast ? (...part: Parameters<SectionSink>) => lastSink(...part) : space(name, end - start);
    spaces.set(name, bytes);
    return { name, start, end, bytes };
  });
  const envelope: Envelope = {
    kind: file.kind,
    meta: file.meta,
    section(name) {
      const bytes = spaces.get(name);
      if (bytes instanceof Uint8Array) return bytes;
      throw invalid(
        `The ${file.kind} file has no section ${name}${bytes === undefined ? "" : " in memory"}.`,
      );
    },
  };
  return {
    beginLast() {
      if (last === undefined) return;
      lastSink = last.begin(envelope);
      for (const part of kept) lastSink(...part);
      kept = [];
    },
    put(piece, bytes) {
      let end = piece.start;
      for (const section of places) {
        if (section.end <= piece.start || section.start >= piece.end) continue;
        const from = Math.max(section.start, piece.start);
        const to = Math.min(section.end, piece.end);
        checkPadding(bytes, end - piece.start, from - piece.start);
        const part = bytes.subarray(from - piece.start, to - piece.start);
        if (section.bytes instanceof Uint8Array) section.bytes.set(part, from - section.start);
        else section.bytes(from - section.start, part);
        end = to;
      }
      checkPadding(bytes, end - piece.start, bytes.length);
    },
    envelope,
  };
}

function checkPadding(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
  if (!isZero(bytes, start, end)) throw invalid("The padding between two sections is not zero.");
}
