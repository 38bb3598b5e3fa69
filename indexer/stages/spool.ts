/** Documents set aside on disk, so that memory holds their places only. */
import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SourceDocument } from "../sources/source.ts";

/** Where a document lies in the spool. */
export interface SpoolPlace {
  readonly offset: number;
  readonly length: number;
}

/** Bytes gathered before they are written. */
const BUFFER_BYTES = 1 << 20;

/** A temporary file of documents that can be read again in any order. */
export class Spool {
  readonly #folder: string;
  readonly #file: FileHandle;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #written = 0;

  private constructor(folder: string, file: FileHandle) {
    this.#folder = folder;
    this.#file = file;
  }

  static async create(): Promise<Spool> {
    const folder = await mkdtemp(join(tmpdir(), "lightedge-"));
    return new Spool(folder, await open(join(folder, "documents"), "w+"));
  }

  async add(document: SourceDocument): Promise<SpoolPlace> {
    const bytes = Buffer.from(JSON.stringify(document));
    const place = { offset: this.#written + this.#pendingBytes, length: bytes.length };
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    if (this.#pendingBytes >= BUFFER_BYTES) await this.#flush();
    return place;
  }

  async read(place: SpoolPlace): Promise<SourceDocument> {
    if (this.#pendingBytes > 0) await this.#flush();
    const bytes = Buffer.alloc(place.length);
    await this.#file.read(bytes, 0, place.length, place.offset);
    return JSON.parse(bytes.toString()) as SourceDocument;
  }

  /** Removes the file. */
  async close(): Promise<void> {
    await this.#file.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.concat(this.#pending);
    await this.#file.write(bytes, 0, bytes.length, this.#written);
    this.#written += bytes.length;
    this.#pending = [];
    this.#pendingBytes = 0;
  }
}
