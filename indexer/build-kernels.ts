import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const OUTPUT = "build/kernels.wasm";

const ARGUMENTS = [
  "shared/kernels/assembly/index.ts",
  ...["--outFile", OUTPUT],
  "-O3",
  "--noAssert",
  // Relaxed operations are used only where their operands make all machines agree: assembly/README.md.
  ...["--enable", "simd", "--enable", "relaxed-simd"],
  // No objects live in the memory, so there is nothing to manage.
  ...["--runtime", "stub"],
  // Memory comes from outside, so that each instance can have its own maximum below this
  // one, which is `MAX_PAGES` of shared/kernels/memory.ts.
  "--importMemory",
  "--noExportMemory",
  ...["--initialMemory", "1"],
  ...["--maximumMemory", "32768"],
];

/**
 * Compiles the kernels to build/kernels.wasm, about 2 s. The file is only written when its
 * bytes change, so that watchers stay quiet. Throws with the compiler's own messages when the
 * source is wrong.
 */
export async function buildKernels(): Promise<void> {
  const { bytes, error, messages } = await compile();
  if (error !== null || bytes === undefined) {
    throw new Error(`The kernels do not compile:\n${messages}`, { cause: error });
  }
  const path = join(ROOT, OUTPUT);
  const present = await readFile(path).catch(() => undefined);
  if (present?.equals(bytes)) return;
  await mkdir(dirname(path), { recursive: true });
  // Moved into place whole, as somebody may be reading it: tests run in several processes.
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, bytes);
  await rename(draft, path);
}

/** Runs the compiler with its output kept in memory. */
async function compile() {
  let bytes: Uint8Array | undefined;
  const { error, stderr } = await asc.main(ARGUMENTS, {
    readFile: (name) => readFile(join(ROOT, name), "utf8").catch(() => null),
    writeFile: (_name, contents) => {
      bytes = Buffer.from(contents);
    },
    listFiles: () => null,
  });
  return { bytes, error, messages: stderr.toString() };
}

if (import.meta.main) await buildKernels();
