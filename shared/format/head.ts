/**
 * The head of a binary file: 64 bytes of header, the directory, the digest list. Reader
 * and writer of docs/format.md section 3.
 */

import { LightedgeError } from "../errors.ts";
import { FORMAT_LIMITS } from "../limits.ts";
import { align, invalid, isZero } from "./bytes.ts";
import { type MsgpackValue, packValue, unpackValue } from "./msgpack.ts";
import { dictionary, integer, list, object, text } from "./shape.ts";

/** The version of the format that is written, and the only one that is read. */
export const FORMAT_VERSION = 1;

/** What a binary file holds. */
export type FileKind =
  | "table"
  | "shard"
  | "documents"
  | "tokenizer"
  | "lexicon"
  | "tombstones"
  | "overlay"
  | "clusters";

/** What a file says about itself beside its sections. Plain values; each kind checks its own. */
export type Meta = Readonly<Record<string, MsgpackValue>>;

/** One stretch of the body. */
export interface Section {
  readonly name: string;
  /** First byte, counted from the start of the body, a multiple of 64. */
  readonly offset: number;
  readonly bytes: number;
}

/** A file's head, checked against the rules for its shape. */
export interface Head {
  readonly kind: FileKind;
  readonly meta: Meta;
  /** In the order of their bytes. */
  readonly sections: readonly Section[];
  /** Bytes of the head; the body begins there. */
  readonly headBytes: number;
  /** Bytes of the whole file. */
  readonly fileBytes: number;
  /** SHA-256 of each 64 KiB block of the body, 32 bytes each, back to back. */
  readonly digests: Uint8Array<ArrayBuffer>;
}

/** Bytes of a digest in the list. */
export const DIGEST_BYTES = 32;

const MAGIC = 0x4744454c;
const HEADER_BYTES = 64;
const KIND_NUMBERS: Readonly<Record<FileKind, number>> = {
  table: 1,
  shard: 2,
  documents: 3,
  tokenizer: 4,
  lexicon: 5,
  tombstones: 6,
  overlay: 7,
  clusters: 8,
};
const MAX_SECTIONS = 64;

const checkDirectory = object<{ sections: readonly Section[]; meta: Readonly<Record<string, unknown>> }>({
  sections: list(
    object<Section>({
      name: text(32, 1),
      offset: integer(0, Number.MAX_SAFE_INTEGER),
      bytes: integer(0, Number.MAX_SAFE_INTEGER),
    }),
    MAX_SECTIONS,
  ),
  meta: dictionary((value) => value, 64),
});

/**
 * The sections' places in a body: in the order given, each at the next multiple of 64, with
 * no other gap. One body is thereby the only layout of its sections, and a reader refuses
 * every other, overlaps included.
 */
export function layOut(
  parts: readonly { readonly name: string; readonly bytes: number }[],
): readonly Section[] {
  let end = 0;
  return parts.map(({ name, bytes }) => {
    const offset = align(end);
    end = offset + bytes;
    return { name, offset, bytes };
  });
}

/** Bytes of a body with these sections: it ends with the last of them. */
export function bodyBytes(sections: readonly Section[]): number {
  const last = sections[sections.length - 1];
  return last === undefined ? 0 : last.offset + last.bytes;
}

/** The bytes of a head, its digest list still zero, and where in it the list begins. */
export function encodeHead(
  kind: FileKind,
  meta: Meta,
  sections: readonly Section[],
): { readonly bytes: Uint8Array<ArrayBuffer>; readonly digestsAt: number } {
  const directory = packValue({
    sections: sections.map(({ name, offset, bytes }) => ({ name, offset, bytes })),
    meta,
  });
  if (HEADER_BYTES + directory.length > FORMAT_LIMITS.firstReadBytes) {
    throw invalid(`The directory has ${directory.length} bytes and does not fit the first read of 16 KiB.`);
  }
  const body = bodyBytes(sections);
  const blocks = Math.ceil(body / FORMAT_LIMITS.blockBytes);
  const digestsAt = HEADER_BYTES + align(directory.length);
  const headBytes = digestsAt + align(blocks * DIGEST_BYTES);
  const bytes = new Uint8Array(headBytes);
  const header = new DataView(bytes.buffer);
  header.setUint32(0, MAGIC, true);
  header.setUint16(4, FORMAT_VERSION, true);
  header.setUint16(6, KIND_NUMBERS[kind], true);
  header.setUint32(8, headBytes, true);
  header.setUint32(12, directory.length, true);
  header.setUint32(16, FORMAT_LIMITS.blockBytes, true);
  header.setUint32(20, blocks, true);
  header.setBigUint64(24, BigInt(headBytes + body), true);
  bytes.set(directory, HEADER_BYTES);
  return { bytes, digestsAt };
}

