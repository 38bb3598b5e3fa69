/**
 * Loaded parts of indexes by what they are: two versions of an index that have a table in common, or two indexes with the
 * same tokenizer, have it in memory once. An index is replaced while it is served, so what its next version needs beside it
 * is what is new.
 */
import type { BlobEntry } from "../format/manifest.ts";

/** Parts that somebody still has. It keeps none alive itself. */
export class SharedParts {
  readonly #parts = new Map<string, WeakRef<object>>();

  /**
   * The part of this blob as it was loaded before, or loaded now. `where` tells stores apart, from which a part may read on. Only for parts
   * that never change, and that nobody holds across an await while he works in their space.
   */
  async get<Part extends object>(where: string, blob: BlobEntry, load: () => Promise<Part>): Promise<Part> {
    const key = `${blob.role}/${blob.sha256}/${where}`;
    // Safe: what is kept under a role's key was loaded by that role's loader.
    const here = this.#parts.get(key)?.deref() as Part | undefined;
    if (here !== undefined) return here;
    const loaded = await load();
    for (const [other, part] of this.#parts) if (part.deref() === undefined) this.#parts.delete(other);
    this.#parts.set(key, new WeakRef(loaded));
    return loaded;
  }
}
