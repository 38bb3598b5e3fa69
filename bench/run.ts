/** Runs every measurement and prints `{machine, commit, results}`, or a table. */
import { parseArgs } from "node:util";
import { showProgress } from "../indexer/progress.ts";
import { defaultCollection, prepare } from "./context.ts";
import { measureFirstPass } from "./first-pass.ts";
import { report } from "./report.ts";
import type { Result } from "./result.ts";
import { measureBytes } from "./speed/bytes.ts";
import { measureEncodeQuery } from "./speed/encode-query.ts";
import { measureHttp } from "./speed/http.ts";
import { measureSearch } from "./speed/search.ts";
import { measureSpelling } from "./speed/spelling.ts";

const { values } = parseArgs({ options: { collection: { type: "string" }, json: { type: "boolean" } } });
const progress = showProgress(process.stderr);
const context = await prepare(values.collection ?? defaultCollection(), progress);
const results: Result[] = [];
for (const measure of [
  measureEncodeQuery,
  measureSpelling,
  measureSearch,
  measureHttp,
  measureFirstPass,
  async () => measureBytes(context),
]) {
  const stage = progress.stage("measure", 0);
  const found = await measure(context);
  results.push(...found);
  stage.done(found.map(({ name }) => name).join(", "));
}
await context.encoder.close();

report(results, values.json ?? false);
