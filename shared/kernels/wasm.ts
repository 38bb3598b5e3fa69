import { checkedKernels, type RawKernels } from "./checked.ts";
import type { Kernels } from "./kernels.ts";
import { KernelMemory, pagesWithin } from "./memory.ts";

/**
 * The WASM SIMD kernels over a new memory of one page that may grow to `capBytes`, rounded
 * down to whole pages of 64 KiB; 32 KiB of it are the kernels' own. `module` is
 * build/kernels.wasm: Workers import it, as they may not compile; `indexer/kernels-node.ts`
 * reads it. Synchronous, some 0.1 ms. Throws `index/too-large` for a cap below a page.
 */
export function createWasmKernels(module: WebAssembly.Module, capBytes: number): Kernels {
  const maximum = pagesWithin(capBytes);
  const pages = new WebAssembly.Memory({ initial: 1, maximum });
  const instance = new WebAssembly.Instance(module, { env: { memory: pages } });
  // The one cast: `RawKernels` lists what assembly/index.ts exports, and no type can know it.
  const raw = instance.exports as unknown as RawKernels;
  return checkedKernels(new KernelMemory(pages, maximum), raw);
}
