import { LightedgeError } from "../../shared/errors.ts";
import { checkIndexName } from "../../shared/store/keys.ts";
import { type CheckReport, checkIndex } from "../check.ts";
import { checkStore, type StoreReport } from "../check-store.ts";
import { type Command, JSON_OPTION } from "./command.ts";
import { STORE_OPTION, storeOf } from "./options.ts";

/** `lightedge check`: whether an index, or all of a store, is whole. */
export const checkCommand: Command = {
  name: "check",
  summary: "Verify an index from its pointer to its last document, or a whole store",
  positionals: { usage: "", least: 0, most: 0 },
  options: {
    index: {
      type: "string",
      value: "NAME",
      help: "name of the index (default: all, and their older versions)",
    },
    version: { type: "string", value: "VERSION", help: "which version (default: the current one)" },
    store: STORE_OPTION,
    json: JSON_OPTION,
  },
  notes: "Exit code 0 where all is sound, 1 where anything is not.",
  async run(args, output) {
    const store = storeOf(args);
    const index = args.text("index");
    const version = args.text("version");
    if (index === undefined) {
      if (version !== undefined)
        throw new LightedgeError("usage/invalid", "--version needs --index.", { field: "version" });
      const report = await checkStore(store);
      output.result(report, () => renderStore(report));
      return report.problems.length === 0 ? 0 : 1;
    }
    checkIndexName(index);
    const report = await checkIndex(store, index, { version });
    output.result(report, () => render(report));
    return report.problems.length === 0 ? 0 : 1;
  },
};

function render(report: CheckReport): string {
  return report.problems.length === 0
    ? `${report.index} ${report.version} is sound: ${report.documents} documents in ${report.chunks} chunks, ${report.blobs} blobs, ${report.bytes} bytes.`
    : problemsOf(`${report.index} ${report.version}`, report.problems);
}

function renderStore({ indexes, versions, problems }: StoreReport): string {
  const lines = indexes.map(render);
  const older = versions - indexes.length;
  if (problems.length > 0) lines.push(problemsOf("The store", problems));
  else lines.push(`The store is sound: ${indexes.length} indexes and ${older} older versions of them.`);
  return lines.join("\n");
}

function problemsOf(what: string, problems: readonly string[]): string {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return [`${what} has ${count}:`, ...problems.map((problem) => `  ${problem}`)].join("\n");
}
