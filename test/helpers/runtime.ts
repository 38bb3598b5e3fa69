/** The built Worker in workerd, one or several of them over one R2 bucket of the runtime's own. */
import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { buildEdge } from "../../indexer/build-edge.ts";
import type { ReadStore, WriteStore } from "../../shared/store/store.ts";

const FOLDER = fileURLToPath(new URL("../../build/worker", import.meta.url));

/** Workers by name, each with variables of its own. */
export async function startWorkers(
  variables: Readonly<Record<string, Readonly<Record<string, string>>>>,
): Promise<Miniflare> {
  await buildEdge();
  const names = (await readdir(FOLDER)).filter((name) => /\.(wasm|html)$/.test(name));
  const others = names.map((name) => ({
    type: name.endsWith(".wasm") ? ("CompiledWasm" as const) : ("Text" as const),
    path: `${FOLDER}/${name}`,
  }));
  const workers = Object.entries(variables).map(([name, bindings]) => ({
    name,
    modulesRoot: FOLDER,
    modules: [{ type: "ESModule" as const, path: `${FOLDER}/index.js` }, ...others],
    compatibilityDate: "2026-10-01",
    bindings,
    r2Buckets: { BUCKET: "lightedge" },
  }));
  return new Miniflare(convertV4MiniflareOptions({ workers }));
}

/** A bucket as the runtime gives it to tests. */
export type Bucket = Awaited<ReturnType<Miniflare["getR2Bucket"]>>;

/** Copies all objects of a store into the bucket of the runtime. */
export async function fillBucket(
  runtime: Miniflare,
  worker: string,
  store: ReadStore & Pick<WriteStore, "list">,
): Promise<Bucket> {
  const bucket = await runtime.getR2Bucket("BUCKET", worker);
  for await (const { key } of store.list("")) await bucket.put(key, (await store.get(key))!.body);
  return bucket;
}
