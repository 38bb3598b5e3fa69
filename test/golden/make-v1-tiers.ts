/**
 * Wrote the sample of a table with rows in tiers, which version 1 gained before its
 * first release: `node test/golden/make-v1-tiers.ts`. Like the others it is never made again.
 */

import { writeFileSync } from "node:fs";
import { writeTable } from "../../shared/format/table.ts";
import { makeSamples, tieredTableContent } from "../shared/format/samples.ts";
import { contentOf } from "./contents.ts";

const { tokenizer } = await makeSamples();
const { bytes, sha256, head } = await writeTable(tieredTableContent(tokenizer.sha256));
const content = await contentOf(bytes, { kind: "table", sha256, head });
const expectation = `${JSON.stringify({ kind: "table", sha256, head, content }, null, 1)}\n`;
writeFileSync(new URL("./v1/table-tiers.bin", import.meta.url), bytes, { flag: "wx" });
writeFileSync(new URL("./v1/table-tiers.json", import.meta.url), expectation, { flag: "wx" });
