/**
 * A process that encodes part 1 of 1 of numbered texts into a store in a folder: `CACHE STORE COUNT DIE_AFTER`.
 * It is killed, as by the system, when the encoder has done so many texts. A minute passes with every batch.
 */
import type { Encoder } from "../../../indexer/encode/encoder.ts";
import { partEncoder } from "../../../indexer/encode/part.ts";
import { FolderStore } from "../../../indexer/store/folder.ts";
import { tinyEncoder } from "../../helpers/tiny-encoder.ts";
import { numberedTexts, WANTED } from "./texts.ts";

const [folder = "", store = "", count = "0", dieAfter = "Infinity"] = process.argv.slice(2);
const inner = tinyEncoder();
let [done, minutes] = [0, 0];
const dying: Encoder = {
  ...inner,
  async encode(texts, wanted) {
    if (done + texts.length > Number(dieAfter)) process.kill(process.pid, "SIGKILL");
    done += texts.length;
    minutes++;
    return inner.encode(texts, wanted);
  },
};
const encoder = await partEncoder(
  dying,
  { number: 1, of: 1 },
  { store: new FolderStore(store), folder, warn: () => {}, now: () => minutes * 60_000 },
);
await encoder.encode(numberedTexts(0, Number(count)), WANTED);
await encoder.finish();
process.stdout.write(JSON.stringify({ ...encoder.counts, done }));
await encoder.close();
