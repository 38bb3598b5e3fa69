/**
 * The overlay file: what writes at the edge have laid over a version's sources, and which entries of
 * the inbox are in the version already. docs/format.md section 15.
 */

import { fromHex, toHex } from "../hash.ts";
import { INBOX_LIMITS } from "../limits.ts";
import { checkStarts, invalid, uint8s, uint32s } from "./bytes.ts";
import { type Envelope, type WrittenFile, writeEnvelope } from "./envelope.ts";
import { checkIds, findId, idAt, type PackedIds, packIds } from "./ids.ts";
import { isWriteId, type WriteId } from "./names.ts";
import { integer, object } from "./shape.ts";

/**
 * One document that was written at the edge. The newest write of it that was folded is its
 * watermark: an entry of the inbox that is not above is in the version already, or was overtaken.
 */
export interface OverlayEntry {
  readonly id: string;
  readonly write: WriteId;
  /** Whose word counts: what was written at the edge, until the source changes the document. */
  readonly stands: "put" | "delete" | "source";
  /**
   * Content digest of the source's own record when the write was folded, 32 hexadecimal digits; null
   * where the source had none, and where the source has won since.
   */
  readonly source: string | null;
}

/** What a version holds of writes at the edge. */
export interface Overlay {
  /** By id, ascending (`compareIds`), none twice. */
  readonly entries: readonly OverlayEntry[];
  /**
   * Writes that are in the version and whose entries still lay in the inbox when it was made,
   * ascending. Readers leave those entries out without reading them; garbage collection may delete them.
   */
  readonly folded: readonly WriteId[];
}

/** An overlay as it is stored. N entries, F writes in the list. */
export interface OverlayFile extends PackedIds {
  readonly meta: { readonly entries: number; readonly folded: number };
  /** 16 bytes for each entry: its write, as `packWrite` gives it. */
  readonly writes: Uint8Array<ArrayBuffer>;
  /** N: number of its state in `STATES`. */
  readonly states: Uint8Array<ArrayBuffer>;
  /** 16 bytes for each entry: the source's digest, zeros where it has none. */
  readonly sources: Uint8Array<ArrayBuffer>;
  /** 16 bytes for each write in the list. */
  readonly folded: Uint8Array<ArrayBuffer>;
}

/** The overlay of a version that nobody wrote to. */
export const NO_OVERLAY: Overlay = { entries: [], folded: [] };

const WRITE_BYTES = 16;
const DIGEST_BYTES = 16;
const TIME_DIGITS = 13;

/** What an entry's state may be, and whether the source had a record. */
const STATES = [
  { stands: "source", hadSource: false },
  { stands: "put", hadSource: false },
  { stands: "put", hadSource: true },
  { stands: "delete", hadSource: false },
  { stands: "delete", hadSource: true },
] as const;

const count = integer(0, INBOX_LIMITS.overlayEntries);
const checkMeta = object<OverlayFile["meta"]>({ entries: count, folded: count });

/** An overlay as a file. Throws `format/invalid` for what `readOverlay` would refuse. */
export async function writeOverlay(overlay: Overlay): Promise<WrittenFile> {
  const file = packOverlay(overlay);
  checkMeta(file.meta, "overlay");
  checkOverlay(file);
  return writeEnvelope("overlay", { ...file.meta }, [
    { name: "ids", bytes: file.ids },
    { name: "id_starts", bytes: new Uint8Array(file.idStarts.buffer) },
    { name: "writes", bytes: file.writes },
    { name: "states", bytes: file.states },
    { name: "sources", bytes: file.sources },
    { name: "folded", bytes: file.folded },
  ]);
}

/** The overlay of an open file: views of its bytes, all of them checked. Throws `format/invalid`. */
export function readOverlay(envelope: Envelope): OverlayFile {
  const meta = checkMeta(envelope.meta, "overlay");
  const { entries, folded } = meta;
  const file: OverlayFile = {
    meta,
    ids: envelope.section("ids"),
    idStarts: uint32s(envelope.section("id_starts"), entries + 1, "overlay section id_starts"),
    writes: uint8s(envelope.section("writes"), entries * WRITE_BYTES, "overlay section writes"),
    states: uint8s(envelope.section("states"), entries, "overlay section states"),
    sources: uint8s(envelope.section("sources"), entries * DIGEST_BYTES, "overlay section sources"),
    folded: uint8s(envelope.section("folded"), folded * WRITE_BYTES, "overlay section folded"),
  };
  checkOverlay(file);
  return file;
}

