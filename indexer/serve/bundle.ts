/** What workerd is given: the deployed bundle as it is, and around it what imitates places. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { transform } from "esbuild";
import { LightedgeError } from "../../shared/errors.ts";
import { SHARDS_CLASS } from "../../shared/regions/region.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The folder of the bundle. */
export const BUNDLE = join(ROOT, "build/worker");

/** One module as miniflare takes it. */
export interface Module {
  readonly type: "ESModule" | "CompiledWasm" | "Text";
  readonly path: string;
  readonly contents?: string;
}

/** The files of the bundle with their kinds, the entry first. */
export async function bundledModules(): Promise<Module[]> {
  const kinds = { ".js": "ESModule", ".wasm": "CompiledWasm", ".html": "Text" } as const;
  const modules: Module[] = [];
  for (const name of (await readdir(BUNDLE)).sort()) {
    const kind = Object.entries(kinds).find(([ending]) => name.endsWith(ending))?.[1];
    if (kind !== undefined) modules.push({ type: kind, path: join(BUNDLE, name) });
  }
  return modules.sort((a, b) => Number(b.path.endsWith("index.js")) - Number(a.path.endsWith("index.js")));
}

/** The bundle behind `inside/place.ts`: the entry hands the Worker, untouched, to it. */
export async function placeModules(): Promise<Module[]> {
  const entry = [
    'import worker from "./index.js";',
    'import { placeOf } from "./local-place.js";',
    'export * from "./index.js";',
    "export default placeOf(worker);",
  ].join("\n");
  return [
    { type: "ESModule", path: join(BUNDLE, "local-entry.js"), contents: entry },
    { type: "ESModule", path: join(BUNDLE, "local-place.js"), contents: await inside("place.ts") },
    ...(await bundledModules()),
  ];
}

/** The bundle behind `inside/objects.ts`: shard objects as they are, which can be reset. */
export async function objectModules(): Promise<Module[]> {
  const entry = [
    `import { ${SHARDS_CLASS} as deployed } from "./index.js";`,
    'import { resets, resettable } from "./local-objects.js";',
    'export * from "./index.js";',
    `export const ${SHARDS_CLASS} = resettable(deployed);`,
    "export default resets;",
  ].join("\n");
  return [
    { type: "ESModule", path: join(BUNDLE, "local-objects-entry.js"), contents: entry },
    { type: "ESModule", path: join(BUNDLE, "local-objects.js"), contents: await inside("objects.ts") },
    ...(await bundledModules()),
  ];
}

/** The worker that is the network between places. */
export async function linkModules(): Promise<Module[]> {
  return [{ type: "ESModule", path: join(BUNDLE, "local-link.js"), contents: await inside("link.ts") }];
}

/** A file of `inside/` without its types. */
async function inside(name: string): Promise<string> {
  const source = await readFile(join(ROOT, "indexer/serve/inside", name), "utf8");
  const { code } = await transform(source, {
    loader: "ts",
    format: "esm",
    target: "es2023",
    tsconfigRaw: {},
  });
  return code;
}

/** The date that wrangler.toml names, which decides how workerd behaves. */
export async function compatibilityDate(): Promise<string> {
  const settings = await readFile(join(ROOT, "wrangler.toml"), "utf8");
  const date = /^compatibility_date = "(\d{4}-\d{2}-\d{2})"$/mu.exec(settings)?.[1];
  if (date !== undefined) return date;
  throw new LightedgeError("internal", "wrangler.toml names no compatibility_date.", {
    file: "wrangler.toml",
  });
}
