/** Kernel memory for a shard that is made anew with every write: one instance that is filled again and again. */
import { align, bytesOf } from "../format/bytes.ts";
import type { ShardFile } from "../format/shard.ts";
import type { Kernels, Pointer } from "../kernels/kernels.ts";
import { codeLengths, layCodes } from "./codes.ts";
import { coldInMemory } from "./cold-sections.ts";
import { layPostings, planPostings, postingLengths } from "./postings.ts";
import type { ResidentShard } from "./resident.ts";

/**
 * A place for one shard. WebAssembly memory is given back by a collection that hardly ever comes, so a
 * new memory for every write would fill an isolate. What is placed here takes the place of what was:
 * whoever holds the shard before must not search it any more.
 */
export class FreshSlot {
  readonly #make: () => Kernels;
  #kernels: Kernels | null = null;
  #start: Pointer = 0;
  #capacity = 0;

  /** `make` gives a fresh kernel instance; called again each time the space has to double. */
  constructor(make: () => Kernels) {
    this.#make = make;
  }

  /** Bytes of memory that the slot holds. */
  get residentBytes(): number {
    return this.#kernels?.residentBytes ?? 0;
  }

  /** Copies a shard into the slot. Throws `index/too-large` where the kernels' cap is below what it takes. */
  place(shard: ShardFile): ResidentShard {
    const { chunks, padded } = shard.meta;
    const starts = planPostings(shard);
    const lengths = {
      ...codeLengths(shard.meta),
      vectors: shard.vectors.length,
      ...postingLengths(shard.meta, starts),
      query: padded * 2,
      rows: chunks * 4,
      dots: chunks * 4,
    };
    const { kernels, at } = this.#space(lengths);
    const put = (pointer: Pointer, bytes: Uint8Array) => kernels.bytes(pointer, bytes.length).set(bytes);
    put(at.codes, shard.codes);
    put(at.factors, bytesOf(shard.factors));
    put(at.vectors, bytesOf(shard.vectors));
    const { meta, owners, scales, ids, idStarts, places } = shard;
    const { codes: _, factors: __, vectors, codeDocuments: ___, ...work } = at;
    const cold = coldInMemory({ meta, kernels, owners, scales, ids, idStarts, places, vectors, work });
    return {
      ...{ meta, kernels, owners },
      codes: layCodes(kernels, shard, at),
      ...{ postings: layPostings(kernels, shard, starts, at), cold, work },
    };
  }

  /** Pointers for all of these lengths, one after the other. */
  #space<Name extends string>(
    lengths: Readonly<Record<Name, number>>,
  ): { readonly kernels: Kernels; readonly at: Readonly<Record<Name, Pointer>> } {
    const names = Object.keys(lengths) as Name[];
    const needed = names.reduce((sum, name) => sum + align(lengths[name]), 0);
    let kernels = this.#kernels;
    if (kernels === null || needed > this.#capacity) {
      kernels = this.#make();
      this.#capacity = Math.max(needed, 2 * this.#capacity);
      this.#start = kernels.allocate(this.#capacity);
      this.#kernels = kernels;
    }
    const at: Partial<Record<Name, Pointer>> = {};
    let next = this.#start;
    for (const name of names) {
      at[name] = next;
      next += align(lengths[name]);
    }
    // The loop above has given every name its pointer.
    return { kernels, at: at as Record<Name, Pointer> };
  }
}
