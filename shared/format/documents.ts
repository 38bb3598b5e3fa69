/** The documents file: what answers show, in compressed blocks read by range. docs/format.md section 8. */

import { LightedgeError } from "../errors.ts";
import { fromHex, toHex } from "../hash.ts";
import { FORMAT_LIMITS } from "../limits.ts";
import { bytesOf, checkStarts, invalid, uint32s } from "./bytes.ts";
import {
  blockBytes,
  type DocumentBlock,
  deflateBlock,
  encodeBlock,
  encodeRecord,
  inflateBlock,
  MAX_BLOCK_BYTES,
  type StoredDocument,
} from "./document-block.ts";
import { type WrittenFile, writeEnvelope } from "./envelope.ts";
import type { ByteRange } from "./plan.ts";
import type { SectionSource } from "./ranged.ts";
import { flag, integer, object } from "./shape.ts";

/** Bytes of a content digest: enough that no two contents of one id will ever meet. */
const DIGEST_BYTES = 16;

/** Blocks of a file that are fetched together: a page of hits is one step, the deepest of a hundred four. */
export const BLOCKS_AT_ONCE = 32;

/** What a documents file says about itself. */
export interface DocumentsMeta {
  /** Documents in it. */
  readonly count: number;
  readonly blocks: number;
  /** Whether each document's content digest is there. */
  readonly digests?: true;
}

/** Where a document lies in its documents file. */
export interface Place {
  readonly block: number;
  /** Number of the record in the block. */
  readonly index: number;
}

/** Where the blocks of a file lie. */
export interface BlockDirectory {
  /** blocks + 1: first byte of each block in the section `blocks`. */
  readonly starts: Uint32Array<ArrayBuffer>;
  /** Bytes of each block once inflated. */
  readonly sizes: Uint32Array<ArrayBuffer>;
}

/** A documents file, open. Its blocks are read when asked for. */
export interface Documents {
  readonly meta: DocumentsMeta;
  readonly directory: BlockDirectory;
  /** These blocks in the order given. `format/invalid` for a block that is not there. Memory: all of them. */
  blocks(numbers: readonly number[]): Promise<readonly DocumentBlock[]>;
  /** As `blocks`, one after the other, of which no more are fetched together than `BLOCKS_AT_ONCE`; neighbours should follow each other. */
  eachBlock(numbers: readonly number[], take: (block: DocumentBlock, number: number) => void): Promise<void>;
  /** What each document was made from, in their order: `contentDigest`; null where the file has none. */
  digests(): Promise<readonly string[] | null>;
}

const checkMeta = object<DocumentsMeta>(
  {
    count: integer(0, 0xffffffff),
    blocks: integer(0, 0xffffffff),
    digests: (value, where) => {
      if (flag(value, where)) return true;
      throw invalid(`${where} is true or absent.`);
    },
  },
  ["digests"],
);

/** Packs documents into blocks of about 64 KiB as they come. Memory: the compressed blocks and one raw one. */
export class DocumentsWriter {
  #blocks: Uint8Array<ArrayBuffer>[] = [];
  #sizes: number[] = [];
  #records: Uint8Array<ArrayBuffer>[] = [];
  #recordBytes = 0;
  #compressedBytes = 0;
  #count = 0;
  readonly #digests: string[] = [];

