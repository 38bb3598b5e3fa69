/** Runs every measurement and prints `{machine, commit, results}`, or a table. */
import { execFileSync } from "node:child_process";
import { cpus, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { showProgress } from "../indexer/progress.ts";
import { defaultCollection, prepare } from "./context.ts";
import { measureFirstPass } from "./first-pass.ts";
import type { Result } from "./result.ts";
import { measureBytes } from "./speed/bytes.ts";
import { measureEncodeQuery } from "./speed/encode-query.ts";
import { measureHttp } from "./speed/http.ts";
import { measureSearch } from "./speed/search.ts";

const { values } = parseArgs({ options: { collection: { type: "string" }, json: { type: "boolean" } } });
const progress = showProgress(process.stderr);
const context = await prepare(values.collection ?? defaultCollection(), progress);
const results: Result[] = [];
for (const measure of [
  measureEncodeQuery,
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

const machine = {
  cpu: cpus()[0]?.model ?? "unknown",
  cores: cpus().length,
  memory_bytes: totalmem(),
  node: process.version,
};
if (values.json) process.stdout.write(`${JSON.stringify({ machine, commit: commit(), results }, null, 2)}\n`);
else {
  for (const { name, value, unit, peer, peer_value, ratio, note } of results) {
    const beside = peer === undefined ? "" : `  ${peer} ${peer_value}, ${ratio}x`;
    process.stdout.write(
      `${name.padEnd(26)} ${String(value).padStart(10)} ${unit.padEnd(11)}${beside}${note === undefined ? "" : `  (${note})`}\n`,
    );
  }
}

/** The commit that is measured, with `+` where files have changed since. */
function commit(): string {
  try {
    const git = (...words: string[]) => execFileSync("git", words, { encoding: "utf8" }).trim();
    return `${git("rev-parse", "HEAD")}${git("status", "--porcelain") === "" ? "" : "+"}`;
  } catch {
    return "unknown";
  }
}
