import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { LightedgeError } from "../shared/errors.ts";

const PATH = fileURLToPath(new URL("../build/kernels.wasm", import.meta.url));

/** The compiled kernels of this project, for `createWasmKernels`. Throws `internal` when they have not been built. */
export async function loadKernelsModule(): Promise<WebAssembly.Module> {
  const bytes = await readFile(PATH).catch((cause: unknown) => {
    throw new LightedgeError(
      "internal",
      `${PATH} cannot be read: run "npm run build".`,
      { file: PATH },
      cause,
    );
  });
  return WebAssembly.compile(bytes);
}
