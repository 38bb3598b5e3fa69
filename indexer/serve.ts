/**
 * The built Worker on this machine, in real workerd: the bundle and settings of a deployment, with folders in the place
 * of buckets. With regions it is a whole world: a place for each, distances as added latency, faults on demand.
 */
import { buildEdge } from "./build-edge.ts";
import { isolatesOf } from "./serve/isolates.ts";
import type { ServeOptions, Serving } from "./serve/options.ts";
import { LOCAL, startWorkers, variables } from "./serve/start.ts";
import { PLAIN_WORKER, plainWorker } from "./serve/workers.ts";
import { serveWorld } from "./serve/world.ts";

export type { ServedRegion, ServeOptions, Serving } from "./serve/options.ts";

/** Starts the Worker. Throws `usage/invalid` where a port is taken. Cost: a second, more where it must be built first. */
export async function serve(options: ServeOptions): Promise<Serving> {
  await buildEdge();
  const world = options.regions !== undefined || options.control !== undefined;
  if (world || (await isolatesOf(options)) > 1) return serveWorld(options);
  const common = { bindings: variables(options), host: options.host };
  const workers = [await plainWorker(common, options.store, options.port)];
  const { miniflare, urls } = await startWorkers(options, workers, [PLAIN_WORKER]);
  const url = urls[0]!;
  return { url, places: [{ region: LOCAL, url }], reaches: () => true, close: () => miniflare.dispose() };
}
