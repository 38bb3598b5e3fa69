/** A server with regions, or with faults: a place for each region, the shard objects of each, and the network between. */
import { type Miniflare, type Request as WorkerdRequest, Response as WorkerdResponse } from "miniflare";
import { regionOf, SHARDS_CLASS } from "../../shared/regions/region.ts";
import { type Controlled, controlResponse, listenForControl } from "./control.ts";
import { roundTripMs } from "./distance.ts";
import { FaultBoard } from "./faults.ts";
import { IsolateTable, isolatesOf } from "./isolates.ts";
import type { ServeOptions, Serving } from "./options.ts";
import { LOCAL, settingsOf, startWorkers, variables } from "./start.ts";
import { LINK_WORKER, objectsWorker, placeWorker, type WorldRegion, worldWorkers } from "./workers.ts";

/** Starts a world. Throws as `serve`. */
export async function serveWorld(options: ServeOptions): Promise<Serving> {
  const regions = worldRegions(options);
  const names = regions.map(({ name }) => name);
  const board = new FaultBoard(names, distances(regions, options.latency ?? true));
  const common = { bindings: variables(options), host: options.host };
  const isolates = await isolatesOf(options);
  const table = new IsolateTable(isolates, options.persist);
  const server = async ({ url }: WorkerdRequest) => {
    const [, what, region = "", name = ""] = new URL(url).pathname.split("/");
    return what === "ways"
      ? WorkerdResponse.json(board.ways)
      : new WorkerdResponse(String(table.of(region, decodeURIComponent(name))));
  };
  const own = async (request: WorkerdRequest) =>
    workerdResponse(await controlResponse(controlled, await webRequest(request), false));
  // Whoever can reach the pages could order faults, so they are offered to this machine alone.
  const control = options.control === undefined || !isLoopback(options.host) ? undefined : own;
  const isWide = options.regions !== undefined || options.control !== undefined;
  const workersAt = (ports: readonly number[]) =>
    worldWorkers(common, { regions, board, control, server, isWide, isolates, ports });

  const wanted = names.map((_, at) => (options.port === 0 ? 0 : options.port + at));
  const { miniflare, urls } = await startWorkers(options, await workersAt(wanted), names.map(placeWorker));
  const controlled: Controlled = {
    board,
    home: names[0]!,
    async spread() {
      const link = await miniflare.getWorker(LINK_WORKER);
      await link.fetch("http://link/", { method: "PUT", body: JSON.stringify(board.ways) });
    },
    async evict(region) {
      const meant = region === undefined ? names : [region];
      await Promise.all(meant.map((name) => evictObjects(miniflare, name, isolates)));
    },
    async restart() {
      // New settings are a new process and the death of the old one; the ports stay, since they are known by now.
      const known = urls.map((url) => Number(new URL(url).port));
      await miniflare.setOptions(settingsOf(options, await workersAt(known)));
    },
  };
  try {
    const listening =
      options.control === undefined ? undefined : await listenForControl(controlled, options.control);
    return {
      url: urls[0]!,
      places: names.map((region, at) => ({ region, url: urls[at]! })),
      ...(listening === undefined ? {} : { control: listening.url }),
      reaches: (region) => board.of(region).cut === null,
      async close() {
        await listening?.close();
        await miniflare.dispose();
      },
    };
  } catch (error) {
    await miniflare.dispose();
    throw error;
  }
}

/** Has each object of a region reset, those at a call when they are done with it: see `inside/objects.ts`. */
async function evictObjects(miniflare: Miniflare, region: string, isolates: number): Promise<void> {
  const workers = Array.from({ length: isolates }, (_, isolate) => objectsWorker(region, isolate));
  await Promise.all(
    workers.map(async (name) => {
      const ids = await miniflare.listDurableObjectIds(SHARDS_CLASS, name);
      const worker = await miniflare.getWorker(name);
      await worker.fetch("http://objects/", { method: "POST", body: JSON.stringify(ids) });
    }),
  );
}

function worldRegions({ regions, store }: ServeOptions): readonly WorldRegion[] {
  if (regions === undefined) return [{ name: LOCAL, place: null, storeBinding: "STORE", store }];
  return regions.map((served) => {
    const region = regionOf(served.name);
    return { name: region.name, place: region, storeBinding: region.storeBinding, store: served.store };
  });
}

function distances(regions: readonly WorldRegion[], latency: boolean): (from: string, to: string) => number {
  const places = new Map(regions.map(({ name, place }) => [name, place]));
  return (from, to) => {
    const [a, b] = [places.get(from), places.get(to)];
    return latency && a && b ? roundTripMs(a, b) : 0;
  };
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}

/** A request of workerd as Node's own; orders are small enough to be held whole. */
async function webRequest(request: WorkerdRequest): Promise<Request> {
  const { url, method, headers } = request;
  const body = request.body === null ? {} : { body: await request.arrayBuffer() };
  return new Request(url, { method, headers: [...headers], ...body });
}

async function workerdResponse(answer: Response): Promise<WorkerdResponse> {
  return new WorkerdResponse(await answer.arrayBuffer(), {
    status: answer.status,
    headers: [...answer.headers],
  });
}
