/**
 * Questions: how long does a hybrid search over a million chunks in 16 shards take through workerd, and how many
 * requests a second does workerd answer over a hundred thousand?
 *
 * Corpus: for the second `corpus.ts`; for the first ten copies of it (`copies.ts`: vectors with noise down to a cosine
 * of 0.8 with the original, a tenth of the postings dropped and a tenth exchanged). Queries: 300 real questions, top 10
 * with all defaults, as `lightedge serve` answers them over HTTP. Latency is of one connection that waits
 * for each answer, everything warm; the load is of 16 connections. Client and workerd have a core each.
 */
import { serve } from "../../indexer/serve.ts";
import { quantile, type Result, round } from "../result.ts";
import { type Load, load, pin } from "../speed/load.ts";
import { MILLION, prepareMillion } from "./million-store.ts";
import { INDEX, type Scale } from "./prepare.ts";
import { queryTexts } from "./queries.ts";

const QUERIES = 300;
const SECONDS = 15;
const CONNECTIONS = 16;
/** Times that a cold index is asked before it must answer. */
const TRIES = 20;

/** `scale.million` in milliseconds, by quantile. */
export async function measureMillion(scale: Scale, rebuild: boolean): Promise<readonly Result[]> {
  const { chunks, shards } = await prepareMillion(scale, rebuild);
  const one = await serveAndLoad(scale, MILLION, 1);
  const note = `${chunks} chunks, ${shards} shards, one connection, ${said(one)}`;
  const ms = (share: number) => round(quantile(one.latencies, share));
  return [
    { name: "scale.million.p50", value: ms(0.5), unit: "ms", note },
    { name: "scale.million.p95", value: ms(0.95), unit: "ms" },
    { name: "scale.million.p99", value: ms(0.99), unit: "ms" },
  ];
}

/** `scale.http` in requests a second, and how long they took. */
export async function measureLoad(scale: Scale): Promise<readonly Result[]> {
  const many = await serveAndLoad(scale, INDEX, CONNECTIONS);
  return [
    {
      name: "scale.http",
      value: round(many.requests / SECONDS),
      unit: "requests/s",
      note: `${scale.manifest.counts.chunks} chunks, ${CONNECTIONS} connections, ${said(many)}`,
    },
    { name: "scale.http.p50", value: round(quantile(many.latencies, 0.5)), unit: "ms" },
    { name: "scale.http.p99", value: round(quantile(many.latencies, 0.99)), unit: "ms" },
  ];
}

interface PinnedLoad extends Load {
  readonly pinned: boolean;
}

async function serveAndLoad({ store }: Scale, index: string, connections: number): Promise<PinnedLoad> {
  const paths = (await queryTexts(QUERIES)).map(
    (text) => `/v1/indexes/${index}/search?q=${encodeURIComponent(text)}`,
  );
  const serving = await serve({
    store,
    host: "127.0.0.1",
    port: 0,
    indexes: [index],
    examples: [],
    pointerMaxAge: 60,
  });
  try {
    await warmUp(new URL(paths[0]!, serving.url));
    const pinned = pin();
    const { hostname: host, port } = new URL(serving.url);
    const options = { host, port: Number(port), paths, connections };
    await load({ ...options, seconds: 5 });
    return { ...(await load({ ...options, seconds: SECONDS })), pinned };
  } finally {
    await serving.close();
  }
}

/** Asks until the index is in memory: a cold one of many shards is refused, with 503, before it is loaded. */
async function warmUp(url: URL): Promise<void> {
  let answer = "";
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const response = await fetch(url);
    answer = await response.text();
    if (response.status === 200) return;
    if (response.status !== 503) break;
  }
  throw new Error(`The first search failed: ${answer}`);
}

function said({ requests, failures, pinned }: PinnedLoad): string {
  return `${requests} requests, ${failures} failures${pinned ? ", one core each" : ", cores shared"}`;
}
