/** Where a model runs: the one place that chooses onnxruntime's execution provider. */
import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { InferenceSession, listSupportedBackends } from "onnxruntime-node";
import { LightedgeError } from "../../shared/errors.ts";

/** The devices that a user may ask for, the default first. */
export const DEVICES = ["auto", "cuda", "tensorrt", "webgpu", "cpu"] as const;
/** What a user may ask for. */
export type Device = (typeof DEVICES)[number];
/** What a graph runs on, as onnxruntime calls it. */
export type Provider = Exclude<Device, "auto">;

/** A graph's file; or its bytes, and the folder that its external data lies in. */
export type GraphSource = string | { readonly bytes: Uint8Array; readonly folder: string };

/** A graph, loaded. */
export interface OpenedGraph {
  readonly session: InferenceSession;
  readonly provider: Provider;
  /** Why it does not run on the device that `auto` would rather have; null where it does. */
  readonly fellBack: string | null;
}

/** What the onnxruntime that is installed can do. */
export interface Offer {
  /** Providers it was compiled with. */
  readonly backends: readonly string[];
  /** Files that lie beside it: its CUDA and TensorRT providers are libraries of their own, fetched when it is installed. */
  readonly libraries: readonly string[];
}

/** Providers that are libraries of their own: asked for without them, onnxruntime prints errors as it likes. */
const LIBRARIES: Readonly<Partial<Record<Provider, string>>> = {
  cuda: "onnxruntime_providers_cuda",
  tensorrt: "onnxruntime_providers_tensorrt",
};

/** What a device needs, for those who lack it. */
const NEEDS: Readonly<Record<Provider, string>> = {
  cuda: "It needs an NVIDIA GPU, its driver, CUDA 12, cuDNN 9, and onnxruntime-node installed with its scripts on Linux x64, which fetch its CUDA library (docs/gpu.md)",
  tensorrt: "It needs what cuda needs, and TensorRT 10 (docs/gpu.md)",
  webgpu:
    "It needs a GPU that Vulkan, Metal or Direct3D 12 drives; on Linux, libvulkan.so.1 and the GPU's Vulkan driver",
  cpu: "It needs nothing",
};

/**
 * The providers to try for a device, in order. `auto` is CUDA where it is installed, then the CPU: WebGPU is
 * experimental in onnxruntime, and TensorRT builds engines for minutes, so both run for those who name them.
 * Throws `device/unavailable` for a named one that is not installed. Pure.
 */
export function providersFor(device: Device, offer: Offer): readonly Provider[] {
  if (device === "auto") return lackOf("cuda", offer) === null ? ["cuda", "cpu"] : ["cpu"];
  const lack = lackOf(device, offer);
  if (lack === null) return [device];
  throw unavailable(device, lack);
}

function lackOf(provider: Provider, { backends, libraries }: Offer): string | null {
  if (!backends.includes(provider))
    return `the installed onnxruntime-node has ${backends.join(", ")} and not ${provider}`;
  const library = LIBRARIES[provider];
  if (library === undefined || libraries.some((name) => name.includes(library))) return null;
  return `its library ${library} is not installed beside onnxruntime-node`;
}

function unavailable(device: Device, reason: string, cause?: unknown): LightedgeError {
  const needs = NEEDS[device === "auto" ? "cuda" : device];
  return new LightedgeError(
    "device/unavailable",
    `--device ${device} cannot be used here: ${reason}. ${needs}.`,
    { field: "device", value: device },
    cause,
  );
}

/** What the installed onnxruntime offers. Cost: a folder is listed. */
export function installedOffer(): Offer {
  const folder = join(
    dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json")),
    "bin",
  );
  return {
    backends: listSupportedBackends().map(({ name }) => name),
    libraries: existsSync(folder) ? readdirSync(folder, { recursive: true }).map(String) : [],
  };
}

/**
 * Loads a graph. A device that was named is used or `device/unavailable` is thrown, rather than run
 * somewhere slower; `auto` takes what there is. Throws `model/invalid` for what the CPU cannot load.
 */
export async function openGraph(source: GraphSource, device: Device, threads: number): Promise<OpenedGraph> {
  let fellBack: string | null = null;
  const providers = providersFor(device, installedOffer());
  for (const provider of providers) {
    try {
      return { session: await create(source, provider, threads), provider, fellBack };
    } catch (error) {
      const reason = firstLine(error);
      const file = typeof source === "string" ? source : join(source.folder, "a part of its graph");
      if (provider === "cpu")
        throw new LightedgeError(
          "model/invalid",
          `onnxruntime cannot load ${file}: ${reason}.`,
          { file },
          error,
        );
      if (provider === providers.at(-1))
        throw unavailable(device, `onnxruntime says of ${file}: ${reason}`, error);
      fellBack = `${provider} is installed and cannot be used: ${reason}. ${NEEDS[provider]}.`;
    }
  }
  throw new LightedgeError("internal", `There is no provider for the device ${device}.`);
}

function create(source: GraphSource, provider: Provider, threads: number): Promise<InferenceSession> {
  const options: InferenceSession.SessionOptions = {
    // TensorRT leaves to CUDA what it cannot run; every provider leaves the rest to the CPU.
    executionProviders: provider === "tensorrt" ? ["tensorrt", "cuda"] : [provider],
    intraOpNumThreads: threads,
    // A pattern of memory is kept for each shape of input and hardly a shape comes twice: a third more memory for nothing.
    enableMemPattern: false,
    // What goes wrong is thrown as well as printed.
    logSeverityLevel: 4,
  };
  if (typeof source === "string") return InferenceSession.create(source, options);
  const session = { model_external_initializers_file_folder_path: source.folder };
  return InferenceSession.create(source.bytes, { ...options, extra: { session } });
}

/** Whether an error says that a batch did not fit the memory of the device: a smaller one may. */
export function isOutOfMemory(error: unknown): boolean {
  const text = error instanceof Error ? error.message : String(error);
  return /failed to allocate memory|bad[_ ]alloc|out of memory|OOM\b|CUDNN_STATUS_ALLOC_FAILED|CUBLAS_STATUS_ALLOC_FAILED/iu.test(
    text,
  );
}

/** What onnxruntime says, without its source lines and the full stop at its end. */
export function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const line = text.split("\n").find((each) => each.trim() !== "") ?? "nothing";
  return line
    .replace(/^\/onnxruntime_src\/\S+ (?:.*?\) )?/u, "")
    .slice(0, 300)
    .replace(/[.\s]+$/u, "");
}
