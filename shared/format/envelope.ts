/** One envelope for every binary file: a head, then sections. docs/format.md section 3. */

import { LightedgeError } from "../errors.ts";
import { type Sha256, sha256, sha256Bytes } from "../hash.ts";
import { FORMAT_LIMITS } from "../limits.ts";
import { invalid, isZero } from "./bytes.ts";
import { bodyBytes, DIGEST_BYTES, decodeHead, encodeHead, type FileKind, layOut, type Meta } from "./head.ts";

/** The length and digest of a file's head, kept in the manifest so that reading may begin with the head alone. */
export interface HeadDigest {
  readonly bytes: number;
  readonly sha256: Sha256;
}

/** A finished file with what the manifest says of it. */
export interface WrittenFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly sha256: Sha256;
  readonly head: HeadDigest;
}

/** What is known of a file before it is opened. */
export interface Expected {
  readonly kind: FileKind;
  /** The whole file's digest. Without it the body is checked block by block against the head's list. */
  readonly sha256?: Sha256;
  readonly head: HeadDigest;
}

/** A whole file, open. */
export interface Envelope {
  readonly kind: FileKind;
  readonly meta: Meta;
  /** A view of the section's bytes, 64-byte aligned in the file. `format/invalid` where there is none of this name. */
  section(name: string): Uint8Array<ArrayBuffer>;
}

/** Puts a file together. Sections keep their order. Memory: the file once more. */
export async function writeEnvelope(
  kind: FileKind,
  meta: Meta,
  sections: readonly { readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> }[],
): Promise<WrittenFile> {
  const places = layOut(sections.map(({ name, bytes }) => ({ name, bytes: bytes.length })));
  const { bytes: head, digestsAt } = encodeHead(kind, meta, places);
  const bytes = new Uint8Array(head.length + bodyBytes(places));
  const body = bytes.subarray(head.length);
  places.forEach((place, at) => {
    body.set(sections[at]!.bytes, place.offset);
  });
  for (let start = 0, at = digestsAt; start < body.length; start += FORMAT_LIMITS.blockBytes) {
    head.set(await sha256Bytes(body.subarray(start, start + FORMAT_LIMITS.blockBytes)), at);
    at += DIGEST_BYTES;
  }
  bytes.set(head);
  // A file is refused by its writer rather than by every reader.
  parseEnvelope(bytes, kind);
  return { bytes, sha256: await sha256(bytes), head: { bytes: head.length, sha256: await sha256(head) } };
}

/**
 * Opens a whole file after checking its digest, its head's digest and its shape. Throws
 * `blob/corrupt` where bits differ from what was expected, `format/unsupported` for another
 * version, `format/invalid` for another kind or shape. Cost: one SHA-256 pass.
 */
export async function openEnvelope(bytes: Uint8Array<ArrayBuffer>, expected: Expected): Promise<Envelope> {
  await checkHead(bytes.subarray(0, expected.head.bytes), expected.head);
  if (expected.sha256 !== undefined) {
    if ((await sha256(bytes)) !== expected.sha256)
      throw corrupt("The file's digest differs from its manifest's.");
    return parseEnvelope(bytes, expected.kind);
  }
  const head = decodeHead(bytes, expected.kind);
  if (bytes.length !== head.fileBytes) throw corrupt("The file's length differs from its head's.");
  await checkBlocks(bytes.subarray(head.headBytes), head.digests, 0);
  return parseEnvelope(bytes, expected.kind);
}

/** Opens a whole file whose digest the caller has already checked. Throws as `openEnvelope`, never `blob/corrupt`. */
export function parseEnvelope(bytes: Uint8Array<ArrayBuffer>, kind: FileKind): Envelope {
  const head = decodeHead(bytes, kind);
  if (bytes.length !== head.fileBytes) {
    throw invalid(`The file has ${bytes.length} bytes and its head says ${head.fileBytes}.`);
  }
  const body = bytes.subarray(head.headBytes);
  let end = 0;
  for (const section of head.sections) {
    if (!isZero(body, end, section.offset))
      throw invalid(`The padding before section ${section.name} is not zero.`);
    end = section.offset + section.bytes;
  }
  const views = new Map(
    head.sections.map(({ name, offset, bytes: length }) => [name, body.subarray(offset, offset + length)]),
  );
  return {
    kind,
    meta: head.meta,
    section(name) {
      const view = views.get(name);
      if (view === undefined) throw invalid(`The ${kind} file has no section ${name}.`);
      return view;
    },
  };
}

/** Throws `blob/corrupt` unless these are the head's bytes, all of them and no more. */
export async function checkHead(bytes: Uint8Array<ArrayBuffer>, expected: HeadDigest): Promise<void> {
  if (bytes.length !== expected.bytes) {
    throw corrupt(`The head has ${bytes.length} bytes, where the manifest says ${expected.bytes}.`);
  }
  if ((await sha256(bytes)) !== expected.sha256)
    throw corrupt("The head's digest differs from its manifest's.");
}

/** Throws `blob/corrupt` unless the blocks, of which the first is number `first`, have their digests. */
export async function checkBlocks(
  bytes: Uint8Array<ArrayBuffer>,
  digests: Uint8Array,
  first: number,
): Promise<void> {
  const { blockBytes } = FORMAT_LIMITS;
  for (let start = 0, block = first; start < bytes.length; start += blockBytes, block += 1) {
    const digest = await sha256Bytes(bytes.subarray(start, start + blockBytes));
    const at = block * DIGEST_BYTES;
    if (!digest.every((byte, i) => byte === digests[at + i])) {
      throw corrupt(`Block ${block} differs from its digest.`);
    }
  }
}

function corrupt(message: string): LightedgeError {
  return new LightedgeError("blob/corrupt", `${message} Fetch it again, or publish the index again.`);
}
