/**
 * Stored files into memory, checked. A read that finds nothing or other bits is done once
 * more, since a cache or a store in the middle of a repair may answer better; then it fails
 * with the key. Errors of the store itself pass through: stores have their own retries.
 */

import { LightedgeError } from "../errors.ts";
import { type Sha256, sha256 } from "../hash.ts";
import { FORMAT_LIMITS } from "../limits.ts";
import type { ReadStore } from "../store/store.ts";
import { invalid } from "./bytes.ts";
import { checkHead, type Envelope, parseEnvelope } from "./envelope.ts";
import { type BlobEntry, type Manifest, parseManifest } from "./manifest.ts";
import { manifestKey } from "./names.ts";
import { type ByteRange, PLAN_LIMITS, type PlanLimits } from "./plan.ts";
import { openEnvelopeHead, type RangedEnvelope, type SectionSource } from "./ranged.ts";
import { type Sections, type StreamedFile, type StreamLimits, spacesFor } from "./streamed.ts";

/** Where an immutable object lies and what it must be. Pointers and manifests name objects so. */
export interface ObjectRef {
  readonly key: string;
  readonly sha256: Sha256;
  readonly bytes: number;
}

/** An object's bytes, length and digest checked. Throws `blob/missing` or `blob/corrupt` with the key. */
export async function loadBlob(store: ReadStore, ref: ObjectRef): Promise<Uint8Array<ArrayBuffer>> {
  return twice(ref.key, async () => {
    const body = (await store.get(ref.key))?.body;
    if (body === undefined) throw missing(ref.key);
    if (body.length !== ref.bytes)
      throw corrupt(ref.key, `it has ${body.length} bytes instead of ${ref.bytes}`);
    if ((await sha256(body)) !== ref.sha256) throw corrupt(ref.key, "its digest is another");
    return body;
  });
}

/** A manifest through its reference in a pointer. Throws as `loadBlob` and `parseManifest`. */
export async function loadManifest(store: ReadStore, ref: ObjectRef): Promise<Manifest> {
  if (ref.bytes > FORMAT_LIMITS.manifestBytes) {
    throw new LightedgeError("format/invalid", `A manifest of ${ref.bytes} bytes is above 4 MiB.`, {
      blob: ref.key,
    });
  }
  const bytes = await loadBlob(store, ref);
  return named(ref.key, async () => {
    const manifest = parseManifest(bytes);
    // The bits are right, so a manifest under another index's key was put there by somebody.
    if (ref.key !== manifestKey(manifest.index, ref.sha256)) {
      throw invalid(`This is a manifest of the index ${manifest.index}.`);
    }
    return manifest;
  });
}

/** A whole blob of an index, open. Throws as `loadBlob` and `openEnvelope`. Cost: one read. */
export async function loadEnvelope(store: ReadStore, entry: BlobEntry): Promise<Envelope> {
  const bytes = await loadBlob(store, entry);
  return named(entry.key, async () => {
    await checkHead(bytes.subarray(0, entry.head.bytes), entry.head);
    return parseEnvelope(bytes, entry.role);
  });
}

/**
 * A blob to be read to its end, into spaces that the caller makes when it knows the head. Throws
 * as `openRanged`, by the time of the last byte. Cost: one read now, of a small blob all there is;
 * otherwise one for each piece later.
 */
export async function openStreamed(
  store: ReadStore,
  entry: BlobEntry,
  limits: StreamLimits,
): Promise<StreamedFile> {
  const whole = entry.bytes <= limits.wholeBytes ? await loadBlob(store, entry) : undefined;
  const file = whole === undefined ? (await openHead(store, entry)).head : await headOf(whole, entry);
  if (file.fileBytes !== entry.bytes) {
    const message = `The file has ${file.fileBytes} bytes, where the manifest says ${entry.bytes}.`;
    throw withKey(invalid(message), entry.key);
  }
  return {
    meta: file.meta,
    bytes(name) {
      const { start, end } = file.sectionRange(name);
      return end - start;
    },
    readInto: (space, last) =>
      named(entry.key, async () => {
        const sections = spacesFor(file, space, last);
        const body = { start: entry.head.bytes, end: entry.bytes };
        if (whole !== undefined) {
          sections.put(body, whole.subarray(body.start));
          release(whole);
          sections.beginLast();
        } else {
          const own = last === undefined ? { start: 0, end: 0 } : file.sectionRange(last.name);
          const isOwn = (piece: ByteRange) => piece.start >= own.start && piece.end <= own.end;
          const pieces = file.planBody(limits.pieceBytes);
          const read = (some: readonly ByteRange[]) =>
            readPieces(store, entry.key, file, sections, some, limits.atOnce);
          await read(pieces.filter((piece) => !isOwn(piece)));
          sections.beginLast();
          await read(pieces.filter(isOwn));
        }
        return sections.envelope;
      }),
  };
}

/** Gives memory back now that would lie until a collection, which buffers hardly bring about. A store's bytes are ours alone. */
function release(bytes: Uint8Array<ArrayBuffer>): void {
  bytes.buffer.transfer(0);
}

