/** Wrangler as a process. */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { SECRETS } from "./plan.ts";
import type { Ran } from "./run-plan.ts";

/**
 * Runs the project's wrangler in this folder and shows what it says as it comes. Its environment is ours but for
 * the secrets, which it gets by standard input alone.
 */
export function runWrangler(
  folder: string,
  show: (text: string) => void,
): (words: readonly string[], input?: string) => Promise<Ran> {
  const entry = join(
    dirname(createRequire(import.meta.url).resolve("wrangler/package.json")),
    "bin/wrangler.js",
  );
  const environment: NodeJS.ProcessEnv = {
    ...process.env,
    // No questions: nobody is there to answer them.
    CI: "1",
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_SEND_ERROR_REPORTS: "false",
    WRANGLER_HIDE_BANNER: "true",
    WRANGLER_LOG_PATH: join(folder, "build/wrangler-logs"),
    NO_COLOR: "1",
  };
  for (const name of SECRETS) delete environment[name];
  return (words, input) =>
    new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [entry, ...words], {
        cwd: folder,
        env: environment,
        stdio: ["pipe", "pipe", "pipe"],
      });
      let output = "";
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding("utf8").on("data", (text: string) => {
          output += text;
          // What is answered to secrets is shown by nobody.
          if (input === undefined) show(text);
        });
      child.once("error", reject);
      child.once("close", (code) => resolve({ code: code ?? 1, output }));
      // A command that does not read may be gone by now.
      child.stdin.on("error", () => undefined);
      child.stdin.end(input ?? "");
    });
}
