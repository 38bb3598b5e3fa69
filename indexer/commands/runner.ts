/** Runs of indexes, as `lightedge index` does one and `lightedge reindex` several: the model is loaded once, when it is needed. */
import { asLightedgeError, LightedgeError } from "../../shared/errors.ts";
import { REGISTRY_KEY } from "../../shared/format/names.ts";
import { runMarkKey, serializeRunMark } from "../../shared/format/run-mark.ts";
import type { WriteStore } from "../../shared/store/store.ts";
import { type DryRun, dryRun } from "../dry-run.ts";
import { type CachedEncoder, cachedEncoder } from "../encode/cache.ts";
import type { Encoder } from "../encode/encoder.ts";
import { type Part, type PartEncoder, partEncoder } from "../encode/part.ts";
import { fetchFrom } from "../encode/shared-cache.ts";
import { surveyEncoder } from "../encode/survey.ts";
import { encodePart, type PartReport } from "../encode-part.ts";
import type { Progress } from "../progress.ts";
import {
  acquireLease,
  describeHolder,
  type Lease,
  type LeasePorts,
  type LeaseRecord,
} from "../store/lease.ts";
import {
  buildOptionsOf,
  factsOf,
  type IndexRun,
  type IndexSpec,
  openSources,
  type RunChoices,
  runIndex,
  sentencesOf,
} from "./run-index.ts";

/** What runs take from the world around them. */
export interface RunnerPorts {
  readonly store: WriteStore;
  /** Folder of cached encodings. */
  readonly cache: string;
  /** The encoder, with no cache before it. */
  openEncoder(): Promise<Encoder>;
  readonly now: () => Date;
  readonly lease?: LeasePorts;
}

/** What runs do. */
export interface RunnerOptions {
  /** Encode this part and publish nothing; build and publish when absent. */
  readonly part?: Part | undefined;
  /** Only say what would be done. */
  readonly dryRun?: boolean;
  /** Milliseconds that another run's lease is watched; null not to ask for one. */
  readonly lock: number | null;
}

/** What came of a run. */
export type RunOutcome =
  | { readonly kind: "built"; readonly run: IndexRun }
  | { readonly kind: "part"; readonly part: Part; readonly report: PartReport }
  | { readonly kind: "dry"; readonly report: DryRun }
  /** Another run is at work on this index. */
  | { readonly kind: "busy"; readonly holder: LeaseRecord | null };

/** Runs, one after the other. */
export interface Runner {
  /**
   * Finds out whether the store can be reached, once: wrong credentials and a bucket that is not there are said
   * before anything is loaded. A read and not a `head`, whose answer cannot say that there is no bucket.
   */
  reach(): Promise<void>;
  /**
   * Runs an index. Throws what `reach`, `openSources`, the lease, the encoder and the run throw, in this order: a
   * store that cannot be reached, or not be written to, is found before the model is loaded.
   */
  run(spec: IndexSpec, choices: RunChoices): Promise<RunOutcome>;
  close(): Promise<void>;
}

