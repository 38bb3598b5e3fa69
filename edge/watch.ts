/**
 * The Cron Trigger's check: is the newest version of each index there in full, young enough, and in every region? What is
 * found goes to the log, to `/health` of this isolate, and as an alarm to the webhook.
 */
import { readCurrent } from "../shared/engine/open.ts";
import { asLightedgeError } from "../shared/errors.ts";
import { loadManifest } from "../shared/format/load.ts";
import type { BlobEntry } from "../shared/format/manifest.ts";
import { pointerKey, versionName } from "../shared/format/names.ts";
import { parseRunMark, runMarkKey } from "../shared/format/run-mark.ts";
import { inTurns } from "../shared/in-turns.ts";
import type { ReadStore } from "../shared/store/store.ts";
import { ageAt, type CheckResult, isFarBehind, isStale } from "./health.ts";
import { keyOf } from "./regions/key.ts";
import type { RegionStore } from "./regions/stores.ts";
import { seqOf } from "./version.ts";
import type { Alarm, Webhook } from "./webhook.ts";

/** What watching needs. */
export interface WatchPorts {
  /** The first is home. */
  readonly regions: readonly Pick<RegionStore, "name" | "home" | "store">[];
  /** Null where alarms go to the log alone. */
  readonly webhook: Webhook | null;
  /** The age that an index is promised to stay below, in seconds; what its last run says goes for the others. */
  readonly maxAge: ReadonlyMap<string, number>;
  /** Where results are kept, by `keyOf`. */
  readonly checks: Map<string, CheckResult>;
  /** Milliseconds since 1970. */
  now(): number;
  /** Takes one line of JSON for each index of each region. */
  log(line: string): void;
}

/** Blobs asked for at once. */
const AT_ONCE = 6;

/**
 * Checks these indexes in every region, one after the other. Never rejects. Cost: for each three reads, and a head for
 * each blob.
 */
export async function watch(ports: WatchPorts, indexes: readonly string[]): Promise<void> {
  for (const index of indexes) {
    const found: CheckResult[] = [];
    for (const region of ports.regions) found.push(await checkIndex(ports, region, index));
    const newest = await newestOf(ports, found);
    for (const result of found) await tell(ports, newest === null ? result : comparedTo(newest, result));
  }
}

async function tell(ports: WatchPorts, result: CheckResult): Promise<void> {
  const { index, region, version, maxAge, behind, problem } = result;
  ports.checks.set(keyOf(region, index), result);
  const alarm = alarmOf(result);
  const level = alarm === null ? "info" : "alarm";
  const age = { age_s: ageAt(result), max_age_s: maxAge };
  // One region alone is never behind.
  const lag = ports.regions.length > 1 ? { behind } : {};
  const line = { level, check: index, region, version, ...age, ...lag, problem, message: alarm?.message };
  ports.log(JSON.stringify(line));
  if (alarm === null) return;
  const failure = await ports.webhook?.send(alarm);
  if (failure) ports.log(JSON.stringify({ level: "error", check: index, region, message: failure }));
}

async function checkIndex(
  { maxAge, now }: WatchPorts,
  { name: region, store }: WatchPorts["regions"][number],
  index: string,
): Promise<CheckResult> {
  let result: CheckResult = {
    ...{ index, region, at: now(), version: null, asOf: null, problem: null },
    ...{ behind: null, behindSince: null },
    maxAge: maxAge.get(index) ?? null,
  };
  try {
    const { seq, manifest: reference } = await readCurrent(store, index);
    const manifest = await loadManifest(store, reference);
    const created = Date.parse(manifest.created);
    result = { ...result, version: versionName(seq, reference.sha256), asOf: created };
    const run = await lastRun(store, index);
    if (run !== null)
      result = { ...result, asOf: Math.max(run.endedAt, created), maxAge: result.maxAge ?? run.maxAge };
    return { ...result, problem: await problemOf(store, manifest.blobs) };
  } catch (error) {
    const { code, message } = asLightedgeError(error);
    return { ...result, problem: `${code}: ${message}` };
  }
}

/** The check of the region with the newest version, and when that was published there, by its store's clock; null where none is known. */
interface Newest {
  readonly check: CheckResult & { readonly version: string };
  readonly publishedAt: number;
}

async function newestOf({ regions }: WatchPorts, found: readonly CheckResult[]): Promise<Newest | null> {
  const known = found.filter((check): check is Newest["check"] => check.version !== null);
  // The first of equals, which is home where it has the newest.
  const check = known.toSorted((a, b) => seqOf(b.version) - seqOf(a.version))[0];
  if (check === undefined) return null;
  const { store } = regions.find(({ name }) => name === check.region)!;
  const pointer = await store.head(pointerKey(check.index)).catch(() => null);
  return { check, publishedAt: pointer?.modified ?? check.at };
}

/** A check beside that of the newest version. What is known of a version's age in one region is so in all that have it. */
function comparedTo({ check: newest, publishedAt }: Newest, check: CheckResult): CheckResult {
  const maxAge = check.maxAge ?? newest.maxAge;
  if (check.version === null) return { ...check, maxAge };
  const behind = seqOf(newest.version) - seqOf(check.version);
  if (behind > 0) return { ...check, maxAge, behind, behindSince: publishedAt };
  const asOf = Math.max(check.asOf ?? 0, newest.asOf ?? 0);
  return { ...check, maxAge, behind, asOf };
}

/** When the last run ended that left the index as its source, in ms since 1970, and what it promised, in seconds. */
async function lastRun(
  store: ReadStore,
  index: string,
): Promise<{ readonly endedAt: number; readonly maxAge: number | null } | null> {
  const found = await store.get(runMarkKey(index));
  if (found === null) return null;
  const { max_age: promised } = await parseRunMark(found.body, index);
  return { endedAt: found.modified, maxAge: promised === null ? null : promised / 1000 };
}

/** The first thing that is wrong with these blobs' lengths, or null; none more are asked for once one is wrong. */
async function problemOf(store: ReadStore, blobs: readonly BlobEntry[]): Promise<string | null> {
  let problem: string | null = null;
  await inTurns(blobs, AT_ONCE, async ({ key, bytes, role }) => {
    if (problem !== null) return;
    const info = await store.head(key);
    if (info === null) problem ??= `blob/missing: the ${role} ${key} is not in the store.`;
    else if (info.bytes !== bytes)
      problem ??= `blob/corrupt: the ${role} ${key} has ${info.bytes} bytes instead of ${bytes}.`;
  });
  return problem;
}

function alarmOf(check: CheckResult): Alarm | null {
  const { index, region, version, maxAge, behind, problem } = check;
  const facts = { index, region, version, age_s: ageAt(check), max_age_s: maxAge };
  if (problem !== null) {
    const message = `The newest version of ${index} in ${region} cannot be read in full. ${problem} What is loaded goes on answering. Publish the index again, or roll it back.`;
    return { ...facts, kind: "failing", message };
  }
  if (isFarBehind(check)) {
    const versions = behind === 1 ? "one version" : `${behind} versions`;
    const message = `The region ${region} is ${versions} of ${index} behind the newest, and has been for longer than ${maxAge} seconds. Run "lightedge replicate", and see what its last run said.`;
    return { ...facts, kind: "behind", message };
  }
  if (!isStale(check)) return null;
  const message = `The index ${index} was last as its source ${facts.age_s} seconds ago, and ${maxAge} were promised. See why "lightedge reindex" has not ended well since.`;
  return { ...facts, kind: "stale", message };
}
