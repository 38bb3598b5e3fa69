/** Load over HTTP, and cores of their own for both sides of it. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";

/** Gives this process the first core and workerd the second. False where that cannot be done. */
export function pin(): boolean {
  try {
    for (const pid of descendants(process.pid))
      execFileSync("taskset", ["-a", "-p", "-c", "1", String(pid)], { stdio: "ignore" });
    execFileSync("taskset", ["-a", "-p", "-c", "0", String(process.pid)], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Processes started by this one, and by those. */
function descendants(parent: number): readonly number[] {
  const parents = readdirSync("/proc")
    .filter((name) => /^\d+$/u.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, "utf8");
        return [[Number(name), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1])] as const];
      } catch {
        // The process ended while we looked.
        return [];
      }
    });
  const children = parents.filter(([, of]) => of === parent).map(([pid]) => pid);
  return children.flatMap((pid) => [pid, ...descendants(pid)]);
}

/** What came of a load. */
export interface Load {
  readonly requests: number;
  readonly failures: number;
  /** Milliseconds of each request. */
  readonly latencies: readonly number[];
}

/** What to ask and for how long. */
export interface LoadOptions {
  readonly host: string;
  readonly port: number;
  /** Asked in turn, over and over. */
  readonly paths: readonly string[];
  readonly connections: number;
  readonly seconds: number;
}

/** Keeps every connection busy for some seconds. Plain sockets: an HTTP client would take the client's core for itself. */
export async function load({ host, port, paths, connections, seconds }: LoadOptions): Promise<Load> {
  const latencies: number[] = [];
  let failures = 0;
  let next = 0;
  const end = performance.now() + seconds * 1000;
  const connection = () =>
    new Promise<void>((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true });
      let received = "";
      let started = 0;
      const send = () => {
        started = performance.now();
        socket.write(`GET ${paths[next++ % paths.length]} HTTP/1.1\r\nHost: ${host}:${port}\r\n\r\n`);
      };
      socket.setEncoding("latin1");
      socket.on("connect", send);
      socket.on("error", reject);
      socket.on("data", (chunk: string) => {
        received += chunk;
        if (!isComplete(received)) return;
        latencies.push(performance.now() - started);
        if (!received.startsWith("HTTP/1.1 200")) failures++;
        received = "";
        if (performance.now() < end) send();
        else {
          socket.end();
          resolve();
        }
      });
    });
  await Promise.all(Array.from({ length: connections }, connection));
  return { requests: latencies.length, failures, latencies };
}

/** Whether a response is all there, by its length or its last chunk. */
function isComplete(received: string): boolean {
  const head = received.indexOf("\r\n\r\n");
  if (head < 0) return false;
  const length = /\r\ncontent-length: (\d+)/iu.exec(received.slice(0, head))?.[1];
  return length === undefined
    ? received.endsWith("\r\n0\r\n\r\n")
    : received.length >= head + 4 + Number(length);
}
