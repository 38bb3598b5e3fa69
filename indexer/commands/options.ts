/** Options that several commands share, and the values they stand for. */
import { fileURLToPath } from "node:url";
import type { WriteStore } from "../../shared/store/store.ts";
import { DEVICES } from "../encode/device.ts";
import { openStore } from "../store/open.ts";
import type { Arguments, Option } from "./command.ts";

/** The model folder that comes with the project. */
export const EMBEDDED_MODEL = fileURLToPath(new URL("../../models/minilm-splade", import.meta.url));

/** Where indexes are kept. */
export const STORE_OPTION: Option = {
  type: "string",
  value: "URL",
  help: "where indexes are kept: file:PATH, s3://BUCKET[/PREFIX] or r2://BUCKET[/PREFIX]",
  default: "file:.lightedge",
};

/** Which index. */
export const INDEX_OPTION: Option = {
  type: "string",
  value: "NAME",
  help: "name of the index",
  required: true,
};

/** How to encode. */
export const ENCODER_OPTIONS = {
  model: { type: "string", value: "DIR", help: "model folder (default: the embedded MiniLM and SPLADE)" },
  device: {
    type: "string",
    choices: DEVICES,
    help: "where the model runs; auto is cuda where it is installed, else the cpu",
    default: "auto",
  },
  "batch-tokens": {
    type: "number",
    value: "N",
    least: 1,
    most: 1 << 20,
    integer: true,
    help: "tokens of a batch, padding counted (default: 4096 on the cpu, found by itself on a GPU)",
  },
  cache: { type: "string", value: "DIR", help: "folder of cached encodings", default: ".lightedge/cache" },
  force: { type: "boolean", help: "accept a model whose vectors change with the batch" },
} as const satisfies Readonly<Record<string, Option>>;

/** The store of a command's `--store`. */
export function storeOf(args: Arguments): WriteStore {
  return openStore(args.text("store") ?? "file:.lightedge");
}
