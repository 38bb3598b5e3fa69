/**
 * Append-only files of keyed records. Every process appends to files of its own and reads
 * all, so processes side by side never write into each other's; a record counts only if
 * its checksum holds, so a torn tail or a flipped bit costs one encoding, not an answer.
 */
import { createHash, randomBytes } from "node:crypto";
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";

/** Bytes of a key. */
export const KEY_BYTES = 16;
/** Key, length of the value, CRC-32 of key and value. */
const HEADER_BYTES = KEY_BYTES + 8;
/** Bytes of a file at most, unless one writing alone has more. Opening reads files whole, and Node reads none of 2 GiB. */
export const PACK_BYTES = 64 << 20;
/** Files held open at once: years of nightly runs make thousands, and some systems allow 1,024. */
const OPEN_FILES = 64;

interface Location {
  readonly file: number;
  readonly offset: number;
  readonly length: number;
}

/** A record. */
export interface PackRecord {
  /** `KEY_BYTES` bytes. */
  readonly key: Buffer;
  readonly value: Buffer;
}

/** A pack that is written no more: its name is the digest of its bytes, with `.pack`. */
export interface SealedPack {
  readonly name: string;
  readonly bytes: Buffer<ArrayBuffer>;
}

/** Records in a folder by key. Values stay on disk; memory holds about 100 bytes a record. */
export class Packs {
  readonly #folder: string;
  readonly #names: string[] = [];
  /** Descriptors by number of the file, the one used longest ago first. */
  readonly #open = new Map<number, number>();
  readonly #places = new Map<string, Location>();
  #own: { readonly file: number; readonly descriptor: number; end: number } | null = null;

  /**
   * Opens a folder, made if need be. Cost: every file in it is read once. A record that is in several
   * packs is taken from a preferred one.
   */
  constructor(folder: string, preferred: ReadonlySet<string> = new Set()) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
    const names = readdirSync(folder)
      .filter((name) => name.endsWith(".pack"))
      .sort();
    this.add(names.filter((name) => !preferred.has(name)));
    this.add(names.filter((name) => preferred.has(name)));
  }

  /** Bytes in the file that is being written. */
  get pendingBytes(): number {
    return this.#own?.end ?? 0;
  }

  /** Reads those of these packs of the folder that have come since it was opened. */
  add(names: Iterable<string>): void {
    const known = new Set(this.#names);
    for (const name of names) if (!known.has(name)) this.#scan(name);
  }

  /** The value under a key, or null. The bytes are checked again: they may have changed since they were scanned. */
  get(key: Buffer): Buffer | null {
    const place = this.#places.get(key.toString("latin1"));
    if (place === undefined) return null;
    const descriptor = this.#descriptorOf(place.file);
    if (descriptor === null) return null;
    const bytes = Buffer.alloc(HEADER_BYTES + place.length);
    const count = readSync(descriptor, bytes, 0, bytes.length, place.offset);
    return count === bytes.length && isSound(bytes, 0, place.length) ? bytes.subarray(HEADER_BYTES) : null;
  }

  /** Which pack a key is in: its name, `pending` for the one that is being written, null for none. */
  whereIs(key: Buffer): string | "pending" | null {
    const place = this.#places.get(key.toString("latin1"));
    if (place === undefined) return null;
    return place.file === this.#own?.file ? "pending" : this.#names[place.file]!;
  }

  /** Adds records in one write. */
  put(records: readonly PackRecord[]): void {
    if (records.length === 0) return;
    const size = sizeOf(records);
    if (this.#own === null || (this.#own.end > 0 && this.#own.end + size > PACK_BYTES)) {
      this.#closeOwn();
      this.#own = this.#create();
    }
    const own = this.#own;
    const parts: Buffer[] = [];
    let { end } = own;
    for (const { key, value } of records) {
      const header = Buffer.alloc(HEADER_BYTES);
      key.copy(header);
      header.writeUInt32LE(value.length, KEY_BYTES);
      header.writeUInt32LE(checksum(key, value), KEY_BYTES + 4);
      parts.push(header, value);
      this.#places.set(key.toString("latin1"), { file: own.file, offset: end, length: value.length });
      end += HEADER_BYTES + value.length;
    }
    const bytes = Buffer.concat(parts);
    for (let written = 0; written < bytes.length; ) {
      written += writeSync(own.descriptor, bytes, written, bytes.length - written, own.end + written);
    }
    own.end = end;
  }

  /** Ends the file that is being written and names it after its bytes; null where nothing was written. */
  seal(): SealedPack | null {
    const own = this.#own;
    if (own === null || own.end === 0) return null;
    this.#closeOwn();
    const path = join(this.#folder, this.#names[own.file]!);
    const bytes = readFileSync(path);
    const name = `${createHash("sha256").update(bytes).digest("hex")}.pack`;
    renameSync(path, join(this.#folder, name));
    this.#names[own.file] = name;
    return { name, bytes };
  }

  close(): void {
    this.#closeOwn();
    for (const descriptor of this.#open.values()) closeSync(descriptor);
    this.#open.clear();
    this.#places.clear();
  }

  #create() {
    const name = `${randomBytes(8).toString("hex")}.pack`;
    const descriptor = openSync(join(this.#folder, name), "wx+");
    return { file: this.#names.push(name) - 1, descriptor, end: 0 };
  }

  #closeOwn(): void {
    if (this.#own !== null) closeSync(this.#own.descriptor);
    this.#own = null;
  }

  /** An open descriptor of a file, or null where the file has gone: then its records have to be made again. */
  #descriptorOf(file: number): number | null {
    if (file === this.#own?.file) return this.#own.descriptor;
    let descriptor = this.#open.get(file);
    this.#open.delete(file);
    try {
      descriptor ??= openSync(join(this.#folder, this.#names[file]!), "r");
    } catch {
      return null;
    }
    this.#open.set(file, descriptor);
    const [oldest] = this.#open;
    if (this.#open.size > OPEN_FILES && oldest !== undefined) {
      this.#open.delete(oldest[0]);
      closeSync(oldest[1]);
    }
    return descriptor;
  }

  #scan(name: string): void {
    const bytes = readFileSync(join(this.#folder, name));
    const file = this.#names.push(name) - 1;
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

/** Bytes that records take in a pack. */
export function sizeOf(records: readonly PackRecord[]): number {
  return records.reduce((sum, { value }) => sum + HEADER_BYTES + value.length, 0);
}

function isSound(bytes: Buffer, offset: number, length: number): boolean {
  const key = bytes.subarray(offset, offset + KEY_BYTES);
  const value = bytes.subarray(offset + HEADER_BYTES, offset + HEADER_BYTES + length);
  return bytes.readUInt32LE(offset + KEY_BYTES + 4) === checksum(key, value);
}

function checksum(key: Buffer, value: Buffer): number {
  return crc32(value, crc32(key));
}