/**
 * The head that these bytes begin with. They may go on after it. Throws `format/unsupported`
 * for another version and `format/invalid` for every other breach; it checks no digest.
 */
export function decodeHead(bytes: Uint8Array<ArrayBuffer>, kind: FileKind): Head {
  if (bytes.length < HEADER_BYTES) throw invalid(`A file of ${bytes.length} bytes is shorter than a header.`);
  const header = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  if (header.getUint32(0, true) !== MAGIC) throw invalid("The file does not begin with LEDG.");
  checkVersion(header.getUint16(4, true));
  if (header.getUint16(6, true) !== KIND_NUMBERS[kind]) {
    throw invalid(`The file is of kind ${header.getUint16(6, true)}, where a ${kind} file is needed.`);
  }
  const headBytes = header.getUint32(8, true);
  const directoryBytes = header.getUint32(12, true);
  const blocks = header.getUint32(20, true);
  const fileBytes = Number(header.getBigUint64(24, true));
  const directoryEnd = HEADER_BYTES + directoryBytes;
  const digestsAt = HEADER_BYTES + align(directoryBytes);
  const digestsEnd = digestsAt + blocks * DIGEST_BYTES;
  if (header.getUint32(16, true) !== FORMAT_LIMITS.blockBytes) throw invalid("The block size is not 64 KiB.");
  if (directoryEnd > FORMAT_LIMITS.firstReadBytes)
    throw invalid("The directory does not end in the first 16 KiB.");
  if (headBytes !== align(digestsEnd)) throw invalid("The head's length is not that of its parts.");
  if (headBytes > bytes.length)
    throw invalid(`The head has ${headBytes} bytes, but only ${bytes.length} are there.`);
  const padded = isZero(bytes, 32, HEADER_BYTES) && isZero(bytes, directoryEnd, digestsAt);
  if (!padded || !isZero(bytes, digestsEnd, headBytes)) throw invalid("The head's padding is not zero.");

  const decoded = unpackValue(bytes.subarray(HEADER_BYTES, directoryEnd), "directory");
  const { sections, meta } = checkDirectory(decoded, "directory");
  checkLayout(sections);
  const body = bodyBytes(sections);
  if (fileBytes !== headBytes + body)
    throw invalid("The file's length is not that of its head and sections.");
  if (blocks !== Math.ceil(body / FORMAT_LIMITS.blockBytes))
    throw invalid("The block count does not fit the body.");
  // `unpackValue` gives plain values only.
  return {
    kind,
    meta: meta as Meta,
    sections,
    headBytes,
    fileBytes,
    digests: bytes.subarray(digestsAt, digestsEnd),
  };
}

function checkLayout(sections: readonly Section[]): void {
  const names = new Set(sections.map((section) => section.name));
  if (names.size !== sections.length) throw invalid("Two sections have the same name.");
  const wanted = layOut(sections);
  sections.forEach((section, at) => {
    if (section.offset !== wanted[at]?.offset) {
      throw invalid(`Section ${section.name} begins at ${section.offset}, not at ${wanted[at]?.offset}.`);
    }
  });
}

function checkVersion(version: number): void {
  if (version === FORMAT_VERSION) return;
  throw new LightedgeError(
    "format/unsupported",
    `The file has format version ${version}; this Lightedge reads version ${FORMAT_VERSION}. Upgrade it where it reads, or build the index again with this version.`,
    { value: String(version), limit: FORMAT_VERSION },
  );
}
