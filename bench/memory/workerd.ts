/** workerd below a ceiling: started through a script that puts itself into a cgroup and then becomes workerd. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ServeOptions, type Serving, serve } from "../../indexer/serve.ts";

/** A server whose workerd is known by its process id. */
export interface CappedServing extends Serving {
  readonly pid: number;
}

/**
 * Starts the Worker as `lightedge serve` does. Only workerd joins the cgroup whose `procs` file is
 * given, from its first page on: moved later, what it had by then would count elsewhere.
 */
export async function serveCapped(options: ServeOptions, procs: string | undefined): Promise<CappedServing> {
  const folder = mkdtempSync(join(tmpdir(), "lightedge-memory-"));
  const pidFile = join(folder, "pid");
  const script = join(folder, "workerd");
  const joining = procs === undefined ? "" : `echo $$ > ${quoted(procs)} || exit 1\n`;
  const lines = `#!/bin/sh\n${joining}echo $$ > ${quoted(pidFile)}\nexec ${quoted(workerdPath())} "$@"\n`;
  writeFileSync(script, lines, { mode: 0o755 });
  const before = process.env.MINIFLARE_WORKERD_PATH;
  process.env.MINIFLARE_WORKERD_PATH = script;
  try {
    const serving = await serve(options);
    const close = async () => {
      await serving.close();
      rmSync(folder, { recursive: true, force: true });
    };
    return { ...serving, close, pid: Number(readFileSync(pidFile, "utf8")) };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  } finally {
    if (before === undefined) delete process.env.MINIFLARE_WORKERD_PATH;
    else process.env.MINIFLARE_WORKERD_PATH = before;
  }
}

/** The workerd that miniflare itself would start. */
function workerdPath(): string {
  const own = createRequire(import.meta.url);
  const path: unknown = createRequire(own.resolve("miniflare"))("workerd").default;
  if (typeof path === "string" && existsSync(path)) return path;
  throw new Error("miniflare brings no workerd.");
}

/** As one word of a shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
