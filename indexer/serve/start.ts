/** Starting workerd with workers, and the variables that all of them have. */
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { LightedgeError } from "../../shared/errors.ts";
import { regionOf, serializeRegions } from "../../shared/regions/region.ts";
import type { ServeOptions } from "./options.ts";
import type { plainWorker, worldWorkers } from "./workers.ts";

/** Name of the one region of a server without regions. */
export const LOCAL = "local";

/** A worker as miniflare is told of it. */
export type Worker =
  | Awaited<ReturnType<typeof plainWorker>>
  | Awaited<ReturnType<typeof worldWorkers>>[number];

/** workerd at work. */
export interface Started {
  readonly miniflare: Miniflare;
  /** Addresses of the workers that were asked for. */
  readonly urls: readonly string[];
}

/** Starts these workers, and gives the addresses of those that `listening` names. Throws `usage/invalid` where a port is taken. */
export async function startWorkers(
  options: ServeOptions,
  workers: readonly Worker[],
  listening: readonly string[],
): Promise<Started> {
  const { host, port } = options;
  const miniflare = new Miniflare(settingsOf(options, workers));
  try {
    const urls: string[] = [];
    for (const worker of listening) urls.push((await miniflare.unsafeGetDirectURL(worker)).href);
    return { miniflare, urls };
  } catch (error) {
    await miniflare.dispose().catch(() => undefined);
    const span =
      listening.length > 1 && port > 0 ? `${port} to ${port + listening.length - 1}` : String(port);
    throw new LightedgeError(
      "usage/invalid",
      `The server does not start on ${host}:${span}; another program may hold the port. Choose one with --port.`,
      { field: "port", value: String(port) },
      error,
    );
  }
}

/** What miniflare is told. */
export function settingsOf({ persist }: Pick<ServeOptions, "persist">, workers: readonly Worker[]) {
  return convertV4MiniflareOptions({
    // Miniflare's own front door adds a hop through Node to every request, so it gets a
    // port of its own and the Workers' sockets are opened directly.
    host: "127.0.0.1",
    port: 0,
    ...(persist === undefined ? {} : { resourcePersistencePath: persist }),
    workers: [...workers],
  });
}

/** The variables of the deployed Worker. */
export function variables(options: ServeOptions): Readonly<Record<string, string>> {
  const { regions, adminKey, residentBytes, maxStale } = options;
  return {
    REGION: LOCAL,
    INDEXES: options.indexes.join(","),
    EXAMPLES: options.examples.join("|"),
    POINTER_MAX_AGE: String(options.pointerMaxAge),
    CORS_ORIGIN: "*",
    ...(adminKey === undefined ? {} : { ADMIN_KEY: adminKey }),
    ...(maxStale === undefined ? {} : { MAX_STALE: `${maxStale}s` }),
    ...(residentBytes === undefined ? {} : { RESIDENT_BYTES: String(residentBytes) }),
    ...(regions === undefined
      ? {}
      : { REGIONS: serializeRegions(regions.map(({ name }) => regionOf(name))) }),
  };
}
