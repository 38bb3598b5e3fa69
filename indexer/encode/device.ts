/** Where a model runs: the one place that chooses onnxruntime's execution provider. */
import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { InferenceSession } from "onnxruntime-node";
import { LightedgeError } from "../../shared/errors.ts";

/** What a user may ask for. */
export type Device = "auto" | "cuda" | "cpu";
/** The devices, the default first. */
export const DEVICES = ["auto", "cuda", "cpu"] as const satisfies readonly Device[];

/** A graph that is a file, or one in memory whose external data lies in a folder. */
export type GraphSource = string | { readonly bytes: Uint8Array<ArrayBuffer>; readonly folder: string };

/** A graph, loaded. */
export interface OpenedGraph {
  readonly session: InferenceSession;
  readonly provider: "cuda" | "cpu";
}

/**
 * Loads a graph. `auto` takes CUDA where onnxruntime has it and the CPU elsewhere; `cuda`
 * throws `device/unavailable` rather than run somewhere slower.
 */
export async function openGraph(path: GraphSource, device: Device, threads: number): Promise<OpenedGraph> {
  // Asking for a provider whose library is not there makes onnxruntime print its own errors.
  if (device === "cuda" || (device === "auto" && hasCuda())) {
    try {
      return { session: await create(path, "cuda", threads), provider: "cuda" };
    } catch (error) {
      if (device === "cuda") {
        throw new LightedgeError(
          "device/unavailable",
          "CUDA was asked for and onnxruntime cannot use it here. It needs an NVIDIA GPU, CUDA 12 and the CUDA build of onnxruntime-node.",
          { field: "device", value: device },
          error,
        );
      }
    }
  }
  try {
    return { session: await create(path, "cpu", threads), provider: "cpu" };
  } catch (error) {
    const file = typeof path === "string" ? path : path.folder;
    throw new LightedgeError("model/invalid", `onnxruntime cannot load ${file}.`, { file }, error);
  }
}

/** Whether the CUDA library of onnxruntime lies beside its CPU library. */
function hasCuda(): boolean {
  const folder = join(
    dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json")),
    "bin",
  );
  if (!existsSync(folder)) return false;
  return readdirSync(folder, { recursive: true }).some((name) => String(name).includes("providers_cuda"));
}

function create(source: GraphSource, provider: "cuda" | "cpu", threads: number): Promise<InferenceSession> {
  const options: InferenceSession.SessionOptions = {
    executionProviders: [provider],
    intraOpNumThreads: threads,
    logSeverityLevel: 3,
  };
  if (typeof source === "string") return InferenceSession.create(source, options);
  const extra = { session: { model_external_initializers_file_folder_path: source.folder } };
  return InferenceSession.create(source.bytes, { ...options, extra });
}
