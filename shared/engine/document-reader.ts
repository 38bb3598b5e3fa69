/** Documents by place: blocks read by range after the ranking, the last ones kept inflated. */
import type { DocumentBlock, StoredDocument } from "../format/document-block.ts";
import type { Documents } from "../format/documents.ts";
import type { MemoryBudget } from "./budget.ts";

/** A document's place: which shard's documents file, which block of it, which record. */
export interface DocumentPlace {
  readonly shard: number;
  readonly block: number;
  readonly index: number;
}

/** A value in memory. */
interface Held<Value> {
  readonly value: Value;
  readonly bytes: number;
}

/** The values used last, of at most so many bytes together, and those used before as long as a budget has room for them. */
class Kept<Value> {
  readonly #ownBytes: number;
  readonly #budget: MemoryBudget | null;
  // A Map keeps insertion order, so the first key is the longest unused. Only settled
  // values are kept: a promise of one request must not be awaited by another in Workers.
  readonly #own = new Map<string, Held<Value>>();
  readonly #spare = new Map<string, Held<Value> & { release(): void }>();
  #bytes = 0;

  constructor(ownBytes: number, budget: MemoryBudget | null) {
    this.#ownBytes = ownBytes;
    this.#budget = budget;
  }

  get(key: string): Value | undefined {
    const held = this.#own.get(key) ?? this.#spare.get(key);
    if (held === undefined) return undefined;
    this.#take(key);
    this.#add(key, held);
    return held.value;
  }

  put(key: string, value: Value, bytes: number): void {
    if (!this.#own.has(key) && !this.#spare.has(key)) this.#add(key, { value, bytes });
  }

  #take(key: string): void {
    const own = this.#own.get(key);
    if (this.#own.delete(key)) this.#bytes -= own!.bytes;
    this.#spare.get(key)?.release();
    this.#spare.delete(key);
  }

  #add(key: string, { value, bytes }: Held<Value>): void {
    if (bytes > this.#ownBytes) {
      this.#addSpare(key, { value, bytes });
      return;
    }
    this.#own.set(key, { value, bytes });
    this.#bytes += bytes;
    for (const [oldest, held] of this.#own) {
      if (this.#bytes <= this.#ownBytes) break;
      this.#take(oldest);
      this.#addSpare(oldest, held);
    }
  }

  #addSpare(key: string, held: Held<Value>): void {
    const release = this.#budget?.spare(held.bytes, () => this.#spare.delete(key));
    if (release) this.#spare.set(key, { ...held, release });
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

  /**
   * Keeps so many bytes in any case, of documents so many of them: 2 MiB are some two thousand. More where this budget
   * has room that nobody else wants.
   */
  constructor(ownBytes: number, documentBytes: number = ownBytes / 3, budget: MemoryBudget | null = null) {
    this.#blocks = new Kept(ownBytes - documentBytes, budget);
    this.#documents = new Kept(documentBytes, budget);
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

  /**
   * The documents at these places, in their order. Cost: for blocks not kept, planned reads, those of all files at once. Memory:
   * the documents, and of each file the blocks of one step; a block is let go of when what is wanted of it is decoded.
   */
  async read(places: readonly DocumentPlace[]): Promise<readonly StoredDocument[]> {
    const found = places.map((place) => this.#known(place));
    const missing = this.#files.map(() => new Map<number, number[]>());
    for (const [at, { shard, block }] of places.entries()) {
      if (found[at] !== undefined) continue;
      const wanted = missing[shard]!;
      wanted.set(block, [...(wanted.get(block) ?? []), at]);
    }
    await Promise.all(
      missing.map(async (wanted, shard) => {
        const file = this.#files[shard]!;
        if (wanted.size === 0 || "records" in file) return;
        const numbers = [...wanted.keys()].sort((a, b) => a - b);
        await file.documents.eachBlock(numbers, (block, number) => {
          const key = `${file.sha256}/${number}`;
          this.#cache.put(key, block);
          for (const at of wanted.get(number)!)
            found[at] = this.#cache.decoded(key, block, places[at]!.index);
        });
      }),
    );
    // Each was known, or is of a block that was read.
    return found as StoredDocument[];
  }

  /** The document at this place where no read is needed for it. */
  #known({ shard, block: number, index }: DocumentPlace): StoredDocument | undefined {
    const file = this.#files[shard]!;
    if ("records" in file) return file.records[index]!;
    const key = `${file.sha256}/${number}`;
    const document = this.#cache.document(key, index);
    if (document !== undefined) return document;
    const block = this.#cache.get(key);
    return block === undefined ? undefined : this.#cache.decoded(key, block, index);
  }
}
