/** hnswlib by its Node binding, float32, inner product. */
import { loadPeer } from "./load.ts";
import { GRAPH, type PeerIndex, TOP } from "./vector-index.ts";

interface Hnswlib {
  readonly HierarchicalNSW: new (
    space: "ip",
    dimension: number,
  ) => {
    initIndex(maxElements: number, m: number, efConstruction: number, seed: number): void;
    addPoint(point: number[], label: number): void;
    setEf(ef: number): void;
    searchKnn(query: number[], k: number): { readonly neighbors: number[] };
  };
}

/** The library, or null. */
export function hnswlib(folder: string | undefined, note: (message: string) => void): PeerIndex | null {
  // The cast: the module describes itself in a file of types that is not here where it is not installed.
  const library = loadPeer(folder, "hnswlib-node", note) as Hnswlib | null;
  if (library === null) return null;
  let index: InstanceType<Hnswlib["HierarchicalNSW"]> | undefined;
  return {
    name: "hnswlib-node",
    build(vectors, dimension) {
      index = new library.HierarchicalNSW("ip", dimension);
      const rows = vectors.length / dimension;
      index.initIndex(rows, GRAPH.links, GRAPH.buildEffort, 100);
      for (let row = 0; row < rows; row++)
        index.addPoint(Array.from(vectors.subarray(row * dimension, (row + 1) * dimension)), row);
    },
    effort: (value) => index?.setEf(value),
    search: (query) => index?.searchKnn(query as number[], TOP).neighbors ?? [],
    prepare: (query) => Array.from(query),
  };
}
