/** Documents by place: blocks read by range after the ranking, the last ones kept inflated. */
import type { DocumentBlock, StoredDocument } from "../format/document-block.ts";
import type { Documents } from "../format/documents.ts";

/** A document's place: which shard's documents file, which block of it, which record. */
export interface DocumentPlace {
  readonly shard: number;
  readonly block: number;
  readonly index: number;
}

/** Values of at most so many bytes together, the longest unused dropped first. */
class Kept<Value> {
  readonly #capBytes: number;
  // A Map keeps insertion order, so the first key is the longest unused. Only settled
  // values are kept: a promise of one request must not be awaited by another in Workers.
  readonly #values = new Map<string, { readonly value: Value; readonly bytes: number }>();
  #bytes = 0;

  constructor(capBytes: number) {
    this.#capBytes = capBytes;
  }

  get(key: string): Value | undefined {
    const kept = this.#values.get(key);
    if (kept === undefined) return undefined;
    this.#values.delete(key);
    this.#values.set(key, kept);
    return kept.value;
  }

  put(key: string, value: Value, bytes: number): void {
    if (this.#values.has(key) || bytes > this.#capBytes) return;
    this.#values.set(key, { value, bytes });
    this.#bytes += bytes;
    for (const [oldest, kept] of this.#values) {
      if (this.#bytes <= this.#capBytes) break;
      this.#values.delete(oldest);
      this.#bytes -= kept.bytes;
    }
  }
}

/** Bytes of a document in memory beside its texts, which take up to two a byte. */
const DOCUMENT_BYTES = 512;

/**
 * Inflated blocks, and documents that were answered with: of a block of a hundred documents one or two are ever asked for, and
 * those again and again. One for all indexes of an isolate: keys begin with a file's digest, so versions and indexes
 * cannot meet each other's.
 */
export class BlockCache {
  readonly #blocks: Kept<DocumentBlock>;
  readonly #documents: Kept<StoredDocument>;

  /** Keeps at most so many bytes, of documents so many of them: a sixth of 24 MiB are some four thousand. */
  constructor(capBytes: number, documentBytes: number = capBytes / 6) {
    this.#blocks = new Kept(capBytes - documentBytes);
    this.#documents = new Kept(documentBytes);
  }

  get(key: string): DocumentBlock | undefined {
    return this.#blocks.get(key);
  }

  put(key: string, block: DocumentBlock): void {
    this.#blocks.put(key, block, block.bytes);
  }

  /** A document by its block's key and its number there. */
  document(key: string, index: number): StoredDocument | undefined {
    return this.#documents.get(`${key}/${index}`);
  }

  /** The document with this number of a block, kept from now on. Throws as the block does. */
  decoded(key: string, block: DocumentBlock, index: number): StoredDocument {
    const document = block.record(index);
    this.#documents.put(`${key}/${index}`, document, DOCUMENT_BYTES + 2 * block.recordBytes(index));
    return document;
  }
}

/** A documents file with the digest that tells its blocks from other files', or documents in memory, all in block 0. */
export type DocumentsFile =
  | { readonly sha256: string; readonly documents: Documents }
  | { readonly records: readonly StoredDocument[] };

/** Reads the documents of an index. */
export class DocumentReader {
  readonly #files: readonly DocumentsFile[];
  readonly #cache: BlockCache;

  /** One file per shard, in the shards' order. */
  constructor(files: readonly DocumentsFile[], cache: BlockCache) {
    this.#files = files;
    this.#cache = cache;
  }

  /** The documents at these places, in their order. Cost: for blocks not kept, planned reads, all at once. */
  async read(places: readonly DocumentPlace[]): Promise<readonly StoredDocument[]> {
    const keys = places.map(({ shard, block }) => this.#keyOf(shard, block));
    const known = places.map(({ index }, at) => {
      const key = keys[at]!;
      return key === null ? undefined : this.#cache.document(key, index);
    });
    const found = new Map<string, DocumentBlock>();
    const missing = this.#files.map(() => new Set<number>());
    for (const [at, { shard, block: number }] of places.entries()) {
      const key = keys[at]!;
      if (key === null || known[at] !== undefined) continue;
      const block = found.get(key) ?? this.#cache.get(key);
      if (block === undefined) missing[shard]!.add(number);
      else found.set(key, block);
    }
    if (missing.some(({ size }) => size > 0)) await this.#fetch(missing, found);
    return places.map(({ shard, index }, at) => {
      const file = this.#files[shard]!;
      if ("records" in file) return file.records[index]!;
      const key = keys[at]!;
      return known[at] ?? this.#cache.decoded(key!, found.get(key!)!, index);
    });
  }

  async #fetch(missing: readonly ReadonlySet<number>[], found: Map<string, DocumentBlock>): Promise<void> {
    await Promise.all(
      missing.map(async (numbers, shard) => {
        if (numbers.size === 0) return;
        const wanted = [...numbers];
        const file = this.#files[shard]!;
        if ("records" in file) return;
        const blocks = await file.documents.blocks(wanted);
        blocks.forEach((block, at) => {
          const key = `${file.sha256}/${wanted[at]!}`;
          found.set(key, block);
          this.#cache.put(key, block);
        });
      }),
    );
  }

  /** Null where the documents are in memory. */
  #keyOf(shard: number, block: number): string | null {
    const file = this.#files[shard]!;
    return "records" in file ? null : `${file.sha256}/${block}`;
  }
}
