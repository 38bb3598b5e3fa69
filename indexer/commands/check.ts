import { checkIndex } from "../check.ts";
import { type Command, JSON_OPTION } from "./command.ts";
import { INDEX_OPTION, STORE_OPTION, storeOf } from "./options.ts";

/** `lightedge check`: whether an index is whole. */
export const checkCommand: Command = {
  name: "check",
  summary: "Verify an index from its pointer to its last document",
  positionals: { usage: "", least: 0, most: 0 },
  options: { index: INDEX_OPTION, store: STORE_OPTION, json: JSON_OPTION },
  notes: "Exit code 0 where all is sound, 1 where anything is not.",
  async run(args, output) {
    const report = await checkIndex(storeOf(args), args.text("index")!);
    output.result(report, () =>
      report.problems.length === 0
        ? `${report.index} ${report.version} is sound: ${report.documents} documents in ${report.chunks} chunks, ${report.blobs} blobs, ${report.bytes} bytes.`
        : [
            `${report.index} ${report.version} has ${report.problems.length} problems:`,
            ...report.problems.map((problem) => `  ${problem}`),
          ].join("\n"),
    );
    return report.problems.length === 0 ? 0 : 1;
  },
};
