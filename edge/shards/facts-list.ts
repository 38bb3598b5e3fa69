/** What a ranking needs of documents, gathered one after the other. */
import type { ColdFacts } from "../../shared/engine/cold-sections.ts";

/** Bytes of an id, as a first guess. */
const ID_BYTES = 16;

/** Facts of as many documents as it was made for. */
export class FactsList {
  readonly #places: Uint32Array<ArrayBuffer>;
  readonly #idStarts: Uint32Array<ArrayBuffer>;
  #ids: Uint8Array<ArrayBuffer>;
  #count = 0;

  constructor(documents: number) {
    this.#places = new Uint32Array(2 * documents);
    this.#idStarts = new Uint32Array(documents + 1);
    this.#ids = new Uint8Array(ID_BYTES * documents);
  }

  /** The next document's; its id is bytes `[start, end)` of these. */
  add(block: number, record: number, bytes: Uint8Array, start: number, end: number): void {
    const at = this.#count++;
    this.#places[2 * at] = block;
    this.#places[2 * at + 1] = record;
    const from = this.#idStarts[at]!;
    const to = from + end - start;
    this.#idStarts[at + 1] = to;
    if (to > this.#ids.length) {
      const larger = new Uint8Array(2 * to);
      larger.set(this.#ids);
      this.#ids = larger;
    }
    // Byte by byte: an id is shorter than the time it takes to make a view of it.
    for (let i = 0; i < end - start; i++) this.#ids[from + i] = bytes[start + i]!;
  }

  /** All of them, in arrays of their own. */
  finish(): ColdFacts {
    const ids = this.#ids.slice(0, this.#idStarts[this.#count]);
    return { places: this.#places, ids, idStarts: this.#idStarts };
  }
}
