/** usearch by its Node binding, float32, inner product, its program as the package brings it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadPeer } from "./load.ts";
import { GRAPH, type PeerIndex, TOP } from "./vector-index.ts";

interface Usearch {
  readonly Index: new (options: {
    readonly dimensions: number;
    readonly metric: "ip";
    readonly quantization: "f32";
    readonly connectivity: number;
    readonly expansion_add: number;
    readonly expansion_search: number;
  }) => {
    add(keys: BigUint64Array, vectors: Float32Array, threads: number): void;
    search(vector: Float32Array, k: number, threads: number): { readonly keys: BigUint64Array };
    save(path: string): void;
    load(path: string): void;
  };
}

/** The library, or null. */
export function usearch(folder: string | undefined, note: (message: string) => void): PeerIndex | null {
  // The cast: the module describes itself in a file of types that is not here where it is not installed.
  const library = loadPeer(folder, "usearch", note) as Usearch | null;
  if (library === null) return null;
  let dimensions = 0;
  const create = (effort: number) =>
    new library.Index({
      dimensions,
      metric: "ip",
      quantization: "f32",
      connectivity: GRAPH.links,
      expansion_add: GRAPH.buildEffort,
      expansion_search: effort,
    });
  let index: ReturnType<typeof create> | undefined;
  return {
    name: "usearch",
    build(vectors, dimension) {
      dimensions = dimension;
      index = create(64);
      const keys = BigUint64Array.from({ length: vectors.length / dimension }, (_, row) => BigInt(row));
      index.add(keys, vectors, 1);
    },
    effort(value) {
      // The binding takes the width of a search with the constructor alone.
      const scratch = mkdtempSync(join(tmpdir(), "lightedge-usearch-"));
      try {
        index?.save(join(scratch, "index"));
        index = create(value);
        index.load(join(scratch, "index"));
      } finally {
        rmSync(scratch, { recursive: true });
      }
    },
    search: (query) => index?.search(query as Float32Array, TOP, 1).keys ?? [],
    prepare: (query) => query,
  };
}
