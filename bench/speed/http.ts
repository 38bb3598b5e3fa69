/**
 * Questions: how many hybrid searches a second does workerd answer over HTTP, and how long
 * is the way from an isolate that has loaded nothing to its first answer?
 * Corpus and queries: the collection's own, top 10 with all defaults. Client and server have
 * a core each where `taskset` is there. Store: the local folder.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { serve } from "../../indexer/serve.ts";
import type { Context } from "../context.ts";
import { quantile, type Result, round } from "../result.ts";

const CONNECTIONS = 16;
const SECONDS = 8;
const COLD_STARTS = 7;

/** `http.<collection>` in requests a second, and `cold.<collection>` in milliseconds. */
export async function measureHttp(context: Context): Promise<readonly Result[]> {
  const { collection, name } = context;
  const paths = collection.queries.map(
    ({ text }) => `/v1/indexes/${name}/search?q=${encodeURIComponent(text)}`,
  );
  const cold: number[] = [];
  for (let i = 0; i < COLD_STARTS; i++) cold.push(await coldStart(context, paths[i % paths.length]!));
  const serving = await start(context);
  try {
    const pinned = pin();
    const { hostname, port } = new URL(serving.url);
    await load(hostname, Number(port), paths, 2);
    const { requests, failures, latencies } = await load(hostname, Number(port), paths, SECONDS);
    const note = `${CONNECTIONS} connections, ${failures} failures${pinned ? ", one core each" : ", cores shared"}`;
    return [
      { name: `http.${collection.name}`, value: round(requests / SECONDS), unit: "requests/s", note },
      { name: `http.${collection.name}.p99`, value: round(quantile(latencies, 0.99)), unit: "ms" },
      {
        name: `cold.${collection.name}`,
        value: round(quantile(cold, 0.5)),
        unit: "ms",
        note: `median of ${COLD_STARTS} fresh workerd processes`,
      },
    ];
  } finally {
    await serving.close();
  }
}

function start({ store, name }: Context) {
  return serve({ store, host: "127.0.0.1", port: 0, indexes: [name], examples: [], pointerMaxAge: 60 });
}

/** Milliseconds of the first search of a fresh process. Its script has been compiled by a request that loads no index. */
async function coldStart(context: Context, path: string): Promise<number> {
  const serving = await start(context);
  try {
    await (await fetch(new URL("/health", serving.url))).text();
    const started = performance.now();
    const response = await fetch(new URL(path, serving.url));
    const body = await response.text();
    if (response.status !== 200) throw new Error(`The first search failed: ${body}`);
    return performance.now() - started;
  } finally {
    await serving.close();
  }
}

/** Gives this process the first core and workerd the second. False where that cannot be done. */
function pin(): boolean {
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

interface Load {
  readonly requests: number;
  readonly failures: number;
  /** Milliseconds of each request. */
  readonly latencies: readonly number[];
}

/** Keeps every connection busy for some seconds. Plain sockets: an HTTP client would take the client's core for itself. */
async function load(host: string, port: number, paths: readonly string[], seconds: number): Promise<Load> {
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
  await Promise.all(Array.from({ length: CONNECTIONS }, connection));
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
