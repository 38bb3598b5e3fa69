/** An S3 server that others wrote: Python's moto, where it is installed. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import type { S3Location } from "../../indexer/store/s3-location.ts";
import { freePorts } from "./free-ports.ts";

// Another Python than the path's, such as that of a virtual environment, can be named.
const PYTHON = process.env.LIGHTEDGE_PYTHON ?? "python3";
/** Longest start that is waited for, in ms. */
const START_MS = 60_000;

/** Whether the Python on the path has moto and what its server needs. */
export function hasMoto(): boolean {
  const { status } = spawnSync(PYTHON, ["-c", "import moto.server, flask"], { stdio: "ignore" });
  return status === 0;
}

/** A running server with one bucket. */
export interface MotoServer {
  readonly place: (prefix?: string) => S3Location;
  stop(): Promise<void>;
}

/** Starts one on a free port. */
export async function startMoto(): Promise<MotoServer> {
  const port = await freePorts(1);
  const child = spawn(PYTHON, ["-m", "moto.server", "-H", "127.0.0.1", "-p", String(port)], {
    stdio: "ignore",
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const endpoint = `http://127.0.0.1:${port}`;
  try {
    await makeBucket(`${endpoint}/test-bucket`, child);
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
  return {
    place: (prefix = "") => ({
      bucket: "test-bucket",
      prefix,
      endpoint,
      region: "us-east-1",
      pathStyle: true,
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
    }),
    async stop() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

async function makeBucket(url: string, child: ChildProcess): Promise<void> {
  // moto takes any signature, but wants to see one.
  const authorization = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request";
  for (let waited = 0; waited < START_MS && child.exitCode === null; waited += 100) {
    const made = await fetch(url, { method: "PUT", headers: { authorization } }).catch(() => null);
    if (made?.ok === true) return;
    await pause(100);
  }
  throw new Error(`moto did not start: exit code ${child.exitCode}.`);
}
