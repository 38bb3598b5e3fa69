/** A process that makes the made-up model's rows in a folder: `CACHE DIE_AFTER`. It is killed, as by the system, in its pass number DIE_AFTER. */
import { makeRows } from "../../../indexer/cached/make-rows.ts";
import { SILENT } from "../../../indexer/progress.ts";
import { madeUpGraph, planFor } from "./made-up-model.ts";

const [cache = "", dieAfter = "Infinity"] = process.argv.slice(2);
let passes = 0;
const graph = madeUpGraph(() => {
  passes++;
  if (passes === Number(dieAfter)) process.kill(process.pid, "SIGKILL");
});
const counts = await makeRows(await planFor(), null, { cache, open: async () => graph }, SILENT);
process.stdout.write(JSON.stringify(counts));