/** A runner. Close it. */
export function createRunner(options: RunnerOptions, ports: RunnerPorts, progress: Progress): Runner {
  const { store, cache, now } = ports;
  const warn = (message: string) => progress.warn(message);
  let cached: CachedEncoder | undefined;
  let parted: PartEncoder | undefined;
  let reached: Promise<unknown> | undefined;

  async function built(spec: IndexSpec, choices: RunChoices): Promise<RunOutcome> {
    const source = await openSources(spec, progress);
    const lease = await lock(spec.index);
    if (lease.kind === "busy") return lease;
    try {
      cached ??= await withCache(await ports.openEncoder());
      const around = { ...choices, source, store, cache, encoder: cached, now };
      const run = await runIndex(spec, around, progress);
      await leaveMark(spec, choices, run.report.version);
      return { kind: "built", run };
    } finally {
      await lease.lease?.release();
    }
  }

  /** Takes no lease: parts run side by side, and publish nothing. */
  async function partOf(spec: IndexSpec, choices: RunChoices, part: Part): Promise<RunOutcome> {
    const source = await openSources(spec, progress);
    parted ??= await partEncoder(await ports.openEncoder(), part, { store, folder: cache, warn });
    const around = { ...choices, source, store, cache, encoder: parted, now };
    const report = await encodePart({ ...buildOptionsOf(spec), ...around }, progress);
    return { kind: "part", part, report };
  }

  /** Takes no lease: it writes nothing. */
  async function dry(spec: IndexSpec, choices: RunChoices): Promise<RunOutcome> {
    const source = await openSources(spec, progress);
    cached ??= await withCache(await ports.openEncoder());
    const fetch = fetchFrom(store, cached.model.encoderHash, warn);
    const survey = surveyEncoder(cached, cache, fetch);
    try {
      const around = { ...choices, source, store, cache, encoder: survey, now };
      const report = await dryRun({ ...buildOptionsOf(spec), ...around }, { sampler: cached }, progress);
      return { kind: "dry", report };
    } finally {
      await survey.close();
    }
  }

  /** A run that could not leave its mark has published all the same. */
  async function leaveMark({ index, maxAge }: IndexSpec, { origin }: RunChoices, version: string) {
    const mark = { format: 1, version, origin: origin ?? null, max_age: maxAge ?? null } as const;
    await store.put(runMarkKey(index), await serializeRunMark(mark)).catch((error: unknown) => {
      warn(`${runMarkKey(index)} could not be written: ${asLightedgeError(error).message}`);
    });
  }

  async function lock(
    index: string,
  ): Promise<{ kind: "free"; lease: Lease | null } | (RunOutcome & { kind: "busy" })> {
    if (options.lock === null) return { kind: "free", lease: null };
    const found = await acquireLease(store, index, { wait: options.lock, warn }, ports.lease);
    return found.kind === "held" ? { kind: "free", lease: found.lease } : found;
  }

  async function withCache(encoder: Encoder): Promise<CachedEncoder> {
    return cachedEncoder(encoder, cache, fetchFrom(store, encoder.model.encoderHash, warn));
  }

  async function reach(): Promise<void> {
    reached ??= store.get(REGISTRY_KEY);
    await reached;
  }

  return {
    reach,
    async run(spec, choices) {
      await reach();
      if (options.dryRun) return dry(spec, choices);
      return options.part === undefined ? built(spec, choices) : partOf(spec, choices, options.part);
    },
    async close() {
      await cached?.close();
      await parted?.close();
    },
  };
}

/** The error of a run that will not wait for another. */
export function busyError(index: string, holder: LeaseRecord | null): LightedgeError {
  return new LightedgeError(
    "store/conflict",
    `${describeHolder(index, holder)} Wait for it to end. With --no-lock this run goes on beside it, and the first to publish wins.`,
    { field: "index", value: index },
  );
}

/** An outcome as the fields of `--json`. */
export function outcomeFacts(index: string, outcome: RunOutcome): Readonly<Record<string, unknown>> {
  switch (outcome.kind) {
    case "built":
      return factsOf(index, outcome.run);
    case "part":
      return { index, part: `${outcome.part.number}/${outcome.part.of}`, ...outcome.report };
    case "dry":
      return { index, dry_run: true, ...outcome.report };
    case "busy":
      return { index, skipped: "locked", holder: outcome.holder };
  }
}

/** An outcome in a few lines of text. */
export function outcomeSentences(index: string, outcome: RunOutcome): string {
  switch (outcome.kind) {
    case "built":
      return sentencesOf(index, outcome.run);
    case "part": {
      const { own, encoded, copied, packs, bytes, rows } = outcome.report;
      const { number, of } = outcome.part;
      return [
        `Part ${number} of ${of} of ${index} is in the store; nothing was published.`,
        `${own} texts: ${encoded} encoded, ${copied} from the local cache, ${own - encoded - copied} in the store already; ${bytes} bytes written, in packs: ${packs}.`,
        ...(rows === undefined ? [] : [`${rows} rows of query tables were made.`]),
      ].join("\n");
    }
    case "dry": {
      const { plan, documents, chunks, encode, cached, bytes, seconds } = outcome.report;
      return [
        `${index}: ${plan.added} documents to add, ${plan.changed} to change, ${plan.removed} to remove, ${plan.unchanged} as they are; to be made anew: ${plan.kind} (${plan.reason}).`,
        plan.kind === "none"
          ? "A run would write nothing."
          : `A run would make ${documents} documents of ${chunks} chunks, encode ${encode} texts (${cached} more are in the cache), write about ${bytes} bytes and take about ${seconds} s here. Nothing was written.`,
      ].join("\n");
    }
    case "busy":
      return `${describeHolder(index, outcome.holder)} ${index} was left to it.`;
  }
}
