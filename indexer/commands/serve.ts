import { resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { LightedgeError } from "../../shared/errors.ts";
import { MIB } from "../../shared/limits.ts";
import { parseRegions, type Regions } from "../../shared/regions/region.ts";
import type { WriteStore } from "../../shared/store/store.ts";
import { showProgress } from "../progress.ts";
import { fillReplicas, followHome, openReplicas, type Replicas } from "../serve/replicas.ts";
import { type ServeOptions, type Serving, serve } from "../serve.ts";
import type { Arguments, Command, Option } from "./command.ts";
import { STORE_OPTION, storeOf } from "./options.ts";

const MOST_PORT = 65_535;

/** Seconds after which a region that is cut is left, so that a failover can be seen by whoever orders it. */
const CUT_AFTER_S = 5;

/** Where to listen. */
export const PORT_OPTION: Option = {
  type: "number",
  integer: true,
  least: 0,
  most: MOST_PORT,
  help: "port to listen on, 0 for any free one",
  default: 8787,
};

const NOTES = `With --regions the page /regions shows them at work, and faults can be ordered there or at the control:
  lightedge serve --regions weur,enam,apac
  curl -X POST http://127.0.0.1:CONTROL/faults -H content-type:application/json -d '{"region":"weur","cut":"refuse"}'
A request comes from the region whose port it is sent to, or that x-lightedge-from names.`;

/** `lightedge serve`: the Worker on this machine, in real workerd. */
export const serveCommand: Command = {
  name: "serve",
  summary:
    "Serve the indexes of a store from workerd, with the search page at /; takes writes where ADMIN_KEY is set",
  positionals: { usage: "", least: 0, most: 0 },
  options: {
    store: STORE_OPTION,
    port: { ...PORT_OPTION, help: `${PORT_OPTION.help}; other regions take the ports after it` },
    host: { type: "string", value: "ADDRESS", help: "address to listen on", default: "127.0.0.1" },
    "pointer-max-age": {
      type: "number",
      least: 0,
      most: 3600,
      help: "seconds before a new version is noticed",
      default: 2,
    },
    regions: {
      type: "string",
      value: "NAME,NAME",
      help: "regions to imitate, the first is home: each other has a copy of the store",
    },
    replicas: {
      type: "string",
      value: "DIR",
      help: "folder of those copies",
      default: ".lightedge/regions",
    },
    "no-latency": { type: "boolean", help: "distances between regions take no time" },
    control: {
      type: "number",
      integer: true,
      least: 0,
      most: MOST_PORT,
      help: "port on this machine where faults are ordered (default with --regions: any free one)",
    },
    memory: {
      type: "number",
      integer: true,
      least: 1,
      most: 128,
      help: "MiB of indexes that an isolate keeps; larger indexes are served from shard objects (default 32)",
    },
    persist: {
      type: "string",
      value: "DIR",
      help: "folder where shard objects keep their storage (default: a temporary one)",
    },
  },
  notes: NOTES,
  async run(args) {
    const store = storeOf(args);
    const regions = regionsOf(args);
    const indexes = await listIndexes(store);
    if (indexes.length === 0) {
      throw new LightedgeError(
        "index/not-found",
        'The store holds no index. Make one with "lightedge index SOURCE --index NAME".',
        { field: "store" },
      );
    }
    const replicas = regions && openReplicas(regions, store, args.text("replicas")!);
    const progress = showProgress(process.stderr);
    if (replicas !== undefined) await fillReplicas(replicas, indexes, progress);
    const serving = await serve(optionsOf(args, store, indexes, replicas));
    process.stdout.write(`Serving ${indexes.join(", ")} at ${serving.url}\n`);
    if (replicas !== undefined) process.stdout.write(described(serving));
    if (serving.control !== undefined)
      process.stdout.write(`Faults are ordered at ${serving.control}/faults\n`);
    let stopped = false;
    if (replicas !== undefined) {
      void followHome(replicas, () => stopped, {
        indexes: () => listIndexes(store),
        reachable: (region) => serving.reaches(region),
        pause: (ms) => pause(ms, undefined, { ref: false }),
        progress,
      });
    }
    await untilStopped(serving);
    stopped = true;
    return 0;
  },
};

/** The regions of `--regions`. Throws `usage/invalid` naming what is wrong with them. */
function regionsOf(args: Arguments): Regions | undefined {
  const text = args.text("regions");
  if (text === undefined) return undefined;
  const regions = parseRegions(text, "regions");
  const port = args.number("port")!;
  const last = port + regions.length - 1;
  if (port === 0 || last <= MOST_PORT) return regions;
  throw new LightedgeError(
    "usage/invalid",
    `--port ${port} leaves no ports for ${regions.length} regions: the last would be ${last}, above ${MOST_PORT}.`,
    { field: "port", value: String(port), limit: MOST_PORT },
  );
}

function optionsOf(
  args: Arguments,
  store: WriteStore,
  indexes: readonly string[],
  replicas: Replicas | undefined,
): ServeOptions {
  const persist = args.text("persist");
  const memory = args.number("memory");
  const control = args.number("control") ?? (replicas === undefined ? undefined : 0);
  return {
    store,
    host: args.text("host")!,
    port: args.number("port")!,
    indexes,
    examples: [],
    pointerMaxAge: args.number("pointer-max-age")!,
    latency: !args.flag("no-latency"),
    ...adminKey(process.env),
    ...(replicas === undefined
      ? {}
      : {
          regions: servedRegions(replicas),
          maxStale: Math.max(CUT_AFTER_S, 2 * args.number("pointer-max-age")!),
        }),
    ...(memory === undefined ? {} : { residentBytes: memory * MIB }),
    ...(persist === undefined ? {} : { persist: resolve(persist) }),
    ...(control === undefined ? {} : { control }),
  };
}

function servedRegions({ home, others }: Replicas): NonNullable<ServeOptions["regions"]> {
  const served = ({ region, store }: Replicas["home"]) => ({ name: region.name, store });
  return [served(home), ...others.map(served)];
}

function described({ places, url }: Serving): string {
  const lines = places.map(({ region, url: at }) => `  from ${region.padEnd(8)} ${at}`);
  return `${lines.join("\n")}\nSee the regions at ${new URL("/regions", url).href}\n`;
}

/** The key that writes need, from the environment: the command line is for all to see. */
function adminKey({ ADMIN_KEY: key }: Readonly<Record<string, string | undefined>>): { adminKey?: string } {
  return key === undefined || key === "" ? {} : { adminKey: key };
}

/** The names of all indexes in a store, ascending. */
export async function listIndexes(store: WriteStore): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { key } of store.list("indexes/")) {
    const [, name, file] = key.split("/");
    if (file === "current.json" && name !== undefined) names.push(name);
  }
  return names;
}

/** Waits for Ctrl-C or a polite kill, then closes. */
export async function untilStopped(serving: Serving): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
  await serving.close();
}
