/** Documents by place: blocks read by range after the ranking, the last ones kept inflated. */
import type { DocumentBlock, StoredDocument } from "../format/document-block.ts";
import type { Documents } from "../format/documents.ts";

/** A document's place: which shard's documents file, which block of it, which record. */
export interface DocumentPlace {
  readonly shard: number;
  readonly block: number;
  readonly index: number;
}

/** Reads the documents of an index; keeps at most `capBytes` of inflated blocks, dropping the longest unused. */
export class DocumentReader {
  readonly #files: readonly Documents[];
  readonly #capBytes: number;
  // A Map keeps insertion order, so the first key is the longest unused. Only settled
  // values are kept: a promise of one request must not be awaited by another in Workers.
  readonly #blocks = new Map<string, DocumentBlock>();
  #bytes = 0;

  /** One file per shard, in the shards' order. */
  constructor(files: readonly Documents[], capBytes: number) {
    this.#files = files;
    this.#capBytes = capBytes;
  }

  /** The documents at these places, in their order. Cost: for blocks not kept, planned reads, all at once. */
  async read(places: readonly DocumentPlace[]): Promise<readonly StoredDocument[]> {
    const blocks = this.#kept(places) ?? (await this.#fetched(places));
    return places.map((place) => blocks.get(keyOf(place))!.record(place.index));
  }

  #kept(places: readonly DocumentPlace[]): ReadonlyMap<string, DocumentBlock> | null {
    const found = new Map<string, DocumentBlock>();
    for (const place of places) {
      const key = keyOf(place);
      const block = this.#blocks.get(key);
      if (block === undefined) return null;
      this.#blocks.delete(key);
      this.#blocks.set(key, block);
      found.set(key, block);
    }
    return found;
  }

  async #fetched(places: readonly DocumentPlace[]): Promise<ReadonlyMap<string, DocumentBlock>> {
    const found = new Map<string, DocumentBlock>();
    const missing = this.#files.map(() => new Set<number>());
    for (const place of places) {
      const block = this.#blocks.get(keyOf(place));
      if (block === undefined) missing[place.shard]!.add(place.block);
      else found.set(keyOf(place), block);
    }
    await Promise.all(
      missing.map(async (numbers, shard) => {
        if (numbers.size === 0) return;
        const wanted = [...numbers];
        const blocks = await this.#files[shard]!.blocks(wanted);
        blocks.forEach((block, at) => {
          const key = keyOf({ shard, block: wanted[at]! });
          found.set(key, block);
          this.#keep(key, block);
        });
      }),
    );
    return found;
  }

  #keep(key: string, block: DocumentBlock): void {
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

function keyOf({ shard, block }: { readonly shard: number; readonly block: number }): string {
  return `${shard}/${block}`;
}
