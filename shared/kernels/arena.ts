/** Kernel memory that is used again: WebAssembly gives memory back by a collection that hardly ever comes. */
import { checkedKernels, type RawKernels } from "./checked.ts";
import type { Kernels } from "./kernels.ts";
import { KernelMemory, pagesWithin } from "./memory.ts";

/** A memory for one user after the other. */
export interface Arena {
  /** Bytes that it holds; it never becomes less. */
  readonly bytes: number;
  /** Kernels over all of it, zeroed, of which nothing is allocated. Those given before must not be used any more. */
  fresh(): Kernels;
}

/** A WASM SIMD arena of one page that may grow to `capBytes`. Throws `index/too-large` for a cap below a page. */
export function createWasmArena(module: WebAssembly.Module, capBytes: number): Arena {
  const maximum = pagesWithin(capBytes);
  const pages = new WebAssembly.Memory({ initial: 1, maximum });
  const instance = new WebAssembly.Instance(module, { env: { memory: pages } });
  // The one cast, as in `wasm.ts`: `RawKernels` lists what assembly/index.ts exports, and no type can know it.
  const raw = instance.exports as unknown as RawKernels;
  return {
    get bytes() {
      return pages.buffer.byteLength;
    },
    fresh() {
      new Uint8Array(pages.buffer).fill(0);
      return checkedKernels(new KernelMemory(pages, maximum), raw);
    },
  };
}
