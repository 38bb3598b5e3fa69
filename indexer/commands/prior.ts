import { readFile, writeFile } from "node:fs/promises";
import { showProgress } from "../progress.ts";
import { makePrior } from "../stages/make-prior.ts";
import { type Command, JSON_OPTION } from "./command.ts";
import { openEncoder } from "./encoder.ts";
import { ENCODER_OPTIONS } from "./options.ts";

/** `lightedge prior`: the generic query table of a model, made once and kept in its folder. */
export const priorCommand: Command = {
  name: "prior",
  summary: "Make a model's generic query table from a file of queries, one a line",
  positionals: { usage: "QUERIES", least: 1, most: 1 },
  options: {
    out: { type: "string", value: "FILE", help: "table to write", required: true },
    task: {
      type: "string",
      value: "NAME",
      help: "task whose query prompt is used (default: the model's first)",
    },
    ...ENCODER_OPTIONS,
    json: JSON_OPTION,
  },
  notes: 'Name the file in the "prior" field of model.json.',
  async run(args, output) {
    const progress = showProgress(process.stderr);
    const queries = (await readFile(args.positionals[0]!, "utf8"))
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "");
    const encoder = await openEncoder(args, progress);
    try {
      const task = args.text("task") ?? Object.keys(encoder.model.description.tasks)[0]!;
      const { file } = await makePrior(queries, encoder, task, progress);
      await writeFile(args.text("out")!, file.bytes);
      output.result(
        { queries: queries.length, bytes: file.bytes.length, sha256: file.sha256 },
        () => `${queries.length} queries, ${file.bytes.length} bytes, ${file.sha256}`,
      );
    } finally {
      await encoder.close();
    }
    return 0;
  },
};
