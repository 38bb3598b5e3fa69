/**
 * A process that indexes the documents of a round into a folder, as `lightedge index` does, with an
 * encoder that needs no model. Usage: node index-run.ts FOLDER ROUND [before|after CALL]
 * With a number it kills itself without warning before or after that call of the file system, counted from 0;
 * "count" in the place of "before" only counts. Says "begins" when it starts, and the version and the
 * number of calls at its end.
 */
import { killAt } from "./kill-at.ts";

const [, , folder = "", round = "", moment = "count", call = "-1"] = process.argv;
const calls = await killAt(moment, Number(call));
// After the file system is watched: what is imported first is called unwatched.
const { FolderStore } = await import("../../../indexer/store/folder.ts");
const { indexTiny } = await import("../tiny.ts");
const { documentsOf } = await import("./documents.ts");

process.stdout.write("begins\n");
const { version } = await indexTiny(new FolderStore(folder), documentsOf(Number(round)), {
  now: () => new Date(),
});
process.stdout.write(`${version} ${calls()}\n`);
