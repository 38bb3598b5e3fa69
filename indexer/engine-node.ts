/** The engine in Node: the same code as at the edge, over any store. */
import type { EnginePorts, OpenIndex } from "../shared/engine/api.ts";
import { openIndex } from "../shared/engine/open.ts";
import { createWasmKernels } from "../shared/kernels/wasm.ts";
import type { ReadStore } from "../shared/store/store.ts";
import { loadKernelsModule } from "./kernels-node.ts";

/** Memory for an index opened in Node: all that the largest supported index needs. */
const NODE_RESIDENT_BYTES = 1 << 30;

/** What the engine needs, from Node. */
export async function nodePorts(store: ReadStore): Promise<EnginePorts> {
  const module = await loadKernelsModule();
  return {
    store,
    kernels: (capBytes) => createWasmKernels(module, capBytes),
    now: () => performance.now(),
    region: "local",
  };
}

/** Loads the current version of an index, without the edge's memory budget. */
export async function openInNode(store: ReadStore, name: string): Promise<OpenIndex> {
  return openIndex(await nodePorts(store), name, { residentBytes: NODE_RESIDENT_BYTES });
}
