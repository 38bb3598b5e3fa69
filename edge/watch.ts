/**
 * The Cron Trigger's check: is the newest version of each index there in full, and young enough? What is
 * found goes to the log, to `/health` of this isolate, and as an alarm to the webhook.
 */
import { readCurrent } from "../shared/engine/open.ts";
import { asLightedgeError } from "../shared/errors.ts";
import { loadManifest } from "../shared/format/load.ts";
import type { BlobEntry } from "../shared/format/manifest.ts";
import { versionName } from "../shared/format/names.ts";
import { parseRunMark, runMarkKey } from "../shared/format/run-mark.ts";
import { inTurns } from "../shared/in-turns.ts";
import type { ReadStore } from "../shared/store/store.ts";
import { ageAt, type CheckResult, isStale } from "./health.ts";
import type { Alarm, Webhook } from "./webhook.ts";

/** What watching needs. */
export interface WatchPorts {
  readonly store: ReadStore;
  /** Null where alarms go to the log alone. */
  readonly webhook: Webhook | null;
  /** The age that an index is promised to stay below, in seconds; what its last run says goes for the others. */
  readonly maxAge: ReadonlyMap<string, number>;
  /** Where results are kept, by index. */
  readonly checks: Map<string, CheckResult>;
  /** Milliseconds since 1970. */
  now(): number;
  /** Takes one line of JSON for each index. */
  log(line: string): void;
}

/** Blobs asked for at once. */
const AT_ONCE = 6;

/** Checks these indexes, one after the other. Never rejects. Cost: for each three reads, and a head for each blob. */
export async function watch(ports: WatchPorts, indexes: readonly string[]): Promise<void> {
  for (const index of indexes) {
    const result = await checkIndex(ports, index);
    ports.checks.set(index, result);
    const alarm = alarmOf(result);
    const level = alarm === null ? "info" : "alarm";
    const { version, maxAge, problem } = result;
    const age = { age_s: ageAt(result), max_age_s: maxAge };
    ports.log(JSON.stringify({ level, check: index, version, ...age, problem, message: alarm?.message }));
    if (alarm === null) continue;
    const failure = await ports.webhook?.send(alarm);
    if (failure) ports.log(JSON.stringify({ level: "error", check: index, message: failure }));
  }
}

async function checkIndex({ store, maxAge, now }: WatchPorts, index: string): Promise<CheckResult> {
  let result: CheckResult = {
    ...{ index, at: now(), version: null, asOf: null, problem: null },
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
  const { index, version, maxAge, problem } = check;
  const facts = { index, version, age_s: ageAt(check), max_age_s: maxAge };
  if (problem !== null) {
    const message = `The newest version of ${index} cannot be read in full. ${problem} What is loaded goes on answering. Publish the index again, or roll it back.`;
    return { ...facts, kind: "failing", message };
  }
  if (!isStale(check)) return null;
  const message = `The index ${index} was last as its source ${facts.age_s} seconds ago, and ${maxAge} were promised. See why "lightedge reindex" has not ended well since.`;
  return { ...facts, kind: "stale", message };
}