  /**
   * Adds a document, with its `contentDigest` if a later run shall find out by it whether the document
   * changed; all have one or none. Says where it will lie. A record is never split: one above 64 KiB has a block to itself.
   */
  async add(document: StoredDocument, digest?: string): Promise<Place> {
    const record = encodeRecord(document);
    if (blockBytes(1, record.length) > MAX_BLOCK_BYTES) {
      throw invalid(`Document ${document.id} takes ${record.length} bytes; a block holds 2 MiB.`);
    }
    const grown = blockBytes(this.#records.length + 1, this.#recordBytes + record.length);
    if (this.#records.length > 0 && grown > FORMAT_LIMITS.blockBytes) await this.#close();
    const place = { block: this.#blocks.length, index: this.#records.length };
    this.#records.push(record);
    this.#recordBytes += record.length;
    this.#count += 1;
    if (digest !== undefined) this.#digests.push(digest);
    return place;
  }

  /** The file. The writer is spent afterwards. */
  async finish(): Promise<WrittenFile> {
    if (this.#records.length > 0) await this.#close();
    const starts = new Uint32Array(this.#blocks.length + 1);
    const blocks = new Uint8Array(this.#compressedBytes);
    this.#blocks.forEach((block, at) => {
      blocks.set(block, starts[at]!);
      starts[at + 1] = starts[at]! + block.length;
    });
    const has = this.#digests.length > 0;
    if (has && this.#digests.length !== this.#count)
      throw invalid("Some documents have a digest and some none.");
    const meta = { count: this.#count, blocks: this.#blocks.length, ...(has ? { digests: true } : {}) };
    return writeEnvelope("documents", meta, [
      { name: "directory", bytes: bytesOf(Uint32Array.from([...starts, ...this.#sizes])) },
      ...(has ? [{ name: "digests", bytes: fromHex(this.#digests.join("")) }] : []),
      { name: "blocks", bytes: blocks },
    ]);
  }

  async #close(): Promise<void> {
    const raw = encodeBlock(this.#records);
    this.#records = [];
    this.#recordBytes = 0;
    const compressed = await deflateBlock(raw);
    this.#compressedBytes += compressed.length;
    if (this.#compressedBytes > 0xffffffff) {
      throw new LightedgeError(
        "index/too-large",
        "A documents file holds at most 4 GiB; make smaller shards.",
      );
    }
    this.#blocks.push(compressed);
    this.#sizes.push(raw.length);
  }
}

/** Opens a documents file, whole (`wholeSource`) or by range (`openRanged`). Throws `format/invalid`. Cost by range: one read. */
export async function openDocuments(source: SectionSource): Promise<Documents> {
  const meta = checkMeta(source.meta, "documents");
  const range = { start: 0, end: 4 * (2 * meta.blocks + 1) };
  const [bytes = new Uint8Array(0)] = await source.read("directory", [range]);
  const directory = readBlockDirectory(meta, bytes, source.bytes("blocks"));
  const eachBlock: Documents["eachBlock"] = async (numbers, take) => {
    for (let first = 0; first < numbers.length; first += BLOCKS_AT_ONCE) {
      const some = numbers.slice(first, first + BLOCKS_AT_ONCE);
      const compressed = await source.read(
        "blocks",
        some.map((number) => blockRange(directory, number)),
      );
      // In turn: an inflater is 100 KiB beside what it gives, and there is one thread for all of them.
      for (const [at, number] of some.entries())
        take(await inflateBlock(compressed[at]!, directory.sizes[number]!), number);
    }
  };
  return {
    meta,
    directory,
    async blocks(numbers) {
      const found: DocumentBlock[] = [];
      await eachBlock(numbers, (block) => found.push(block));
      return found;
    },
    eachBlock,
    async digests() {
      if (meta.digests === undefined) return null;
      const [bytes] = await source.read("digests", [{ start: 0, end: DIGEST_BYTES * meta.count }]);
      const text = toHex(bytes!);
      const digits = 2 * DIGEST_BYTES;
      return Array.from({ length: meta.count }, (_, at) => text.slice(at * digits, (at + 1) * digits));
    },
  };
}

/** The directory from the bytes of its section, given the length of the section `blocks`. Throws `format/invalid`. */
export function readBlockDirectory(
  { blocks }: DocumentsMeta,
  bytes: Uint8Array<ArrayBuffer>,
  blocksBytes: number,
): BlockDirectory {
  const numbers = uint32s(bytes, 2 * blocks + 1, "documents section directory");
  const starts = numbers.subarray(0, blocks + 1);
  const sizes = numbers.subarray(blocks + 1);
  checkStarts(starts, blocksBytes, "documents section directory");
  const bomb = sizes.findIndex((size) => size > MAX_BLOCK_BYTES);
  if (bomb >= 0) {
    throw invalid(`documents section directory: block ${bomb} would inflate to ${sizes[bomb]} bytes.`);
  }
  return { starts, sizes };
}

/** Where a block lies in the section `blocks`. */
export function blockRange({ starts }: BlockDirectory, block: number): ByteRange {
  const start = starts[block];
  const end = starts[block + 1];
  if (start === undefined || end === undefined) throw invalid(`The documents file has no block ${block}.`);
  return { start, end };
}
