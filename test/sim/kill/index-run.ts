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
const { buildIndex, BUILD_DEFAULTS } = await import("../../../indexer/build.ts");
const { SILENT } = await import("../../../indexer/progress.ts");
const { FolderStore } = await import("../../../indexer/store/folder.ts");
const { TINY } = await import("../../helpers/tiny-build.ts");
const { sourceOf } = await import("../../helpers/tiny-corpus.ts");
const { tinyEncoder } = await import("../../helpers/tiny-encoder.ts");
const { documentsOf } = await import("./documents.ts");

process.stdout.write("begins\n");
const { version } = await buildIndex(
  {
    index: TINY,
    source: sourceOf(documentsOf(Number(round))),
    encoder: tinyEncoder(),
    store: new FolderStore(folder),
    tasks: [],
    ...BUILD_DEFAULTS,
    weight: 0.5,
    now: () => new Date(),
  },
  SILENT,
);
process.stdout.write(`${version} ${calls()}\n`);
