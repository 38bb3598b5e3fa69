/** Index runs as processes of their own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const RUN = fileURLToPath(new URL("index-run.ts", import.meta.url));

/** When a run is to die: so many ms after it has begun, or before or after one of its calls of the file system. */
export type Death =
  | { readonly kind: "time"; readonly milliseconds: number }
  | { readonly kind: "call"; readonly moment: "before" | "after"; readonly call: number };

/** How a run ended. */
export interface End {
  readonly killed: boolean;
  /** Exit code, null where it was killed. */
  readonly code: number | null;
  /** What it wrote to standard error. */
  readonly errors: string;
  /** Calls of the file system that it made, 0 where it did not come to its end. */
  readonly calls: number;
  /** Time from its beginning to its end, in ms; starting Node is not counted. */
  readonly milliseconds: number;
}

/** The folder of the store among what runs need. */
export function storeIn(folder: string): string {
  return join(folder, "store");
}

/** Indexes the documents of a round into the store of a folder, which also takes what a killed run sets aside. */
export async function run(folder: string, round: number, death?: Death): Promise<End> {
  const aside = join(folder, "aside");
  await mkdir(aside, { recursive: true });
  const more = death?.kind === "call" ? [death.moment, String(death.call)] : [];
  const child = spawn(process.execPath, [RUN, storeIn(folder), String(round), ...more], {
    stdio: ["ignore", "pipe", "pipe"],
    // Half of so short a process is the reading of its own source.
    env: { ...process.env, TMPDIR: aside, NODE_COMPILE_CACHE: join(tmpdir(), "lightedge-compiled") },
  });
  let [output, errors, begun] = ["", "", 0];
  let timer: NodeJS.Timeout | undefined;
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
    if (begun > 0) return;
    begun = performance.now();
    if (death?.kind === "time") timer = setTimeout(() => child.kill("SIGKILL"), death.milliseconds);
  });
  child.stderr.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  clearTimeout(timer);
  const calls = code === 0 ? Number(output.trimEnd().split(" ").at(-1)) : 0;
  return { killed: signal === "SIGKILL", code, errors, calls, milliseconds: performance.now() - begun };
}
