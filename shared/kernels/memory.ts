import { LightedgeError } from "../errors.ts";
import { KIB } from "../limits.ts";
import type { Pointer } from "./kernels.ts";

/** Bytes of a WebAssembly page; memory grows by whole ones. */
export const PAGE_BYTES = 64 * KIB;

/** Pages of the largest memory, 2 GiB: the sum of two addresses then fits 32 bits and cannot wrap. */
export const MAX_PAGES = 32_768;

/** Bytes at address 0 that belong to the kernels: a histogram of `topFloats`, or 64 of the longest codes in `blockCodes`. */
export const SCRATCH_BYTES = 32 * KIB;

/** `Pointer` values that `allocate` gives are multiples of this: a cache line. */
const ALIGNMENT = 64;

/** What memory is made of. `grow` adds zeroed pages, may replace `buffer`, and throws a RangeError when it cannot. */
export interface Pages {
  readonly buffer: ArrayBuffer;
  grow(pages: number): void;
}

/** Whole pages within a cap in bytes. Throws `index/too-large` when that is not even one. */
export function pagesWithin(capBytes: number): number {
  const pages = Math.min(Math.floor(capBytes / PAGE_BYTES), MAX_PAGES);
  if (pages >= 1) return pages;
  throw new LightedgeError("index/too-large", `A memory of ${capBytes} bytes holds no page of 64 KiB.`, {
    limit: capBytes,
  });
}

/** A bump allocator over pages, and the one place that says whether an address is inside them. Nothing is ever freed. */
export class KernelMemory {
  readonly #pages: Pages;
  readonly #maxBytes: number;
  #used = SCRATCH_BYTES;
  // Kept, as asking WebAssembly for it takes longer than some kernels do. Memory grows here and nowhere else.
  #buffer: ArrayBuffer;

  /** `pages` starts with one page at least; `maxPages` comes from `pagesWithin`. */
  constructor(pages: Pages, maxPages: number) {
    this.#pages = pages;
    this.#maxBytes = maxPages * PAGE_BYTES;
    this.#buffer = pages.buffer;
  }

  get buffer(): ArrayBuffer {
    return this.#buffer;
  }

  get size(): number {
    return this.#buffer.byteLength;
  }

  allocate(bytes: number): Pointer {
    if (!Number.isSafeInteger(bytes) || bytes < 0) {
      throw new LightedgeError("internal", `Cannot allocate ${bytes} bytes.`);
    }
    const end = this.#used + Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    if (end > this.#maxBytes) throw this.#tooLarge(end);
    if (end > this.size) {
      try {
        this.#pages.grow(Math.ceil((end - this.size) / PAGE_BYTES));
      } catch (cause) {
        // The engine may have less to give than the cap allows.
        if (cause instanceof RangeError) throw this.#tooLarge(end, cause);
        throw cause;
      }
      this.#buffer = this.#pages.buffer;
    }
    const pointer = this.#used;
    this.#used = end;
    return pointer;
  }

  /**
   * Throws `internal` unless `count` items of `itemBytes` lie inside memory at an address that
   * is a multiple of `align`. `what` names the argument in the message.
   */
  check(what: string, pointer: Pointer, count: number, itemBytes: number, align: number): void {
    // Scratch is not the caller's: an address in it is a mistake, address 0 above all.
    const valid =
      Number.isSafeInteger(pointer) &&
      Number.isSafeInteger(count) &&
      pointer >= SCRATCH_BYTES &&
      pointer % align === 0 &&
      count >= 0 &&
      pointer + count * itemBytes <= this.size;
    if (valid) return;
    throw new LightedgeError(
      "internal",
      `${what}: ${count} x ${itemBytes} bytes at address ${pointer} are not in a memory of ${this.size} bytes, or not at a multiple of ${align}.`,
    );
  }

  #tooLarge(needed: number, cause?: unknown): LightedgeError {
    const message = `${needed} bytes of memory are needed where ${this.#maxBytes} are allowed.`;
    return new LightedgeError("index/too-large", message, { limit: this.#maxBytes }, cause);
  }
}
