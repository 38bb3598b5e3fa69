import { LightedgeError } from "../errors.ts";
import type { RowBits } from "./kernels.ts";

/**
 * Values of a block. A block is unpacked by shifts of whole 16-byte vectors, so value 16k + i
 * lies in byte i of some vector: see docs/format.md, section "Row packing".
 */
export const BLOCK_VALUES = 128;

/** Values that one vector operation unpacks: their codes have the same bits of 16 neighbouring bytes. */
const GROUP_VALUES = 16;

/** Whether rows of so many values can be packed: a positive multiple of 128. */
export function isPackable(dimension: number): boolean {
  return Number.isSafeInteger(dimension) && dimension > 0 && dimension % BLOCK_VALUES === 0;
}

/** Bytes of a packed row: a multiple of 16. Throws `internal` for another width or a dimension that is no multiple of 128. */
export function rowBytes(dimension: number, bits: RowBits): number {
  if (![1, 2, 3, 4, 8].includes(bits))
    throw new LightedgeError("internal", `No row has ${bits} bits per value.`);
  if (!isPackable(dimension)) throw new LightedgeError("internal", `No row has ${dimension} values.`);
  return (dimension * bits) / 8;
}

/**
 * Packs one row into `out`, which is overwritten and must be `rowBytes` long. Codes are
 * 0..2^bits - 1, or -128..127 for 8 bits, where the code is the value. Throws `internal` for
 * any other code or length.
 */
export function packRow(codes: Uint8Array | Int8Array, bits: RowBits, out: Uint8Array): void {
  const bytes = rowBytes(codes.length, bits);
  if (out.length !== bytes)
    throw new LightedgeError("internal", `A row of ${bytes} bytes got ${out.length}.`);
  const [least, most] = bits === 8 ? [-128, 127] : [0, 2 ** bits - 1];
  for (const [j, code] of codes.entries()) {
    if (code >= least && code <= most) continue;
    throw new LightedgeError("internal", `Value ${j} has the code ${code}, which is not of ${bits} bits.`);
  }
  out.fill(0);
  for (let group = 0; group < codes.length / GROUP_VALUES; group++) {
    for (const { byte, shift, from, mask } of pieces(bits, group)) {
      for (let i = 0; i < GROUP_VALUES; i++) {
        out[byte + i]! |= ((codes[group * GROUP_VALUES + i]! >> from) & mask) << shift;
      }
    }
  }
}

/** The codes of a packed row, in order: the inverse of `packRow`. Codes below 8 bits are 0 or more. Throws `internal` for a wrong length. */
export function unpackRow(row: Uint8Array, bits: RowBits, dimension: number): Int8Array<ArrayBuffer> {
  const bytes = rowBytes(dimension, bits);
  if (row.length !== bytes)
    throw new LightedgeError("internal", `A row of ${bytes} bytes has ${row.length}.`);
  const codes = new Int8Array(dimension);
  for (let group = 0; group < dimension / GROUP_VALUES; group++) {
    for (const { byte, shift, from, mask } of pieces(bits, group)) {
      for (let i = 0; i < GROUP_VALUES; i++) {
        codes[group * GROUP_VALUES + i]! |= ((row[byte + i]! >> shift) & mask) << from;
      }
    }
  }
  return codes;
}

/** Bits of a group's codes, `mask` wide from bit `from` on, and where the first of them lies in the row; the others are in the 15 bytes after it. */
interface Piece {
  readonly byte: number;
  readonly shift: number;
  readonly from: number;
  readonly mask: number;
}

/** Where the bits of a group of 16 values lie. Eight groups are a block. */
function pieces(bits: RowBits, group: number): readonly Piece[] {
  const block = (group >> 3) * GROUP_VALUES * bits;
  const k = group & 7;
  switch (bits) {
    case 8:
      return [{ byte: group * GROUP_VALUES, shift: 0, from: 0, mask: 255 }];
    case 4:
      return [{ byte: block + (k >> 1) * 16, shift: (k & 1) * 4, from: 0, mask: 15 }];
    case 1:
      return [{ byte: block, shift: k, from: 0, mask: 1 }];
    case 2:
      return [{ byte: block + (k >> 2) * 16, shift: (k & 3) * 2, from: 0, mask: 3 }];
    case 3:
      return [
        { byte: block + (k >> 2) * 16, shift: (k & 3) * 2, from: 0, mask: 3 },
        { byte: block + 32, shift: k, from: 2, mask: 1 },
      ];
  }
}
