import { checkBatchInvariance } from "../encode/batch-check.ts";
import { type CachedEncoder, cachedEncoder } from "../encode/cache.ts";
import { DEVICES } from "../encode/device.ts";
import { createOnnxEncoder } from "../encode/onnx.ts";
import { loadModel } from "../model/model.ts";
import type { Progress } from "../progress.ts";
import type { Arguments } from "./command.ts";
import { EMBEDDED_MODEL } from "./options.ts";

/** The encoder that `--model`, `--device`, `--cache` and `--force` ask for, checked for batch invariance. */
export async function openEncoder(args: Arguments, progress: Progress): Promise<CachedEncoder> {
  const stage = progress.stage("load model", 0);
  const model = await loadModel(args.text("model") ?? EMBEDDED_MODEL);
  const device = DEVICES.find((name) => name === args.text("device")) ?? "auto";
  const encoder = await createOnnxEncoder(model, { device });
  try {
    const warning = await checkBatchInvariance(encoder, args.flag("force"));
    stage.done(`${model.description.name} on ${encoder.provider}`);
    if (warning !== null) progress.warn(warning);
    return cachedEncoder(encoder, args.text("cache") ?? ".lightedge/cache");
  } catch (error) {
    await encoder.close();
    throw error;
  }
}
