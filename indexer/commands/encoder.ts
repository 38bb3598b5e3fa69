import { checkBatchInvariance } from "../encode/batch-check.ts";
import { type CachedEncoder, cachedEncoder } from "../encode/cache.ts";
import { DEVICES, type Device } from "../encode/device.ts";
import type { Encoder } from "../encode/encoder.ts";
import { createOnnxEncoder } from "../encode/onnx.ts";
import { loadModel } from "../model/model.ts";
import type { Progress } from "../progress.ts";
import type { Arguments } from "./command.ts";
import { EMBEDDED_MODEL } from "./options.ts";

/** Which model runs where. */
export interface EncoderSettings {
  /** Folder of the model; the embedded one when absent. */
  readonly model?: string | undefined;
  readonly device: Device;
  /** Whether a model passes whose vectors change with the batch. */
  readonly force: boolean;
  /** Tokens of a batch, padding counted; found or a default when absent. */
  readonly batchTokens?: number | undefined;
}

/** The settings that `--model`, `--device`, `--batch-tokens` and `--force` ask for. */
export function encoderSettings(args: Pick<Arguments, "text" | "flag" | "number">): EncoderSettings {
  const device = DEVICES.find((name) => name === args.text("device")) ?? "auto";
  const batchTokens = args.number("batch-tokens");
  return { model: args.text("model"), device, force: args.flag("force"), batchTokens };
}

/** The folder that `--cache` names. */
export function cacheFolder(args: Pick<Arguments, "text">): string {
  return args.text("cache") ?? ".lightedge/cache";
}

/** An encoder that remembers nothing, checked for batch invariance. */
export async function openBareEncoder(settings: EncoderSettings, progress: Progress): Promise<Encoder> {
  const stage = progress.stage("load model", 0);
  const model = await loadModel(settings.model ?? EMBEDDED_MODEL);
  const { device, batchTokens } = settings;
  const encoder = await createOnnxEncoder(model, { device, batchTokens, warn: progress.warn });
  try {
    const warning = await checkBatchInvariance(encoder, settings.force);
    stage.done(`${model.description.name} on ${encoder.provider}`);
    if (warning !== null) progress.warn(warning);
    return encoder;
  } catch (error) {
    await encoder.close();
    throw error;
  }
}

/** The encoder that a command's options ask for, behind the local cache. */
export async function openEncoder(args: Arguments, progress: Progress): Promise<CachedEncoder> {
  const encoder = await openBareEncoder(encoderSettings(args), progress);
  return cachedEncoder(encoder, cacheFolder(args));
}
