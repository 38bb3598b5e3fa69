/**
 * Question: does anybody notice that a region is gone? `node bench/regions/failover.ts` serves an index from three regions in
 * real workerd, with the distances between them, asks from all three places without a pause, cuts one region off for a
 * while, and heals it. A client asks once more where its first attempt fails, as clients do; a request has failed
 * where the second attempt does, too.
 *
 * Corpus: the shipped collection, `--copies` times over, or an index of one's own by `--store` and `--index`.
 * `--resident BYTES` is the budget of an isolate: an index above it lies in shard objects. Latencies are those of a client
 * at the place of a region, so distances count; `--cut hang` is a region that is silent rather than refusing.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { cp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { readTestCollection } from "../../indexer/evaluate/collection.ts";
import { showProgress } from "../../indexer/progress.ts";
import { serve } from "../../indexer/serve.ts";
import { FolderStore } from "../../indexer/store/folder.ts";
import { regionsOf } from "../../shared/regions/region.ts";
import type { SearchAnswer } from "../../shared/types.ts";
import { buildCopies, COLLECTION } from "../memory/copies.ts";
import { report } from "../report.ts";
import { quantile, type Result, round } from "../result.ts";
import { ask } from "./client.ts";

const { values } = parseArgs({
  options: {
    regions: { type: "string", default: "weur,enam,apac" },
    /** The region that is cut. */
    lost: { type: "string", default: "weur" },
    cut: { type: "string", default: "refuse" },
    /** Seconds of each of the three phases: before, cut off, healed. */
    phase: { type: "string", default: "20" },
    /** Connections at each place. */
    connections: { type: "string", default: "4" },
    copies: { type: "string", default: "4" },
    store: { type: "string" },
    index: { type: "string" },
    resident: { type: "string" },
    /** `off`: no distances, so that what is left is what failing over itself costs. */
    distance: { type: "string", default: "on" },
    json: { type: "boolean", default: false },
  },
});

/** Milliseconds of load that do not count: blocks of documents come into caches, and code is compiled. */
const WARM_UP_MS = 8000;
const PHASES = ["before", "cut", "healed"] as const;
type Phase = (typeof PHASES)[number];

/** One request, by the phase in which it was begun. */
interface Sample {
  readonly phase: Phase;
  readonly place: string;
  readonly ms: number;
  readonly attempts: number;
  readonly partial: boolean;
  /** The region that answered; null where the request failed. */
  readonly region: string | null;
}

const regions = regionsOf(values.regions.split(","), "--regions").map(({ name }) => name);
const cut = values.cut === "hang" ? "hang" : "refuse";
const progress = showProgress(process.stderr);
const folder = mkdtempSync(join(tmpdir(), "lightedge-failover-"));
const index = values.index ?? `copies-${values.copies}`;
const home = values.store?.replace(/^file:/u, "") ?? join(folder, "home");
if (values.store === undefined)
  await buildCopies(new FolderStore(home), index, Number(values.copies), progress);
const stores = await Promise.all(
  regions.map(async (name) => {
    const own = join(folder, name);
    // What replication would bring: the same objects.
    await cp(home, own, { recursive: true });
    return { name, store: new FolderStore(own) };
  }),
);
const [first, ...others] = stores as [(typeof stores)[number], ...typeof stores];
const serving = await serve({
  ...{ store: first.store, regions: [first, ...others], control: 0 },
  ...(values.resident === undefined ? {} : { residentBytes: Number(values.resident) }),
  ...{ host: "127.0.0.1", port: 0, indexes: [index], examples: [], pointerMaxAge: 2 },
  latency: values.distance !== "off",
});
try {
  const { queries } = await readTestCollection(COLLECTION);
  const paths = queries.map(({ text }) => `/v1/indexes/${index}/search?${new URLSearchParams({ q: text })}`);
  // Everything is loaded before anything is measured.
  for (const place of regions) await ask(serving.url, place, [paths[0]!, {}]);
  const samples: Sample[] = [];
  let phase: Phase = "before";
  let over = false;
  const client = async (place: string, at: number): Promise<void> => {
    for (let n = at; !over; n += 7) {
      const begun = phase;
      const { answer, attempts, ms } = await ask(serving.url, place, [paths[n % paths.length]!, {}]);
      const body = answer?.status === 200 ? (answer.body as SearchAnswer) : null;
      const partial = body?.partial ?? false;
      samples.push({ phase: begun, place, ms, attempts, partial, region: body?.region ?? null });
    }
  };
  const clients = regions.flatMap((place) =>
    Array.from({ length: Number(values.connections) }, (_, at) => client(place, at)),
  );
  await pause(WARM_UP_MS);
  samples.length = 0;
  for (const next of PHASES) {
    await order({ region: values.lost, cut: next === "cut" ? cut : null });
    phase = next;
    const stage = progress.stage(next, 0);
    await pause(Number(values.phase) * 1000);
    stage.done(`${samples.filter((sample) => sample.phase === next).length} requests`);
  }
  over = true;
  await Promise.all(clients);
  report(
    PHASES.flatMap((each) => resultsOf(samples, each)),
    values.json,
  );
  if (samples.some(({ region }) => region === null)) process.exitCode = 1;
} finally {
  await serving.close();
  rmSync(folder, { recursive: true, force: true });
}

async function order(body: object): Promise<void> {
  const answer = await fetch(new URL("/faults", serving.control), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`The control refused ${JSON.stringify(body)}: ${await answer.text()}`);
}

function resultsOf(all: readonly Sample[], phase: Phase): readonly Result[] {
  const own = all.filter((sample) => sample.phase === phase);
  const answered = new Map<string, number>();
  for (const { place, region } of own) {
    const way = `${place}>${region ?? "nobody"}`;
    answered.set(way, (answered.get(way) ?? 0) + 1);
  }
  const ways = [...answered]
    .map(([way, count]) => `${way} ${count}`)
    .sort()
    .join(", ");
  const count = (test: (sample: Sample) => boolean) => own.filter(test).length;
  const times = (test: (sample: Sample) => boolean, share: number) =>
    round(
      quantile(
        own.filter(test).map(({ ms }) => ms),
        share,
      ),
    );
  const cutPlace = (sample: Sample) => sample.place === values.lost;
  const name = (what: string) => `failover.${phase}.${what}`;
  return [
    { name: name("requests"), value: own.length, unit: "requests", note: ways },
    {
      name: name("failed"),
      value: count(({ region }) => region === null),
      unit: "requests",
      note: "after one retry of the client",
    },
    { name: name("retried"), value: count(({ attempts }) => attempts > 1), unit: "requests" },
    { name: name("partial"), value: count(({ partial }) => partial), unit: "requests" },
    {
      name: name("p50"),
      value: times(() => true, 0.5),
      unit: "ms",
      note: `at ${values.lost} ${times(cutPlace, 0.5)}`,
    },
    {
      name: name("p99"),
      value: times(() => true, 0.99),
      unit: "ms",
      note: `at ${values.lost} ${times(cutPlace, 0.99)}`,
    },
    { name: name("greatest"), value: times(() => true, 1), unit: "ms" },
  ];
}
