/** The pointer: which manifest is the current version of an index. The only stored object that changes. */

import { LightedgeError } from "../errors.ts";
import { canonicalJson, type Sha256 } from "../hash.ts";
import { FORMAT_LIMITS } from "../limits.ts";
import { invalid } from "./bytes.ts";
import { manifestKey } from "./names.ts";
import { type Check, digest, integer, nullable, object, oneOf, plainObject, text } from "./shape.ts";

/** The format of pointers that this version writes and reads. */
export const POINTER_FORMAT = 1;

/** Where a manifest lies and what its bytes are. */
export interface ManifestReference {
  readonly key: string;
  readonly sha256: Sha256;
  /** Length in bytes, 1 to `FORMAT_LIMITS.manifestBytes`. */
  readonly bytes: number;
}

/** The content of `current.json`. */
export interface Pointer {
  readonly format: typeof POINTER_FORMAT;
  /** From 1, one more with every commit, a rollback included. */
  readonly seq: number;
  /**
   * 128 random bits in 32 lower-case hexadecimal digits. It makes the bytes of two commits
   * differ even when all else is equal, since etags are digests: without it a writer that
   * slept through a rollback would find the etag it remembers and overwrite what came since.
   */
  readonly commit_id: string;
  /** Digest of the manifest that this commit replaced, null for the first. */
  readonly parent: Sha256 | null;
  readonly manifest: ManifestReference;
  /**
   * CRC-32 (ISO 3309) of the other fields as canonical JSON, in 8 lower-case hexadecimal digits. All else
   * that is stored is named by its digest; this tells a flipped bit of `seq` or `commit_id`. May be absent.
   */
  readonly check?: string;
}

/** A pointer with its etag, for a conditional write over it. */
export interface StoredPointer {
  readonly pointer: Pointer;
  readonly etag: string;
}

const COMMIT_ID = /^[0-9a-f]{32}$/;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** 128 random bits in 32 lower-case hexadecimal digits. */
export const commitId: Check<string> = (value, where) => {
  const id = text(32, 32)(value, where);
  if (COMMIT_ID.test(id)) return id;
  throw invalid(`${where} must be 32 lower-case hexadecimal digits.`);
};

const checkPointer = object<Pointer>(
  {
    format: oneOf([POINTER_FORMAT]),
    seq: integer(1, Number.MAX_SAFE_INTEGER),
    commit_id: commitId,
    parent: nullable(digest),
    manifest: object<ManifestReference>({
      key: text(512, 1),
      sha256: digest,
      bytes: integer(1, FORMAT_LIMITS.manifestBytes),
    }),
    check: text(8, 8),
  },
  ["check"],
);

/**
 * The pointer of this index in these bytes. Throws `format/unsupported` for a newer format
 * and `format/invalid` for all else that is not as written, which includes a pointer to
 * another index's manifest: then somebody copied the file to the wrong place.
 */
export function parsePointer(bytes: Uint8Array, index: string): Pointer {
  const value = decode(bytes, index);
  const where = `the pointer of ${index}`;
  const { format } = plainObject(value, where);
  if (typeof format === "number" && Number.isSafeInteger(format) && format > POINTER_FORMAT) {
    throw new LightedgeError(
      "format/unsupported",
      `${where} has format ${format}; this version reads up to ${POINTER_FORMAT}. Upgrade Lightedge where it reads.`,
    );
  }
  const pointer = checkPointer(value, where);
  if (pointer.manifest.key !== manifestKey(index, pointer.manifest.sha256)) {
    throw invalid(`${where} names a manifest that is not its own.`);
  }
  if (pointer.check !== undefined && pointer.check !== checkOf(pointer)) {
    throw invalid(
      `${where} is damaged: its fields have the check ${checkOf(pointer)}, not ${pointer.check}.`,
    );
  }
  return pointer;
}

/** The pointer with its check. */
export function withCheck(pointer: Omit<Pointer, "check">): Pointer {
  return { ...pointer, check: checkOf(pointer) };
}

/** The bytes of a pointer: JSON with its fields in the order of the type, and a line end. */
export function serializePointer(pointer: Pointer): Uint8Array<ArrayBuffer> {
  const { format, seq, commit_id, parent, manifest, check } = pointer;
  const { key, sha256, bytes } = manifest;
  const ordered = { format, seq, commit_id, parent, manifest: { key, sha256, bytes }, check };
  return new TextEncoder().encode(`${JSON.stringify(ordered, null, 2)}\n`);
}

function checkOf(pointer: Pointer): string {
  const { check: _, ...fields } = pointer;
  const bytes = new TextEncoder().encode(canonicalJson(fields));
  return crc32(bytes).toString(16).padStart(8, "0");
}

/** Bit by bit, without a table: a pointer has 300 bytes. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) * 0xedb88320);
  }
  return ~crc >>> 0;
}

function decode(bytes: Uint8Array, index: string): unknown {
  // Before parsing: a pointer of any size is read whole, and JSON grows when it is parsed.
  if (bytes.length > FORMAT_LIMITS.pointerBytes) {
    throw invalid(
      `the pointer of ${index} has ${bytes.length} bytes; at most ${FORMAT_LIMITS.pointerBytes} are allowed.`,
    );
  }
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch (error) {
    throw invalid(`the pointer of ${index} is not JSON in UTF-8.`, error);
  }
}
