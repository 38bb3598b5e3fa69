/** The measurements' own kernels, compiled when they are needed: they are no part of the product's file. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const SOURCE = fileURLToPath(new URL("read.as", import.meta.url));
const PAGE = 65_536;

/** What read.as exports, over a memory of its own. */
export interface BenchKernels {
  readonly buffer: ArrayBuffer;
  /** A sum of all 32-bit lanes: the least work that touches every byte. A multiple of 64 bytes. */
  sumBytes(start: number, bytes: number): number;
}

/** As much of the global `WebAssembly` as is used here; the project's types have no web globals outside of `shared`. */
interface Runtime {
  readonly Memory: new (size: {
    readonly initial: number;
    readonly maximum: number;
  }) => {
    readonly buffer: ArrayBuffer;
  };
  instantiate(
    binary: Uint8Array,
    imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  ): Promise<{ readonly instance: { readonly exports: unknown } }>;
}

/** Compiles and instantiates them with so many bytes of memory. Cost: a second. Throws with the compiler's messages. */
export async function benchKernels(bytes: number): Promise<BenchKernels> {
  let binary: Uint8Array | undefined;
  const options = ["-O3", "--noAssert", "--enable", "simd", "--runtime", "stub", "--importMemory"];
  const { error, stderr } = await asc.main(
    ["read.ts", "--outFile", "read.wasm", ...options, "--maximumMemory", "32768"],
    {
      // The compiler wants a name that ends in .ts, and the checker of types must not see one.
      readFile: (name) => (name === "read.ts" ? readFile(SOURCE, "utf8") : null),
      writeFile: (_name, contents) => {
        binary = Buffer.from(contents);
      },
      listFiles: () => null,
    },
  );
  if (error !== null || binary === undefined) throw new Error(`read.as does not compile:\n${stderr}`);
  const runtime = Reflect.get(globalThis, "WebAssembly") as Runtime;
  const memory = new runtime.Memory({ initial: Math.ceil(bytes / PAGE), maximum: 32_768 });
  const { instance } = await runtime.instantiate(binary, { env: { memory } });
  // The cast: no type can know what a binary exports.
  const { sumBytes } = instance.exports as Pick<BenchKernels, "sumBytes">;
  return { buffer: memory.buffer, sumBytes };
}
