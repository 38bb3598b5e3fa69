/** Builds what the edge runs: kernels, page and Worker, each only when what it is made from has changed. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { buildPage } from "./build-page.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const STAMP = "build/.stamp";

/** One thing that is built. */
interface Step {
  readonly name: string;
  /** Files and folders it is made from, relative to the root; a folder counts with all below it. */
  readonly inputs: readonly string[];
  readonly output: string;
  run(): Promise<void>;
}

const STEPS: readonly Step[] = [
  {
    name: "kernels",
    inputs: ["shared/kernels/assembly", "indexer/build-kernels.ts", "package-lock.json"],
    output: "build/kernels.wasm",
    // Imported only when needed: the compiler alone takes a second to load.
    run: async () => (await import("./build-kernels.ts")).buildKernels(),
  },
  {
    name: "page",
    inputs: ["edge/page", "shared", "indexer/build-page.ts", "package-lock.json"],
    output: "build/page.html",
    run: () => buildPage(ROOT, "build/page.html"),
  },
  {
    name: "regions page",
    inputs: ["edge/page", "shared", "indexer/build-page.ts", "package-lock.json"],
    output: "build/regions.html",
    run: () => buildPage(ROOT, "build/regions.html", "regions"),
  },
  {
    name: "worker",
    inputs: [
      "edge",
      "shared",
      "indexer/build-edge.ts",
      "build/kernels.wasm",
      "build/page.html",
      "build/regions.html",
      "wrangler.toml",
      "package-lock.json",
    ],
    output: "build/worker/index.js",
    run: bundleWorker,
  },
];

/**
 * Brings build/kernels.wasm, build/page.html and build/worker/ up to date: the same bundle
 * for local serving as for deployment. Nothing to do takes some 50 ms, everything some
 * 10 s. No network. Throws with the compiler's own messages.
 */
export async function buildEdge(): Promise<void> {
  for (const { name, inputs, output, run } of STEPS) {
    const digest = await digestOf(inputs);
    const stamps = await readStamps();
    if (stamps[name] === digest && existsSync(join(ROOT, output))) continue;
    await run();
    // Read again: another build may have ended meanwhile.
    await writeStamps({ ...(await readStamps()), [name]: digest });
  }
}

/** Wrangler's bundle, made beside the old one and then moved, so that nobody starts half a Worker. */
async function bundleWorker(): Promise<void> {
  const making = `build/worker-${process.pid}`;
  const wrangler = createRequire(import.meta.url).resolve("wrangler/package.json");
  const command = [join(dirname(wrangler), "bin/wrangler.js"), "deploy", "--dry-run", "--outdir", making];
  try {
    await promisify(execFile)(process.execPath, command, {
      cwd: ROOT,
      env: {
        ...process.env,
        CI: "1",
        WRANGLER_SEND_METRICS: "false",
        WRANGLER_SEND_ERROR_REPORTS: "false",
        WRANGLER_HIDE_BANNER: "true",
        WRANGLER_LOG_PATH: join(ROOT, "build/wrangler-logs"),
        NO_COLOR: "1",
      },
    });
    await rm(join(ROOT, "build/worker"), { recursive: true, force: true });
    await rename(join(ROOT, making), join(ROOT, "build/worker"));
  } catch (error) {
    const output = error instanceof Error && "stderr" in error ? `\n${String(error.stderr)}` : "";
    throw new Error(`The Worker does not bundle.${output}`, { cause: error });
  } finally {
    await rm(join(ROOT, making), { recursive: true, force: true });
  }
}

/** A digest of the names and contents of these files and of all files below these folders. */
async function digestOf(inputs: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const input of inputs) {
    const below = await readdir(join(ROOT, input), { recursive: true, withFileTypes: true }).catch(() => []);
    const files = below.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    for (const file of files.length > 0 ? files.sort() : [join(ROOT, input)]) {
      const bytes = await readFile(file);
      hash.update(`${file.slice(ROOT.length)}\0${bytes.length}\0`).update(bytes);
    }
  }
  return hash.digest("hex");
}

async function readStamps(): Promise<Readonly<Record<string, string>>> {
  try {
    // Safe: only this file writes it, and a wrong entry merely builds once more.
    return JSON.parse(await readFile(join(ROOT, STAMP), "utf8")) as Readonly<Record<string, string>>;
  } catch {
    return {};
  }
}

async function writeStamps(stamps: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(join(ROOT, "build"), { recursive: true });
  const making = join(ROOT, `${STAMP}-${process.pid}`);
  await writeFile(making, `${JSON.stringify(stamps, null, 2)}\n`);
  await rename(making, join(ROOT, STAMP));
}

if (import.meta.main) await buildEdge();
