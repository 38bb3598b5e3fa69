import { checkIndexName } from "../../shared/store/keys.ts";
import { listVersions, type VersionList } from "../store/versions.ts";
import { type Command, JSON_OPTION } from "./command.ts";
import { INDEX_OPTION, STORE_OPTION, storeOf } from "./options.ts";

/** `lightedge versions`: what an index was, and what it can be again. */
export const versionsCommand: Command = {
  name: "versions",
  summary: "List the versions of an index",
  positionals: { usage: "", least: 0, most: 0 },
  options: { index: INDEX_OPTION, store: STORE_OPTION, json: JSON_OPTION },
  async run(args, output) {
    const index = args.text("index")!;
    checkIndexName(index);
    const list = await listVersions(storeOf(args), index);
    output.result({ index, ...list }, () => render(list));
    return 0;
  },
};

function render({ versions, end }: VersionList): string {
  const rows = versions.map((row) => [
    row.version,
    row.created,
    `${row.documents} documents in ${row.chunks} chunks`,
    `${row.bytes} bytes`,
    row.current ? "current" : row.whole ? "" : "collected in part",
  ]);
  const widths = rows.reduce<readonly number[]>(
    (most, row) => row.map((cell, at) => Math.max(cell.length, most[at] ?? 0)),
    [],
  );
  const lines = rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at]!))
      .join("  ")
      .trimEnd(),
  );
  if (end.kind === "collected") lines.push(`${end.version} and what came before was collected.`);
  if (end.kind === "broken") lines.push(`The chain of versions breaks at ${end.version}: ${end.reason}`);
  return lines.join("\n");
}
