/**
 * The pipeline: source -> collection -> plan -> parts -> version.
 * Each stage takes and gives a value; the one pointer moves last, so a run that dies
 * anywhere leaves the version before it serving.
 */
import { randomBytes } from "node:crypto";
import { asLightedgeError, LightedgeError, printable } from "../shared/errors.ts";
import { writeOverlay } from "../shared/format/overlay.ts";
import type { StoredPointer } from "../shared/format/pointer.ts";
import type { Sha256 } from "../shared/hash.ts";
import type { WriteStore } from "../shared/store/store.ts";
import type { Encoder } from "./encode/encoder.ts";
import { type Base, readBase } from "./incremental/base.ts";
import { checkOrigin, checkShrink, sizeWarning } from "./incremental/guards.ts";
import { type Laid, layWrites } from "./incremental/lay-writes.ts";
import { makeSome } from "./incremental/make-some.ts";
import { planRun, REFIT_DRIFT, type RunPlan } from "./incremental/plan.ts";
import { recipeOf } from "./incremental/recipe.ts";
import { type MadeParts, type MakeOptions, makeAll } from "./make-all.ts";
import type { Progress } from "./progress.ts";
import type { Source } from "./sources/source.ts";
import { type Collection, collect } from "./stages/collect.ts";
import { prepareTools } from "./stages/tools.ts";
import { probeStore } from "./store/probe.ts";
import { PUBLISH_PORTS, type PublishPorts, readPointer } from "./store/publish.ts";
import { type Published, Publisher, publishVersion, type VersionContent } from "./store/publish-version.ts";

/** What an index is built from and how. */
export interface BuildOptions extends Omit<MakeOptions, "tasks"> {
  readonly index: string;
  readonly source: Source;
  readonly encoder: Encoder;
  readonly store: WriteStore;
  /** Tasks to make tables for, the default first; the model's first task when empty. */
  readonly tasks: readonly string[];
  /** Make more anew than has changed: all documents with the tables kept, or everything. */
  readonly rebuild?: "documents" | "all" | undefined;
  /** Drift from which the tables are fitted again, `REFIT_DRIFT` when absent; infinity keeps them. */
  readonly refitDrift?: number | undefined;
  /** Whether the run may remove more than `SHRINK_SHARE` of the documents. */
  readonly allowShrink?: boolean;
  /** Name of the configuration that runs this, and whether it may take an index from another. */
  readonly origin?: string | undefined;
  readonly takeOver?: boolean;
  readonly now: () => Date;
  /** Randomness and pauses of the commit, the real ones when absent. */
  readonly ports?: PublishPorts;
  /** Random bytes for the name of the object that the store is tried with; the system's when absent. */
  readonly random?: (bytes: number) => Uint8Array;
}

/** The table bits and overlap of an index that says nothing else. */
export const BUILD_DEFAULTS = { bits: 3, overlapTokens: 0 } as const;

/** What a run did. */
export interface BuildReport extends Published {
  readonly bytesWritten: number;
  readonly tableBytes: number;
  /** Figures of the first table's fit; empty where it was kept. */
  readonly fit: Readonly<Record<string, number>>;
  readonly plan: PlanFacts;
}

/** A plan as it is reported. */
export type PlanFacts = Pick<
  RunPlan,
  "kind" | "reason" | "added" | "changed" | "removed" | "unchanged" | "drift"
>;

/** A run that is ready to begin. */
export interface PreparedRun {
  /** What the pointer said when the run began. */
  readonly stored: StoredPointer | null;
  /** The version it names; null also where it is damaged and everything is made anew. */
  readonly base: Base | null;
  readonly collection: Collection;
  readonly overlay: Laid["overlay"];
  readonly tasks: readonly [string, ...string[]];
  readonly recipe: Sha256;
  readonly plan: RunPlan;
}

/**
 * Brings an index up to date with its source and makes that current. Throws `source/shrank`,
 * `index/taken` or `store/unsafe` before anything is written and `store/conflict` when another run won meanwhile.
 */
export function buildIndex(options: BuildOptions, progress: Progress): Promise<BuildReport> {
  return withRun(options, progress, async (run) => {
    // Whoever asks for more than has changed may do so for damage, which unchanged bytes would not repair.
    const publisher = new Publisher(options.store, options.rebuild !== undefined);
    const { plan, stored } = run;
    // Proven before the work and not after it, which may be hours long. A run with nothing to do writes nothing.
    if (plan.kind !== "none") await probeStore(options.store, options.random ?? randomBytes);
    const parts = await makeParts(run, options, publisher, progress);
    const stage = progress.stage("publish", 1);
    const content = await contentOf(run, parts, options, publisher);
    const ports = { ...(options.ports ?? PUBLISH_PORTS), note: (message: string) => progress.warn(message) };
    const published = await publishVersion(options.store, content, stored, options.now(), ports);
    stage.done(`version ${published.version}, ${publisher.bytesWritten} bytes written`);
    const warning = sizeWarning(published.manifest);
    if (warning !== null) progress.warn(warning);
    const { tableBytes, fit } = parts;
    return { ...published, bytesWritten: publisher.bytesWritten, tableBytes, fit, plan: factsOf(plan) };
  });
}

