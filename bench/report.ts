/** How measurements are printed: `{machine, commit, results}`, or a table. */
import { execFileSync } from "node:child_process";
import { cpus, totalmem } from "node:os";
import type { Result } from "./result.ts";

/** Prints results to standard output. */
export function report(results: readonly Result[], json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify({ machine: machine(), commit: commit(), results }, null, 2)}\n`);
    return;
  }
  for (const { name, value, unit, peer, peer_value, ratio, note } of results) {
    const beside = peer === undefined ? "" : `  ${peer} ${peer_value}, ${ratio}x`;
    process.stdout.write(
      `${name.padEnd(26)} ${String(value).padStart(10)} ${unit.padEnd(11)}${beside}${note === undefined ? "" : `  (${note})`}\n`,
    );
  }
}

function machine() {
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memory_bytes: totalmem(),
    node: process.version,
  };
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