/** An overlay in the form of its file. Checks nothing: `writeOverlay` does. */
export function packOverlay({ entries, folded }: Overlay): OverlayFile {
  const sources = new Uint8Array(entries.length * DIGEST_BYTES);
  entries.forEach(({ source }, at) => {
    if (source !== null) sources.set(fromHex(source), at * DIGEST_BYTES);
  });
  const states = entries.map(({ stands, source }) =>
    STATES.findIndex((state) => state.stands === stands && state.hadSource === (source !== null)),
  );
  return {
    meta: { entries: entries.length, folded: folded.length },
    ...packIds(entries.map(({ id }) => id)),
    writes: packWrites(entries.map(({ write }) => write)),
    // 255 for a state that there is none of, which the check refuses.
    states: Uint8Array.from(states, (state) => state & 0xff),
    sources,
    folded: packWrites(folded),
  };
}

/** The overlay in a file, as values. Cost: some 200 bytes of memory for each entry. */
export function unpackOverlay(file: OverlayFile): Overlay {
  const entries = Array.from({ length: file.meta.entries }, (_, at) => entryAt(file, at));
  const folded = Array.from({ length: file.meta.folded }, (_, at) => writeAt(file.folded, at));
  return { entries, folded };
}

/** The entry of a document, or null. Cost: log2 of the entries. */
export function overlayEntry(file: OverlayFile, id: string): OverlayEntry | null {
  const at = findId(file, id);
  return at < 0 ? null : entryAt(file, at);
}

/** Whether the list of folded writes names this one. Cost: log2 of the list. */
export function isListedAsFolded({ meta, folded }: OverlayFile, write: WriteId): boolean {
  let low = 0;
  let high = meta.folded - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const found = writeAt(folded, middle);
    if (found === write) return true;
    if (found < write) low = middle + 1;
    else high = middle - 1;
  }
  return false;
}

/** The write in the list of folded ones that has these 16 random digits. Cost: linear in the list. */
export function someFolded({ meta, folded }: OverlayFile, digits: string): WriteId | undefined {
  for (let at = 0; at < meta.folded; at++) {
    const write = writeAt(folded, at);
    if (write.endsWith(digits)) return write;
  }
  return undefined;
}

/** The greatest write in the list of folded ones, or null. */
export function lastFolded({ meta, folded }: OverlayFile): WriteId | null {
  return meta.folded === 0 ? null : writeAt(folded, meta.folded - 1);
}

function entryAt(file: OverlayFile, at: number): OverlayEntry {
  const { stands, hadSource } = STATES[file.states[at]!]!;
  const source = hadSource ? toHex(file.sources.subarray(at * DIGEST_BYTES, (at + 1) * DIGEST_BYTES)) : null;
  return { id: idAt(file, at), write: writeAt(file.writes, at), stands, source };
}

/** Writes as 16 bytes each: milliseconds in 8 bytes, then the random ones. */
function packWrites(writes: readonly WriteId[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(writes.length * WRITE_BYTES);
  const view = new DataView(bytes.buffer);
  writes.forEach((write, at) => {
    view.setBigUint64(at * WRITE_BYTES, BigInt(write.slice(0, TIME_DIGITS)), true);
    bytes.set(fromHex(write.slice(TIME_DIGITS + 1)), at * WRITE_BYTES + 8);
  });
  return bytes;
}

/** A write from its 16 bytes. Throws `format/invalid` where its time has more than 13 digits. */
function writeAt(bytes: Uint8Array<ArrayBuffer>, at: number): WriteId {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at * WRITE_BYTES, WRITE_BYTES);
  const time = view.getBigUint64(0, true).toString().padStart(TIME_DIGITS, "0");
  const start = at * WRITE_BYTES + 8;
  const write = `${time}-${toHex(bytes.subarray(start, start + 8))}`;
  if (isWriteId(write)) return write;
  throw invalid(`overlay: write ${at} has a time of more than ${TIME_DIGITS} digits.`);
}

function checkOverlay(file: OverlayFile): void {
  const { entries, folded } = file.meta;
  checkStarts(file.idStarts, file.ids.length, "overlay section id_starts");
  checkIds(file, "overlay section ids");
  for (let at = 0; at < entries; at++) {
    writeAt(file.writes, at);
    const state = STATES[file.states[at]!];
    if (state === undefined)
      throw invalid(`overlay section states: entry ${at} has the state ${file.states[at]}.`);
    const source = file.sources.subarray(at * DIGEST_BYTES, (at + 1) * DIGEST_BYTES);
    if (!state.hadSource && source.some((byte) => byte !== 0))
      throw invalid(`overlay section sources: entry ${at} has a digest of no record.`);
  }
  for (let at = 0; at < folded; at++) {
    if (at > 0 && writeAt(file.folded, at - 1) >= writeAt(file.folded, at))
      throw invalid(`overlay section folded: write ${at} is not above the one before.`);
    writeAt(file.folded, at);
  }
}
