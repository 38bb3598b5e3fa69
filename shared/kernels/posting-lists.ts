/**
 * How postings lie in kernel memory: one list a term, in the form that takes least. Made anew from a shard file's
 * rows and impacts whenever it is loaded, so no file depends on it. B is the number of blocks of 256 documents.
 *
 * A list starts with its documents less one (u16), its greatest impact (u8) and its form (u8). Then
 * - gaps: for each posting the documents left out before it, and its impact (u8). A gap below 192 is a byte b; one
 *   below 16,320 is 192 + 256 (b - 192) + the byte after it, b below 255; any other is 255, then u16.
 * - offsets: greatest impact of each block (u8 x B), postings in each block (u8 x B), documents within their
 *   block (u8 each), impacts (u8 each).
 * - bits: greatest impact of each block (u8 x B), a bit for each document of each block (32 bytes x B), impacts.
 * - plain: greatest impact of each block (u8 x B), impact of each document (u8 x 256 B), 0 where it has none.
 *
 * `gaps` has no way in but from its start, so it is for rare terms, which are read as a whole anyway, and for the
 * odd one in all documents of some block and few others: a byte cannot hold a count of 256. No list takes more than
 * three bytes a posting and eight.
 */
import { LightedgeError } from "../errors.ts";

/** Documents of a block: what a byte can number. */
export const BLOCK_DOCUMENTS = 256;
/** Bytes that a list starts with. */
export const LIST_HEAD = 4;
/** Bytes behind each list that a kernel may look at: it takes 16 at a time. */
export const LIST_MARGIN = 16;
/** Bytes of a kernel's record of a list: pointer, bytes, weight, and what it keeps of it. */
export const LIST_RECORD = 112;

/** The forms by number. */
export const FORM = { gaps: 0, offsets: 1, bits: 2, plain: 3 } as const;
/** One of the forms. */
export type Form = (typeof FORM)[keyof typeof FORM];

/** From this many documents on a list must have blocks: it is worth skipping in. */
const FREQUENT = 512;
/** A gap of one byte, and of two, is below these. */
const ONE_BYTE = 192;
const TWO_BYTES = ONE_BYTE + 256 * (255 - ONE_BYTE);

/** Postings of a shard: for term t, those from `starts[t]` to `starts[t + 1]`, rows ascending. */
export interface PostingArrays {
  readonly starts: Uint32Array;
  readonly rows: Uint16Array;
  /** 1 to 255. */
  readonly impacts: Uint8Array;
}

/** Blocks of so many documents. */
export function blocksOf(documents: number): number {
  return Math.ceil(documents / BLOCK_DOCUMENTS);
}

/** Bytes of a list whose form fixes them. */
export function listBytes(form: Exclude<Form, typeof FORM.gaps>, count: number, documents: number): number {
  const blocks = blocksOf(documents);
  if (form === FORM.offsets) return LIST_HEAD + 2 * blocks + 2 * count;
  if (form === FORM.bits) return LIST_HEAD + blocks + 32 * blocks + count;
  return LIST_HEAD + blocks + BLOCK_DOCUMENTS * blocks;
}

/** Whether bytes from `at` on have the head of a list of this length. Cost: none to speak of. */
export function isListOf(bytes: Uint8Array, at: number, length: number, documents: number): boolean {
  if (length <= LIST_HEAD) return false;
  const count = bytes[at]! + 256 * bytes[at + 1]! + 1;
  const form = bytes[at + 3]!;
  if (form === FORM.gaps) return length >= LIST_HEAD + 2 * count;
  return isForm(form) && length === listBytes(form, count, documents);
}

function isForm(form: number): form is Exclude<Form, typeof FORM.gaps> {
  return form === FORM.offsets || form === FORM.bits || form === FORM.plain;
}

/** Where each list will start, one entry more than there are lists. Cost: a pass over the rows. */
export function planLists({ starts, rows }: PostingArrays, documents: number): Uint32Array<ArrayBuffer> {
  const lists = new Uint32Array(starts.length);
  for (let term = 0; term + 1 < starts.length; term++) {
    const [first, end] = [starts[term]!, starts[term + 1]!];
    lists[term + 1] = lists[term]! + planned(rows, first, end, documents).bytes;
  }
  return lists;
}

/** Writes all lists to where `planLists` has them. `out` is overwritten; `lists` is the plan for these very arrays. */
export function writeLists(
  { starts, rows, impacts }: PostingArrays,
  documents: number,
  lists: Uint32Array,
  out: Uint8Array,
): void {
  out.fill(0);
  for (let term = 0; term + 1 < starts.length; term++) {
    const [first, end, at] = [starts[term]!, starts[term + 1]!, lists[term]!];
    const { form } = planned(rows, first, end, documents);
    let greatest = 0;
    for (let i = first; i < end; i++) if (impacts[i]! > greatest) greatest = impacts[i]!;
    out[at] = (end - first - 1) & 255;
    out[at + 1] = (end - first - 1) >> 8;
    out[at + 2] = greatest;
    out[at + 3] = form;
    if (form === FORM.gaps) writeGaps(rows, impacts, first, end, out, at + LIST_HEAD);
    else writeBlocks(form, rows, impacts, first, end, documents, out, at + LIST_HEAD);
  }
}

