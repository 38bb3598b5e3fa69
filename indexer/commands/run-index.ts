/** One index from its sources, as `lightedge index` and `lightedge reindex` run it. */
import { LightedgeError } from "../../shared/errors.ts";
import { type BuildOptions, type BuildReport, buildIndex } from "../build.ts";
import type { CachedEncoder } from "../encode/cache.ts";
import type { Progress } from "../progress.ts";
import { checked, openSource, type SourceFormat } from "../sources/open.ts";
import type { FieldOptions, Source } from "../sources/source.ts";

/** What goes into an index and how: the options of `lightedge index`, or one entry of a config file. */
export interface IndexSpec
  extends Pick<
    BuildOptions,
    "index" | "tasks" | "bits" | "tableBytes" | "overlapTokens" | "shardChunks" | "weight"
  > {
  /** Files and folders. */
  readonly sources: readonly string[];
  /** Found out from the sources when absent. */
  readonly format?: SourceFormat | undefined;
  readonly fields: FieldOptions;
  readonly onError: "fail" | "skip";
  /** Milliseconds without a successful run after which somebody should be told; no promise when absent. */
  readonly maxAge?: number;
}

/** How a run treats the version before it. */
export type RunChoices = Pick<BuildOptions, "rebuild" | "refitDrift" | "allowShrink" | "origin" | "takeOver">;

/** What came of an index: its report, and how its texts were encoded. */
export interface IndexRun {
  readonly report: BuildReport;
  readonly provider: string;
  readonly encoded: number;
  readonly cached: number;
}

/** Opens the sources. Throws `usage/invalid` before anything heavy is loaded for a path that is not there. */
export async function openSources(spec: IndexSpec, progress: Progress): Promise<Source> {
  const { idField, titleField, textField } = spec.fields;
  if ([idField, titleField, textField].includes(""))
    throw new LightedgeError("usage/invalid", "A field name must not be empty.", { field: "fields" });
  return checked(await openSource(spec.sources, spec.format, spec.fields), {
    onRejected: spec.onError,
    report: (record) => progress.warn(record.reason.message),
  });
}

/** What of a spec a build takes; the rest is for opening its sources. */
export function buildOptionsOf({
  index,
  tasks,
  bits,
  tableBytes,
  overlapTokens,
  shardChunks,
  weight,
}: IndexSpec) {
  const bytes = tableBytes === undefined ? {} : { tableBytes };
  const chunks = shardChunks === undefined ? {} : { shardChunks };
  return { index, tasks, bits, ...bytes, overlapTokens, weight, ...chunks };
}

/** Builds the index and makes it current. Throws what `buildIndex` does. */
export async function runIndex(
  spec: IndexSpec,
  around: RunChoices &
    Pick<BuildOptions, "source" | "store" | "now" | "cache"> & { readonly encoder: CachedEncoder },
  progress: Progress,
): Promise<IndexRun> {
  const { counts, provider } = around.encoder;
  const before = { ...counts };
  const report = await buildIndex({ ...buildOptionsOf(spec), ...around }, progress);
  return {
    report,
    provider,
    encoded: counts.misses - before.misses,
    cached: counts.hits - before.hits,
  };
}

/** A run as the fields of `--json`. */
export function factsOf(index: string, { report, ...run }: IndexRun): Readonly<Record<string, unknown>> {
  const { manifest, ...rest } = report;
  return { index, ...rest, ...manifest.counts, ...run };
}

/** A run in three lines of text. */
export function sentencesOf(index: string, { report, encoded, cached }: IndexRun): string {
  const { version, changed, manifest, bytesWritten, plan } = report;
  const { documents, chunks, rejected } = manifest.counts;
  const bad = rejected > 0 ? `, ${rejected} rejected` : "";
  return [
    changed ? `Published ${index} ${version}.` : `${index} ${version} is up to date; nothing was published.`,
    `${plan.added} added, ${plan.changed} changed, ${plan.removed} removed, ${plan.unchanged} as they were; made anew: ${plan.kind} (${plan.reason}).`,
    `${documents} documents in ${chunks} chunks${bad}; ${encoded} texts encoded, ${cached} from the cache; ${bytesWritten} bytes written.`,
  ].join("\n");
}
