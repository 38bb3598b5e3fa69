import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type Command, JSON_OPTION } from "./command.ts";

const RUNNER = fileURLToPath(new URL("../../bench/run.ts", import.meta.url));

/** `lightedge bench`: speed and size on this machine, with peers in the same run. */
export const benchCommand: Command = {
  name: "bench",
  summary: "Measure speed and size on this machine, with peers beside",
  positionals: { usage: "", least: 0, most: 0 },
  options: {
    collection: {
      type: "string",
      value: "DIR",
      help: "test collection in BEIR layout (default: SciFact where it is found, else the shipped one)",
    },
    json: JSON_OPTION,
  },
  async run(args, output) {
    const collection = args.text("collection");
    const words = [
      ...(collection === undefined ? [] : ["--collection", collection]),
      ...(output.json ? ["--json"] : []),
    ];
    // A process of its own: measurements want a heap that nothing else has used.
    const child = spawn(process.execPath, [RUNNER, ...words], { stdio: "inherit" });
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code) => resolve(code ?? 1));
    });
  },
};