/** Every piece once, so many at a time; none more is begun once one has failed. */
async function readPieces(
  store: ReadStore,
  key: string,
  file: RangedEnvelope,
  sections: Sections,
  some: readonly ByteRange[],
  atOnce: number,
): Promise<void> {
  const pieces = some.values();
  let failed = false;
  const readOn = async () => {
    for (const piece of pieces) {
      try {
        const bytes = await readBlocks(store, key, file, piece);
        sections.put(piece, bytes);
        release(bytes);
      } catch (error) {
        failed = true;
        throw error;
      }
      if (failed) return;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, readOn));
}

/**
 * A blob to be read by range. Throws as `openEnvelopeHead`; its reads throw `blob/missing`,
 * `blob/corrupt` or `format/invalid`. `aheadBlocks` of the body come with the head, for the first read alone, which
 * then costs none where it lies within. Cost: one read now, then one per planned range, at once.
 */
export async function openRanged(
  store: ReadStore,
  entry: BlobEntry,
  limits: PlanLimits = PLAN_LIMITS,
  aheadBlocks = 0,
): Promise<SectionSource> {
  const { head, body, bytes: first } = await openHead(store, entry, aheadBlocks);
  let ahead: { readonly range: ByteRange; readonly bytes: Uint8Array<ArrayBuffer> } | null = {
    range: body,
    bytes: first,
  };
  return {
    meta: head.meta,
    bytes(name) {
      const { start, end } = head.sectionRange(name);
      return end - start;
    },
    async read(name, ranges) {
      const reads = head.planSection(name, ranges, limits);
      const here = ahead;
      ahead = null;
      const bodies = await Promise.all(
        reads.map((range) =>
          here !== null && range.start >= here.range.start && range.end <= here.range.end
            ? here.bytes.subarray(range.start - here.range.start, range.end - here.range.start)
            : readBlocks(store, entry.key, head, range),
        ),
      );
      const { start } = head.sectionRange(name);
      return ranges.map((range) => cut(reads, bodies, start + range.start, start + range.end));
    },
  };
}

/** A head, and so many whole blocks behind it. */
function openHead(
  store: ReadStore,
  entry: BlobEntry,
  aheadBlocks = 0,
): Promise<{
  readonly head: RangedEnvelope;
  readonly body: ByteRange;
  readonly bytes: Uint8Array<ArrayBuffer>;
}> {
  const start = entry.head.bytes;
  const end = Math.min(entry.bytes, start + aheadBlocks * FORMAT_LIMITS.blockBytes);
  const body = { start, end: Math.max(start, end) };
  return twice(entry.key, async () => {
    const all = await readRange(store, entry.key, { start: 0, end: body.end });
    const head = await openEnvelopeHead(all.subarray(0, start), { kind: entry.role, head: entry.head });
    const bytes = all.subarray(start);
    if (bytes.length > 0) await head.verifyBlocks(body, bytes);
    return { head, body, bytes };
  });
}

function headOf(whole: Uint8Array<ArrayBuffer>, entry: BlobEntry): Promise<RangedEnvelope> {
  const bytes = whole.subarray(0, entry.head.bytes);
  return named(entry.key, () => openEnvelopeHead(bytes, { kind: entry.role, head: entry.head }));
}

function readBlocks(
  store: ReadStore,
  key: string,
  head: RangedEnvelope,
  range: ByteRange,
): Promise<Uint8Array<ArrayBuffer>> {
  return twice(key, async () => {
    const bytes = await readRange(store, key, range);
    await head.verifyBlocks(range, bytes);
    return bytes;
  });
}

async function readRange(
  store: ReadStore,
  key: string,
  { start, end }: ByteRange,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await store.getRange(key, start, end - start);
  if (bytes === null) throw missing(key);
  return bytes;
}

/** A planned read covers every wanted range whole, so the piece is a view. */
function cut(
  reads: readonly ByteRange[],
  bodies: readonly Uint8Array<ArrayBuffer>[],
  start: number,
  end: number,
): Uint8Array<ArrayBuffer> {
  if (start === end) return new Uint8Array(0);
  const at = reads.findIndex((read) => read.start <= start && end <= read.end);
  const body = bodies[at];
  const read = reads[at];
  if (body === undefined || read === undefined)
    throw new LightedgeError("internal", "A plan left a range out.");
  return body.subarray(start - read.start, end - read.start);
}

async function twice<T>(key: string, attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    const worth =
      error instanceof LightedgeError && (error.code === "blob/corrupt" || error.code === "blob/missing");
    if (!worth) throw withKey(error, key);
  }
  return named(key, attempt);
}

async function named<T>(key: string, attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    throw withKey(error, key);
  }
}

/** The same error with the blob's key in it, where it is ours and has none. */
function withKey(error: unknown, key: string): unknown {
  if (!(error instanceof LightedgeError) || error.details.blob !== undefined) return error;
  return new LightedgeError(error.code, `${key}: ${error.message}`, { ...error.details, blob: key }, error);
}

function missing(key: string): LightedgeError {
  return new LightedgeError("blob/missing", `${key} is not in the store. Publish the index again.`, {
    blob: key,
  });
}

function corrupt(key: string, why: string): LightedgeError {
  return new LightedgeError("blob/corrupt", `${key} is damaged: ${why}. Publish the index again.`, {
    blob: key,
  });
}
