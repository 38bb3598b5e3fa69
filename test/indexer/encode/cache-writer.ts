/**
 * A process that encodes numbered texts through a cache: `FOLDER FIRST COUNT [DIE_AFTER]`.
 * With the last word it is killed, as by the system, when the encoder has done so many texts.
 */
import { cachedEncoder } from "../../../indexer/encode/cache.ts";
import { tinyEncoder } from "../../helpers/tiny-encoder.ts";
import { numberedTexts, WANTED } from "./texts.ts";

const [folder = "", first = "0", count = "0", dieAfter = "Infinity"] = process.argv.slice(2);
const inner = tinyEncoder();
let done = 0;
const encoder = cachedEncoder(
  {
    ...inner,
    async encode(texts, wanted) {
      if (done + texts.length > Number(dieAfter)) process.kill(process.pid, "SIGKILL");
      const encodings = await inner.encode(texts, wanted);
      done += texts.length;
      return encodings;
    },
  },
  folder,
);
await encoder.encode(numberedTexts(Number(first), Number(count)), WANTED);
process.stdout.write(JSON.stringify(encoder.counts));
await encoder.close();
