/** Whole indexes of the tiny corpus by the tiny encoder, through the real pipeline, in memory. */
import type { BuildOptions, BuildReport } from "../../indexer/build.ts";
import type { EnginePorts, OpenIndex } from "../../shared/engine/api.ts";
import { type OpenOptions, openIndex } from "../../shared/engine/open.ts";
import { createReferenceKernels } from "../../shared/kernels/reference.ts";
import { createWasmKernels } from "../../shared/kernels/wasm.ts";
import { MemoryStore } from "../../shared/store/memory.ts";
import type { ReadStore } from "../../shared/store/store.ts";
import type { SearchRequest } from "../../shared/types.ts";
import { builtKernels } from "../shared/kernels/built.ts";
import { indexTiny, TINY } from "../sim/tiny.ts";
import { tinyDocuments } from "./tiny-corpus.ts";
import { watchStore } from "./watched-stores.ts";

export { TINY } from "../sim/tiny.ts";

/**
 * Builds the index `tiny`: of 40 documents into a new memory unless the options say otherwise. What is in
 * that memory is checked when the test is over.
 */
export async function buildTiny(
  options: Partial<BuildOptions> = {},
): Promise<BuildReport & { readonly store: MemoryStore }> {
  const store = new MemoryStore();
  if (options.store === undefined) watchStore(store);
  const report = await indexTiny(store, tinyDocuments(40), options);
  return { ...report, store };
}

/** What the engine needs, with the scalar kernels or the compiled ones. */
export async function tinyPorts(
  store: ReadStore,
  kernels: "reference" | "wasm" = "reference",
): Promise<EnginePorts> {
  const common = { store, now: () => 0, region: "test" };
  if (kernels === "reference") return { ...common, kernels: createReferenceKernels };
  const module = await builtKernels();
  return { ...common, kernels: (capBytes) => createWasmKernels(module, capBytes) };
}

/** Opens the index `tiny` of a store. */
export async function openTiny(
  store: ReadStore,
  kernels?: "reference" | "wasm",
  options?: OpenOptions,
): Promise<OpenIndex> {
  return openIndex(await tinyPorts(store, kernels), TINY, options);
}

/** Another store with the same objects, to be damaged without a new build. */
export async function copyOf(store: MemoryStore): Promise<MemoryStore> {
  const copy = new MemoryStore();
  for await (const { key } of store.list("")) await copy.put(key, (await store.get(key))!.body);
  return copy;
}

/** A search request that asks for the defaults. */
export function requestFor(q: string, rest: Partial<SearchRequest> = {}): SearchRequest {
  return { q, mode: "hybrid", limit: 10, offset: 0, explain: false, ...rest };
}
