/** Documents by place: blocks read by range after the ranking, the last ones kept inflated. */
import type { DocumentBlock, StoredDocument } from "../format/document-block.ts";
import type { Documents } from "../format/documents.ts";

/** A document's place: which shard's documents file, which block of it, which record. */
export interface DocumentPlace {
  readonly shard: number;
  readonly block: number;
  readonly index: number;
}

/**
 * Inflated blocks, the longest unused dropped first. One for all indexes of an isolate:
 * keys begin with a file's digest, so versions and indexes cannot meet each other's blocks.
 */
export class BlockCache {
  readonly #capBytes: number;
  // A Map keeps insertion order, so the first key is the longest unused. Only settled
  // values are kept: a promise of one request must not be awaited by another in Workers.
  readonly #blocks = new Map<string, DocumentBlock>();
  #bytes = 0;

  /** Keeps blocks of at most this many bytes together. */
  constructor(capBytes: number) {
    this.#capBytes = capBytes;
  }

  get(key: string): DocumentBlock | undefined {
    const block = this.#blocks.get(key);
    if (block === undefined) return undefined;
    this.#blocks.delete(key);
    this.#blocks.set(key, block);
    return block;
  }

  put(key: string, block: DocumentBlock): void {
    if (this.#blocks.has(key) || block.bytes > this.#capBytes) return;
    this.#blocks.set(key, block);
    this.#bytes += block.bytes;
    for (const [oldest, { bytes }] of this.#blocks) {
      if (this.#bytes <= this.#capBytes) break;
      this.#blocks.delete(oldest);
      this.#bytes -= bytes;
    }
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
    const found = new Map<string, DocumentBlock>();
    const missing = this.#files.map(() => new Set<number>());
    for (const place of places) {
      const key = this.#keyOf(place.shard, place.block);
      if (key === null) continue;
      const block = found.get(key) ?? this.#cache.get(key);
      if (block === undefined) missing[place.shard]!.add(place.block);
      else found.set(key, block);
    }
    if (missing.some(({ size }) => size > 0)) await this.#fetch(missing, found);
    return places.map(({ shard, block, index }) => {
      const file = this.#files[shard]!;
      if ("records" in file) return file.records[index]!;
      return found.get(`${file.sha256}/${block}`)!.record(index);
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
