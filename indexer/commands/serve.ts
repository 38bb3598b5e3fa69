import { LightedgeError } from "../../shared/errors.ts";
import type { WriteStore } from "../../shared/store/store.ts";
import { type Serving, serve } from "../serve.ts";
import type { Command, Option } from "./command.ts";
import { STORE_OPTION, storeOf } from "./options.ts";

/** Where to listen. */
export const PORT_OPTION: Option = {
  type: "number",
  integer: true,
  least: 0,
  most: 65_535,
  help: "port to listen on, 0 for any free one",
  default: 8787,
};

/** `lightedge serve`: the Worker on this machine, in real workerd. */
export const serveCommand: Command = {
  name: "serve",
  summary:
    "Serve the indexes of a store from workerd, with the search page at /; takes writes where ADMIN_KEY is set",
  positionals: { usage: "", least: 0, most: 0 },
  options: {
    store: STORE_OPTION,
    port: PORT_OPTION,
    host: { type: "string", value: "ADDRESS", help: "address to listen on", default: "127.0.0.1" },
    "pointer-max-age": {
      type: "number",
      least: 0,
      most: 3600,
      help: "seconds before a new version is noticed",
      default: 2,
    },
  },
  async run(args) {
    const store = storeOf(args);
    const indexes = await listIndexes(store);
    if (indexes.length === 0) {
      throw new LightedgeError(
        "index/not-found",
        'The store holds no index. Make one with "lightedge index SOURCE --index NAME".',
        { field: "store" },
      );
    }
    const serving = await serve({
      store,
      host: args.text("host")!,
      port: args.number("port")!,
      indexes,
      examples: [],
      pointerMaxAge: args.number("pointer-max-age")!,
      ...adminKey(process.env),
    });
    process.stdout.write(`Serving ${indexes.join(", ")} at ${serving.url}\n`);
    await untilStopped(serving);
    return 0;
  },
};

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
