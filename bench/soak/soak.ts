/**
 * Question: is any answer ever wrong? `node bench/soak/soak.ts --minutes 10` runs three regions in real workerd, with the
 * distances between them, over an index that lies in several shard objects in each, and asks without a pause while
 *
 * - 5 % of the store's reads fail, others are slow, hang, or bring other bits;
 * - every shard object loses its memory once a second;
 * - the source changes and an incremental version is published every 30 s, and brought to the other regions through
 *   stores that fail as well;
 * - one region is cut off now and then, for 15 s, refusing or silent.
 *
 * Every answer is computed again by plain loops over all documents of the version that it names (`plain.ts`): ids, order,
 * scores to the bit, texts. It exits with 1 where one is wrong, of mixed versions, or missing.
 *
 * Corpus: made-up documents over 300 words by the tests' encoder (`test/helpers/tiny-encoder.ts`), which has no network,
 * so that runs cost what runs cost and not what encoding does. Faults come from `--seed`. A line of the log is
 * written for each `--stretch` seconds; with the same `--log` another call goes on until the minutes are full.
 */
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { regionsOf } from "../../shared/regions/region.ts";
import { report } from "../report.ts";
import type { Result } from "../result.ts";
import { type SoakSettings, soak } from "./run.ts";
import { type Stretch, total } from "./tally.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    seed: { type: "string", default: "1" },
    regions: { type: "string", default: "weur,enam,apac" },
    documents: { type: "string", default: "2500" },
    "shard-chunks": { type: "string", default: "1500" },
    "resident-bytes": { type: "string", default: "1400000" },
    connections: { type: "string", default: "8" },
    failing: { type: "string", default: "0.05" },
    evict: { type: "string", default: "1" },
    reindex: { type: "string", default: "30" },
    cut: { type: "string", default: "45" },
    "cut-for": { type: "string", default: "15" },
    stretch: { type: "string", default: "10" },
    log: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const seconds = Number(values.minutes) * 60;
const before = values.log === undefined ? [] : linesOf(values.log);
const done = before.reduce((sum, stretch) => sum + stretch.seconds, 0);
const folder = mkdtempSync(join(tmpdir(), "lightedge-soak-"));
const settings: SoakSettings = {
  // A soak that goes on draws other faults than the part before.
  seed: Number(values.seed) + before.length,
  seconds: Math.max(0, seconds - done),
  folder,
  regions: regionsOf(values.regions.split(","), "--regions").map(({ name }) => name),
  documents: Number(values.documents),
  shardChunks: Number(values["shard-chunks"]),
  residentBytes: Number(values["resident-bytes"]),
  connections: Number(values.connections),
  failing: Number(values.failing),
  evictEveryS: Number(values.evict),
  reindexEveryS: Number(values.reindex),
  cutEveryS: Number(values.cut),
  cutForS: Number(values["cut-for"]),
  latency: true,
  stretchS: Number(values.stretch),
  onStretch: write,
  note: (text) => process.stderr.write(`${text}\n`),
};
try {
  const own = settings.seconds > 0 ? await soak(settings) : [];
  const all = total([...before, ...own]);
  report(resultsOf(all, settings), values.json);
  for (const example of all.examples) process.stderr.write(`wrong: ${example}\n`);
  if (all.wrong > 0 || all.errors.internal !== undefined) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function linesOf(file: string): readonly Stretch[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Stretch);
}

function write(stretch: Stretch): void {
  const line = `${JSON.stringify(stretch)}\n`;
  if (values.log !== undefined) appendFileSync(values.log, line);
  process.stderr.write(line);
}

function resultsOf(all: Stretch, { seed, connections, regions }: SoakSettings): readonly Result[] {
  const answers = all.right + all.partial;
  const errors = Object.values(all.errors).reduce((sum, count) => sum + count, 0);
  const counts = (record: Readonly<Record<string, number>>) =>
    Object.entries(record)
      .map(([name, count]) => `${name} ${count}`)
      .join(", ");
  const of = (name: string, value: number, unit: string, note?: string): Result => ({
    ...{ name: `soak.${name}`, value, unit },
    ...(note === undefined ? {} : { note }),
  });
  return [
    of(
      "seconds",
      Math.round(all.seconds),
      "s",
      `seed ${seed}, ${connections} connections, ${regions.join(", ")}`,
    ),
    of("requests", all.requests, "requests", `${all.retried} of them with the client's retry`),
    of("wrong", all.wrong, "answers", "of another version, order, score, text, or none at all"),
    of("right", all.right, "answers", "ids, order, scores to the bit, texts"),
    of("partial", all.partial, "answers", "say which shards are missing, and are right for the rest"),
    of("errors", errors, "answers", errors === 0 ? undefined : counts(all.errors)),
    of("regions", Object.keys(all.regions).length, "regions", counts(all.regions)),
    of(
      "stale",
      answers === 0 ? 0 : all.stale,
      "answers",
      `of a version replaced at most ${all.stalest_s} s before`,
    ),
    of("published", all.published, "versions", "each brought to all regions that were not cut"),
    of("evictions", all.evictions, "times", "all shard objects of all regions"),
    of("cuts", all.cuts, "times", "one region each"),
    of("store_faults", all.store_faults, "operations"),
    of("p99", all.p99_ms, "ms", "of the worst stretch, retries included"),
  ];
}