/** Reads everything and plans a run, then lets `work` have it. What was set aside on disk is removed afterwards. */
export async function withRun<T>(
  options: BuildOptions,
  progress: Progress,
  work: (run: PreparedRun) => Promise<T>,
): Promise<T> {
  const { store, index, encoder, source } = options;
  const tasks = taskNames(options);
  const stored = await readPointer(store, index);
  const base = stored === null ? null : await readableBase(options, stored, progress);
  checkOrigin(base, options.origin, options.takeOver ?? false);
  const collected = await collect(source, progress);
  try {
    const { collection, overlay } = await layWrites(store, index, base, collected, progress);
    if (collection.ids.length === 0) {
      throw new LightedgeError("source/invalid", `${source.description} holds no document to index.`);
    }
    const recipe = await recipeOf(encoder.model, { ...options, tasks });
    const plan = planRun(base, collection, {
      recipe,
      rebuild: options.rebuild,
      refitDrift: options.refitDrift ?? REFIT_DRIFT,
    });
    checkShrink(base, plan, options.allowShrink ?? false, source.description);
    return await work({ stored, base, collection, overlay, tasks, recipe, plan });
  } finally {
    await collected.close();
  }
}

/** The version before; null where it cannot be read and everything is made anew by request. Throws what reading it throws, with the way out. */
async function readableBase(
  { store, index, rebuild }: BuildOptions,
  stored: StoredPointer,
  progress: Progress,
): Promise<Base | null> {
  try {
    return await readBase(store, stored);
  } catch (error) {
    const { code, message, details } = asLightedgeError(error);
    if (code !== "blob/missing" && code !== "blob/corrupt") throw error;
    const lost = "Documents that were written at the edge and are no longer in its inbox are then lost";
    if (rebuild === "all") {
      progress.warn(
        `The version before cannot be read: ${message} ${index} is made from its source. ${lost}.`,
      );
      return null;
    }
    throw new LightedgeError(
      code,
      `The current version of ${index} cannot be read: ${message} To make it from its source, run again with --rebuild all. ${lost}.`,
      details,
      error,
    );
  }
}

/** A plan without its lists. */
export function factsOf({ kind, reason, added, changed, removed, unchanged, drift }: RunPlan): PlanFacts {
  return { kind, reason, added, changed, removed, unchanged, drift };
}

async function makeParts(
  { base, collection, tasks, plan }: PreparedRun,
  options: BuildOptions,
  publisher: Publisher,
  progress: Progress,
): Promise<MadeParts> {
  const tools = await prepareTools(options.encoder, tasks[0]);
  const making = { ...options, tasks };
  return base === null || plan.kind === "all"
    ? makeAll(collection, tools, making, publisher, progress)
    : makeSome(options.store, base, plan, collection, tools, making, publisher, progress);
}

async function contentOf(
  { collection, overlay, recipe, base }: PreparedRun,
  parts: MadeParts,
  options: BuildOptions,
  publisher: Publisher,
): Promise<VersionContent> {
  const { description, dimension, encoderHash: encoder } = options.encoder.model;
  const { name, vocabulary, max_tokens, max_query_tokens } = description;
  const blobs = [...parts.blobs];
  if (overlay.entries.length > 0 || overlay.folded.length > 0)
    blobs.push({ role: "overlay", ...(await publisher.put(await writeOverlay(overlay))) });
  const origin = options.origin ?? (options.takeOver ? undefined : base?.manifest.build?.origin);
  return {
    index: options.index,
    model: {
      ...{ name, encoder, dimension, vocabulary, max_tokens },
      ...(max_query_tokens === undefined ? {} : { max_query_tokens }),
    },
    tasks: parts.tasks,
    fusion: { rule: "minmax", weight: parts.weight },
    counts: {
      documents: collection.ids.length,
      chunks: parts.chunks,
      rejected: collection.rejected,
    },
    fields: collection.fields,
    build: { recipe, ...parts.build, ...(origin === undefined ? {} : { origin }) },
    blobs,
  };
}

/** The tasks to make tables for: at least one. */
function taskNames({ tasks, encoder }: BuildOptions): readonly [string, ...string[]] {
  const described = encoder.model.description.tasks;
  const known = Object.keys(described);
  const refuse = (task: string, what: string) =>
    new LightedgeError("usage/invalid", what, { field: "task", value: printable(task) });
  const [first = known[0]!, ...rest] = tasks;
  const all = [first, ...rest];
  for (const [at, task] of all.entries()) {
    if (!known.includes(task))
      throw refuse(task, `The model has no task ${printable(task)}; it has ${known.join(", ")}.`);
    if (all.indexOf(task) < at) throw refuse(task, `The task ${task} is named twice.`);
    // Documents are encoded once, as the default task has it: another prompt would be of vectors that are not there.
    if (described[task]!.document_prompt !== described[first]!.document_prompt)
      throw refuse(
        task,
        `The task ${task} has another document_prompt in model.json than ${first}, with which this index's documents are encoded. Give it an index of its own.`,
      );
  }
  return [first, ...rest];
}