/** The form that takes least, and what it takes. */
function planned(
  rows: Uint16Array,
  first: number,
  end: number,
  documents: number,
): { readonly form: Form; readonly bytes: number } {
  const count = end - first;
  let best: { readonly form: Form; readonly bytes: number } = {
    form: FORM.plain,
    bytes: listBytes(FORM.plain, count, documents),
  };
  const consider = (form: Form, bytes: number) => {
    if (bytes < best.bytes) best = { form, bytes };
  };
  consider(FORM.bits, listBytes(FORM.bits, count, documents));
  const full = hasFullBlock(rows, first, end);
  if (!full) consider(FORM.offsets, listBytes(FORM.offsets, count, documents));
  if (count < FREQUENT || full) consider(FORM.gaps, LIST_HEAD + gapBytes(rows, first, end));
  return best;
}

/** Whether some block has all its documents: their number is none that a byte can hold. */
function hasFullBlock(rows: Uint16Array, first: number, end: number): boolean {
  for (let i = first; i + BLOCK_DOCUMENTS <= end; i++) {
    if (rows[i]! % BLOCK_DOCUMENTS === 0 && rows[i + BLOCK_DOCUMENTS - 1] === rows[i]! + BLOCK_DOCUMENTS - 1)
      return true;
  }
  return false;
}

function gapBytes(rows: Uint16Array, first: number, end: number): number {
  let bytes = end - first;
  for (let i = first, next = 0; i < end; i++) {
    const gap = rows[i]! - next;
    bytes += gap < ONE_BYTE ? 1 : gap < TWO_BYTES ? 2 : 3;
    next = rows[i]! + 1;
  }
  return bytes;
}

function writeGaps(
  rows: Uint16Array,
  impacts: Uint8Array,
  first: number,
  end: number,
  out: Uint8Array,
  start: number,
): void {
  let at = start;
  for (let i = first, next = 0; i < end; i++) {
    const gap = rows[i]! - next;
    if (gap < ONE_BYTE) out[at++] = gap;
    else if (gap < TWO_BYTES) {
      out[at++] = ONE_BYTE + ((gap - ONE_BYTE) >> 8);
      out[at++] = (gap - ONE_BYTE) & 255;
    } else {
      out[at++] = 255;
      out[at++] = gap & 255;
      out[at++] = gap >> 8;
    }
    out[at++] = impacts[i]!;
    next = rows[i]! + 1;
  }
}

function writeBlocks(
  form: Exclude<Form, typeof FORM.gaps>,
  rows: Uint16Array,
  impacts: Uint8Array,
  first: number,
  end: number,
  documents: number,
  out: Uint8Array,
  start: number,
): void {
  const blocks = blocksOf(documents);
  const heads = start + blocks;
  const offsets = heads + blocks;
  const stored = form === FORM.offsets ? offsets + end - first : heads + 32 * blocks;
  for (let i = first; i < end; i++) {
    const row = rows[i]!;
    const impact = impacts[i]!;
    const block = row >> 8;
    if (impact > out[start + block]!) out[start + block] = impact;
    if (form === FORM.plain) {
      out[heads + row] = impact;
      continue;
    }
    out[stored + i - first] = impact;
    if (form === FORM.bits) out[heads + (row >> 3)]! |= 1 << (row & 7);
    else {
      out[heads + block]!++;
      out[offsets + i - first] = row & 255;
    }
  }
}

/** The postings of a list, as the kernels read it. Throws `internal` for bytes that `writeLists` does not write. */
export function readList(
  list: Uint8Array,
  documents: number,
): { readonly rows: number[]; readonly impacts: number[] } {
  const count = list[0]! + 256 * list[1]! + 1;
  const found = list[3] === FORM.gaps ? readGaps(list, count) : readBlocks(list, count, documents);
  const last = found.rows[found.rows.length - 1];
  if (found.rows.length === count && last !== undefined && last < documents) return found;
  throw new LightedgeError(
    "internal",
    `A list of ${count} postings holds ${found.rows.length}, up to row ${last}.`,
  );
}

function readGaps(list: Uint8Array, count: number) {
  const rows: number[] = [];
  const impacts: number[] = [];
  let at = LIST_HEAD;
  for (let next = 0; rows.length < count && at < list.length; ) {
    const byte = list[at++]!;
    let gap = byte;
    if (byte === 255) {
      gap = list[at]! + 256 * list[at + 1]!;
      at += 2;
    } else if (byte >= ONE_BYTE) gap = ONE_BYTE + 256 * (byte - ONE_BYTE) + list[at++]!;
    rows.push(next + gap);
    impacts.push(list[at++]!);
    next += gap + 1;
  }
  return { rows, impacts };
}

function readBlocks(list: Uint8Array, count: number, documents: number) {
  const blocks = blocksOf(documents);
  const heads = LIST_HEAD + blocks;
  const rows: number[] = [];
  if (list[3] === FORM.offsets) {
    for (let block = 0; block < blocks; block++) {
      for (let i = 0; i < list[heads + block]!; i++) {
        rows.push(block * BLOCK_DOCUMENTS + list[heads + blocks + rows.length]!);
      }
    }
    const stored = heads + blocks + count;
    return { rows, impacts: rows.map((_, i) => list[stored + i]!) };
  }
  const plain = list[3] === FORM.plain;
  for (let row = 0; row < BLOCK_DOCUMENTS * blocks; row++) {
    if (plain ? list[heads + row]! > 0 : (list[heads + (row >> 3)]! >> (row & 7)) & 1) rows.push(row);
  }
  return { rows, impacts: rows.map((row, i) => list[plain ? heads + row : heads + 32 * blocks + i]!) };
}
