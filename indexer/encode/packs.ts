/**
 * Append-only files of keyed records. Every process appends to files of its own and reads
 * all, so processes side by side never write into each other's; a record counts only if
 * its checksum holds, so a torn tail or a flipped bit costs one encoding, not an answer.
 */
import { randomBytes } from "node:crypto";
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";

/** Bytes of a key. */
export const KEY_BYTES = 16;
/** Key, length of the value, CRC-32 of key and value. */
const HEADER_BYTES = KEY_BYTES + 8;
/** Bytes after which a process begins another file. Opening reads files whole, and Node reads none of 2 GiB. */
export const PACK_BYTES = 64 << 20;

interface Location {
  readonly file: number;
  readonly offset: number;
  readonly length: number;
}

/** Records in a folder by key. Values stay on disk; memory holds about 100 bytes a record. */
export class Packs {
  readonly #folder: string;
  readonly #files: number[] = [];
  readonly #places = new Map<string, Location>();
  #own: { readonly file: number; end: number } | null = null;

  /** Opens a folder, made if need be. Cost: every file in it is read once. */
  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
    for (const name of readdirSync(folder).sort()) if (name.endsWith(".pack")) this.#scan(join(folder, name));
  }

  /** The value under a key, or null. The bytes are checked again: they may have changed since they were scanned. */
  get(key: Buffer): Buffer | null {
    const place = this.#places.get(key.toString("latin1"));
    if (place === undefined) return null;
    const bytes = Buffer.alloc(HEADER_BYTES + place.length);
    const count = readSync(this.#files[place.file]!, bytes, 0, bytes.length, place.offset);
    return count === bytes.length && isSound(bytes, 0, place.length) ? bytes.subarray(HEADER_BYTES) : null;
  }

  /** Adds records in one write. */
  put(records: readonly { readonly key: Buffer; readonly value: Buffer }[]): void {
    if (records.length === 0) return;
    if (this.#own === null || this.#own.end >= PACK_BYTES) this.#own = { file: this.#create(), end: 0 };
    const parts: Buffer[] = [];
    let { end } = this.#own;
    for (const { key, value } of records) {
      const header = Buffer.alloc(HEADER_BYTES);
      key.copy(header);
      header.writeUInt32LE(value.length, KEY_BYTES);
      header.writeUInt32LE(checksum(key, value), KEY_BYTES + 4);
      parts.push(header, value);
      this.#places.set(key.toString("latin1"), { file: this.#own.file, offset: end, length: value.length });
      end += HEADER_BYTES + value.length;
    }
    const bytes = Buffer.concat(parts);
    for (let written = 0; written < bytes.length; ) {
      written += writeSync(
        this.#files[this.#own.file]!,
        bytes,
        written,
        bytes.length - written,
        this.#own.end + written,
      );
    }
    this.#own.end = end;
  }

  close(): void {
    for (const file of this.#files) closeSync(file);
    this.#files.length = 0;
    this.#places.clear();
  }

  #create(): number {
    const path = join(this.#folder, `${randomBytes(8).toString("hex")}.pack`);
    return this.#files.push(openSync(path, "wx+")) - 1;
  }

  #scan(path: string): void {
    const bytes = readFileSync(path);
    const file = this.#files.push(openSync(path, "r")) - 1;
    for (let offset = 0; offset + HEADER_BYTES <= bytes.length; ) {
      const length = bytes.readUInt32LE(offset + KEY_BYTES);
      // A length that runs past the end is a torn tail, or damage that hides what follows.
      if (offset + HEADER_BYTES + length > bytes.length) break;
      if (isSound(bytes, offset, length)) {
        this.#places.set(bytes.toString("latin1", offset, offset + KEY_BYTES), { file, offset, length });
      }
      offset += HEADER_BYTES + length;
    }
  }
}

function isSound(bytes: Buffer, offset: number, length: number): boolean {
  const key = bytes.subarray(offset, offset + KEY_BYTES);
  const value = bytes.subarray(offset + HEADER_BYTES, offset + HEADER_BYTES + length);
  return bytes.readUInt32LE(offset + KEY_BYTES + 4) === checksum(key, value);
}

function checksum(key: Buffer, value: Buffer): number {
  return crc32(value, crc32(key));
}
