/** A cold isolate of workerd over a stored tokenizer: time of each step to the first query's ids, and memory of the process. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare, Response as WorkerdResponse } from "miniflare";
import { nearStore } from "../../indexer/serve/store-link.ts";
import { MemoryStore } from "../../shared/store/memory.ts";
import { quantile, round } from "../result.ts";

const KEY = "blobs/tokenizer";
const WORKER = fileURLToPath(new URL("worker.ts", import.meta.url));

/** What cold isolates took, medians of `isolates` of them. */
export interface Cold {
  /** Milliseconds of each step, and of all together. */
  readonly steps: Readonly<Record<string, number>>;
  readonly total: number;
  /** MB that the process of workerd grew by, from before the first request to after 200 of them. */
  readonly megabytes: number;
}

/** Measures `isolates` fresh ones, each a process of its own. `ids` are what they must answer. */
export async function measureCold(
  file: Uint8Array<ArrayBuffer>,
  query: string,
  ids: readonly number[],
  isolates: number,
): Promise<Cold> {
  const { outputFiles } = await build({
    entryPoints: [WORKER],
    bundle: true,
    format: "esm",
    minify: true,
    write: false,
  });
  const steps: Record<string, number[]> = {};
  const totals: number[] = [];
  const grown: number[] = [];
  for (let isolate = 0; isolate < isolates; isolate++) {
    const store = new MemoryStore();
    await store.put(KEY, file);
    const before = new Set(children());
    const runtime = new Miniflare(
      convertV4MiniflareOptions({
        workers: [
          {
            name: "cold",
            modules: [{ type: "ESModule", path: "index.js", contents: outputFiles[0]!.text }],
            compatibilityDate: "2026-10-01",
            serviceBindings: {
              STORE: nearStore(store),
              CLOCK: () => Promise.resolve(new WorkerdResponse(String(performance.now()))),
            },
          },
        ],
      }),
    );
    try {
      await runtime.ready;
      const started = children().filter((pid) => !before.has(pid));
      const ask = async () =>
        (await (
          await runtime.dispatchFetch(`http://cold/${KEY}?text=${encodeURIComponent(query)}`)
        ).json()) as {
          readonly ids: readonly number[];
          readonly steps?: readonly (readonly [string, number])[];
        };
      const resident = residentMegabytes(started);
      const first = await ask();
      if (JSON.stringify(first.ids) !== JSON.stringify(ids)) throw new Error("The worker's ids are others.");
      for (const [step, ms] of first.steps!) steps[step] = [...(steps[step] ?? []), ms];
      totals.push(first.steps!.reduce((sum, [, ms]) => sum + ms, 0));
      for (let more = 0; more < 200; more++) await ask();
      grown.push(residentMegabytes(started) - resident);
    } finally {
      await runtime.dispose();
    }
  }
  return {
    steps: Object.fromEntries(
      Object.entries(steps).map(([step, times]) => [step, round(quantile(times, 0.5))]),
    ),
    total: round(quantile(totals, 0.5)),
    megabytes: round(quantile(grown, 0.5)),
  };
}

/** Processes that this one has started; none where there is no /proc. */
function children(): readonly string[] {
  try {
    return readdirSync("/proc/self/task").flatMap((task) =>
      readFileSync(`/proc/self/task/${task}/children`, "utf8")
        .split(" ")
        .filter((pid) => pid !== ""),
    );
  } catch {
    return [];
  }
}

function residentMegabytes(pids: readonly string[]): number {
  const kilobytes = pids.map((pid) =>
    Number(/VmRSS:\s+(\d+)/u.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0),
  );
  return kilobytes.reduce((sum, kb) => sum + kb, 0) / 1000;
}
