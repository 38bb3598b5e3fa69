/**
 * How postings lie in kernel memory: one list a term, in the form that takes least. Made anew from a shard file's
 * rows and impacts whenever it is loaded, so no file depends on it. B is the number of blocks of 256 documents.
 *
 * A list starts with its documents less one (u16), its greatest impact (u8) and its form (u8). Then
 * - gaps: for each posting the documents left out before it, and its impact (u8). A gap below 192 is a byte b; one
 *   below 16,320 is 192 + 256 (b - 192) + the byte after it, b below 255; any other is 255, then u16.
 * - offsets: greatest impact of each block, 0 for none (u8 x B); its postings less one (u8 x B); then, block after
 *   block, its documents within it (u8 each) and their impacts.
 * - bits: the same, but a bit for each document of the block (32 bytes, of every block) and the impacts of those that are set.
 * - plain: greatest impact of each block (u8 x B), impact of each document (u8 x 256 B), 0 where it has none.
 *
 * `gaps` has no way in but from its start, so it is for rare terms, which are read as a whole anyway. What is read of a
 * block lies side by side, as most of the time goes into waiting for it. No list takes more than three bytes a posting and eight.
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
  if (form === FORM.bits) return LIST_HEAD + 2 * blocks + 32 * blocks + count;
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
  consider(FORM.offsets, listBytes(FORM.offsets, count, documents));
  if (count < FREQUENT) consider(FORM.gaps, LIST_HEAD + gapBytes(rows, first, end));
  return best;
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
  let at = heads + blocks;
  for (let i = first, block = 0; block < blocks; block++) {
    const from = i;
    for (; i < end && rows[i]! >> 8 === block; i++) {
      const impact = impacts[i]!;
      if (impact > out[start + block]!) out[start + block] = impact;
      if (form === FORM.plain) out[heads + rows[i]!] = impact;
    }
    if (form === FORM.plain) continue;
    const count = i - from;
    if (count > 0) out[heads + block] = count - 1;
    for (let k = from; k < i; k++) {
      const row = rows[k]! & 255;
      if (form === FORM.bits) out[at + (row >> 3)]! |= 1 << (row & 7);
      else out[at + k - from] = row;
    }
    at += form === FORM.bits ? 32 : count;
    out.set(impacts.subarray(from, i), at);
    at += count;
  }
}

/** The postings of a list, as the kernels read it. Throws `internal` for bytes that `writeLists` does not write. */
export function readList(
  list: Uint8Array,
  documents: number,
): { readonly rows: number[]; readonly impacts: number[] } {
  const count = list[0]! + 256 * list[1]! + 1;
  const found = list[3] === FORM.gaps ? readGaps(list, count) : readBlocks(list, documents);
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

function readBlocks(list: Uint8Array, documents: number) {
  const blocks = blocksOf(documents);
  const heads = LIST_HEAD + blocks;
  const rows: number[] = [];
  const impacts: number[] = [];
  let at = heads + blocks;
  for (let block = 0; block < blocks; block++) {
    const offsets = Array.from({ length: BLOCK_DOCUMENTS }, (_, offset) => offset);
    const first = block * BLOCK_DOCUMENTS;
    if (list[3] === FORM.plain) {
      for (const offset of offsets.filter((offset) => list[heads + first + offset]! > 0)) {
        rows.push(first + offset);
        impacts.push(list[heads + first + offset]!);
      }
      continue;
    }
    const count = list[LIST_HEAD + block] === 0 ? 0 : list[heads + block]! + 1;
    const bits = list[3] === FORM.bits;
    const held = bits
      ? offsets.filter((offset) => (list[at + (offset >> 3)]! >> (offset & 7)) & 1)
      : [...list.subarray(at, at + count)];
    at += bits ? 32 : count;
    rows.push(...held.map((offset) => first + offset));
    impacts.push(...list.subarray(at, at + count));
    at += count;
  }
  return { rows, impacts };
}
