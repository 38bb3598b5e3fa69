/** Reading parts of a file by range, each block checked before it is used. docs/format.md section 5. */

import { LightedgeError } from "../errors.ts";
import { FORMAT_LIMITS } from "../limits.ts";
import { invalid } from "./bytes.ts";
import { checkBlocks, checkHead, type Envelope, type Expected } from "./envelope.ts";
import { decodeHead, type FileKind, type Head, type Meta, type Section } from "./head.ts";
import { type ByteRange, PLAN_LIMITS, type PlanLimits, planPieces, planReads } from "./plan.ts";

/** A file of which only the head is here. */
export interface RangedEnvelope {
  readonly kind: FileKind;
  readonly meta: Meta;
  readonly fileBytes: number;
  /** Names of the sections, in the order of their bytes. */
  readonly sections: readonly string[];
  /** The section's place, its offset counted from the start of the file. `format/invalid` where there is none of this name. */
  sectionRange(name: string): ByteRange;
  /**
   * Reads, as ranges of the file, that cover these ranges of a section. Whole blocks only,
   * so that each can be checked. `format/invalid` for a range outside the section.
   */
  planSection(name: string, ranges: readonly ByteRange[], limits?: PlanLimits): readonly ByteRange[];
  /** The whole body as such reads, of this many bytes each but the last. */
  planBody(pieceBytes: number): readonly ByteRange[];
  /** Throws `blob/corrupt` unless these bytes are those of the file at this planned range. */
  verifyBlocks(range: ByteRange, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}

/** Opens a head by the digest that the manifest holds. Throws as `openEnvelope`. */
export async function openEnvelopeHead(
  bytes: Uint8Array<ArrayBuffer>,
  expected: Expected,
): Promise<RangedEnvelope> {
  await checkHead(bytes, expected.head);
  const head = decodeHead(bytes, expected.kind);
  if (head.headBytes !== bytes.length) throw invalid("The head goes on after its end.");
  return ranged(head);
}

function ranged(head: Head): RangedEnvelope {
  const { blockBytes } = FORMAT_LIMITS;
  const sections = new Map(head.sections.map((section) => [section.name, section]));
  const body = { start: head.headBytes, end: head.fileBytes, blockBytes };
  const place = (name: string): ByteRange => absolute(sections.get(name), head, name);
  return {
    kind: head.kind,
    meta: head.meta,
    fileBytes: head.fileBytes,
    sections: head.sections.map(({ name }) => name),
    sectionRange: place,
    planSection(name, ranges, limits = PLAN_LIMITS) {
      const section = place(name);
      const wanted = ranges.map(({ start, end }) => {
        const whole = Number.isSafeInteger(start) && Number.isSafeInteger(end);
        if (!whole || start < 0 || end < start || end > section.end - section.start) {
          throw outside(start, end, name);
        }
        return { start: section.start + start, end: section.start + end };
      });
      return planReads(wanted, body, limits);
    },
    planBody: (pieceBytes) => planPieces(body, pieceBytes),
    async verifyBlocks(range, bytes) {
      const first = (range.start - body.start) / blockBytes;
      const aligned = Number.isInteger(first) && first >= 0 && range.end <= body.end;
      if (!aligned || (range.end !== body.end && (range.end - body.start) % blockBytes !== 0)) {
        throw new LightedgeError("internal", "Only planned ranges can be verified.");
      }
      if (bytes.length !== range.end - range.start) {
        throw new LightedgeError(
          "blob/corrupt",
          `A read of ${range.end - range.start} bytes gave ${bytes.length}.`,
        );
      }
      await checkBlocks(bytes, head.digests, first);
    },
  };
}

function absolute(section: Section | undefined, head: Head, name: string): ByteRange {
  if (section === undefined) throw invalid(`The ${head.kind} file has no section ${name}.`);
  const start = head.headBytes + section.offset;
  return { start, end: start + section.bytes };
}

/** The sections of a file wherever they come from: a whole file or reads by range. */
export interface SectionSource {
  readonly meta: Meta;
  /** Length of a section. `format/invalid` where there is none of this name. */
  bytes(name: string): number;
  /** These ranges of a section, each on its own, in the order given. Throws `format/invalid` for one outside. */
  read(name: string, ranges: readonly ByteRange[]): Promise<readonly Uint8Array<ArrayBuffer>[]>;
}

/** The sections of a file that is all here. */
export function wholeSource(envelope: Envelope): SectionSource {
  return {
    meta: envelope.meta,
    bytes: (name) => envelope.section(name).length,
    async read(name, ranges) {
      const section = envelope.section(name);
      return ranges.map(({ start, end }) => {
        if (start < 0 || end < start || end > section.length) throw outside(start, end, name);
        return section.subarray(start, end);
      });
    },
  };
}

function outside(start: number, end: number, name: string): LightedgeError {
  return invalid(`Bytes ${start} to ${end} lie outside section ${name}.`);
}
