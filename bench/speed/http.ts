/**
 * Questions: how many hybrid searches a second does workerd answer over HTTP, and how long
 * is the way from an isolate that has loaded nothing to its first answer?
 * Corpus and queries: the collection's own, top 10 with all defaults. Client and server have
 * a core each where `taskset` is there. Store: the local folder.
 */
import { serve } from "../../indexer/serve.ts";
import type { Context } from "../context.ts";
import { quantile, type Result, round } from "../result.ts";
import { load, pin } from "./load.ts";

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
    const options = { host: hostname, port: Number(port), connections: CONNECTIONS };
    await load({ ...options, paths, seconds: 2 });
    const { requests, failures, latencies } = await load({ ...options, paths, seconds: SECONDS });
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
