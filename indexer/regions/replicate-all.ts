/** Region by region, index by index: what cannot be brought forward is named, and the others go on. */
import { asLightedgeError, type LightedgeError } from "../../shared/errors.ts";
import type { RegionName } from "../../shared/regions/region.ts";
import type { Progress } from "../progress.ts";
import { probeStore } from "../store/probe.ts";
import type { PublishPorts } from "../store/publish.ts";
import type { Verify } from "./copy-blobs.ts";
import { type Replicated, replicate } from "./replicate.ts";
import type { RegionStore } from "./stores.ts";

/** What became of one index in one region. */
export type RegionResult =
  | { readonly kind: "done"; readonly region: RegionName; readonly report: Replicated }
  | {
      readonly kind: "failed";
      readonly region: RegionName;
      readonly index: string;
      readonly error: LightedgeError;
    };

/** Codes that concern a whole store: its other indexes would fail of the same, each after all its tries. */
const OF_THE_STORE: readonly string[] = ["store/unavailable", "store/denied", "store/unsafe"];

/**
 * Brings indexes of regions to home's versions, one after the other. Never throws for what a store says: the result does. Cost: as
 * `replicate`; a region that cannot be reached costs the tries of one request.
 */
export async function replicateAll(
  home: RegionStore,
  regions: readonly RegionStore[],
  indexes: readonly string[],
  { verify }: { readonly verify: Verify },
  ports: PublishPorts,
  progress: Progress,
): Promise<readonly RegionResult[]> {
  const results: RegionResult[] = [];
  for (const { region, store } of regions) {
    const { name } = region;
    let probed: Promise<void> | undefined;
    let down: LightedgeError | undefined;
    for (const index of indexes) {
      if (down !== undefined) {
        results.push({ kind: "failed", region: name, index, error: down });
        continue;
      }
      let stage: ReturnType<Progress["stage"]> | undefined;
      try {
        const report = await replicate(
          {
            home: home.store,
            region: store,
            index,
            verify,
            prepare: () => (probed ??= probeStore(store, ports.randomBytes)),
            begin: (bytes) => {
              stage = progress.stage(`${index} to ${name}`, bytes);
              return (more) => stage?.advance(more);
            },
          },
          { ...ports, note: (message) => progress.warn(`${name}: ${message}`) },
        );
        stage?.done(report.moved ? report.version : `${report.version}, as before`);
        results.push({ kind: "done", region: name, report });
      } catch (thrown) {
        const error = asLightedgeError(thrown);
        if (error.code === "internal") throw thrown;
        progress.warn(`${index} in ${name} failed: ${error.message}`);
        results.push({ kind: "failed", region: name, index, error });
        if (OF_THE_STORE.includes(error.code)) down = error;
      }
    }
  }
  return results;
}

/** Results as fields of `--json`. */
export function regionFacts(result: RegionResult): Readonly<Record<string, unknown>> {
  const { region } = result;
  if (result.kind === "done") return { region, ...result.report };
  const { code, message, details } = result.error;
  return { region, index: result.index, error: { code, message, ...details } };
}

/** A result in one line. */
export function regionSentence(result: RegionResult): string {
  if (result.kind === "failed")
    return `${result.index} in ${result.region} failed: ${result.error.message} Then: lightedge replicate.`;
  const { index, version, moved, from, copied, repaired, bytes, verified } = result.report;
  const mended = repaired === 0 ? "" : `, ${repaired} repaired`;
  const work = `${copied} blobs copied${mended}, ${bytes} bytes written, ${verified} read back`;
  const was = from === null ? "" : ` after ${from}`;
  return moved
    ? `${index} in ${result.region} is ${version}${was}: ${work}.`
    : `${index} in ${result.region} is ${version}, as at home: ${work}.`;
}
