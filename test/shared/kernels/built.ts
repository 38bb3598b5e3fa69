import { buildKernels } from "../../../indexer/build-kernels.ts";
import { loadKernelsModule } from "../../../indexer/kernels-node.ts";

/** The compiled kernels; they are compiled first where nobody has. */
export async function builtKernels(): ReturnType<typeof loadKernelsModule> {
  return loadKernelsModule().catch(async () => {
    await buildKernels();
    return loadKernelsModule();
  });
}
