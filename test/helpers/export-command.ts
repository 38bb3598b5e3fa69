/** `indexer/export`, which is Python, where what it needs is installed. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

// Another Python than the path's, such as that of a virtual environment, can be named.
const PYTHON = process.env.LIGHTEDGE_PYTHON ?? "python3";
const NEEDS = "import torch, transformers, peft, onnx, onnxruntime, tokenizers";

const EXPORT = fileURLToPath(new URL("../../indexer/export", import.meta.url));
const FIXTURES = fileURLToPath(new URL("../fixtures/decoders", import.meta.url));

/** Whether the Python on the path has what the export needs. */
export function hasExport(): boolean {
  return spawnSync(PYTHON, ["-c", NEEDS], { stdio: "ignore" }).status === 0;
}

/** Why tests are left out, to be put behind their names. */
export const NEEDS_EXPORT = " (needs Python with indexer/export/requirements.txt; LIGHTEDGE_PYTHON names it)";

/** How a run ended. */
export interface PythonRun {
  readonly code: number | null;
  readonly stderr: string;
}

function python(...args: readonly string[]): PythonRun {
  // No hub is asked: all that is read is on this machine, and what is not is to be missed at once.
  const env = {
    ...process.env,
    HF_HUB_OFFLINE: "1",
    PYTHONDONTWRITEBYTECODE: "1",
    TOKENIZERS_PARALLELISM: "false",
  };
  const { status, stderr } = spawnSync(PYTHON, args, { encoding: "utf8", env });
  return { code: status, stderr };
}

/** Runs the export. */
export function runExport(...args: readonly string[]): PythonRun {
  return python(EXPORT, ...args);
}

/** Runs the export with the graph's rotary positions left out: a fault that only numbers show. */
export function runFaultyExport(...args: readonly string[]): PythonRun {
  const faulty = `
import runpy, sys
sys.path.insert(0, ${JSON.stringify(EXPORT)})
import graph
graph.rotate = lambda nodes, value, size, rotary: value
runpy.run_path(${JSON.stringify(EXPORT)}, run_name="__main__")`;
  return python("-c", faulty, ...args);
}

/** Makes random bases `tiny-llama` and `tiny-qwen2` in a folder, and an adapter `-lora` on each. */
export function makeCheckpoints(folder: string): PythonRun {
  return python(`${FIXTURES}/checkpoints.py`, folder);
}

/** Makes the fixtures anew in another folder: checkpoints, exports and PyTorch's values. */
export function makeDecoders(folder: string): PythonRun {
  return python(`${FIXTURES}/make.py`, folder);
}
