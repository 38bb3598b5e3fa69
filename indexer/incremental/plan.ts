/** What a run has to do: a comparison of what the source says now with what the base was made from. Pure. */
import { type Base, type BaseShard, liveOf } from "./base.ts";

/** How much is made anew: nothing, some documents, all of them, or the query table and the documents. */
export type RunKind = "none" | "some" | "documents" | "all";

/** A run, planned. */
export interface RunPlan {
  readonly kind: RunKind;
  /** Why not less, in a sentence for people. */
  readonly reason: string;
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  readonly unchanged: number;
  /** Numbers of the collection's documents to make, ascending. */
  readonly fresh: readonly number[];
  /** For each shard of the base: what becomes of it. */
  readonly shards: readonly ShardPlan[];
  /** Documents added, changed and removed since the table was fitted, this run's included, over those it was fitted to. */
  readonly drift: number;
}

/** What becomes of a shard of the base. */
export interface ShardPlan {
  /** Kept as it is but for the dead; its live documents put into a new shard; or left out. */
  readonly fate: "keep" | "merge" | "drop";
  /** Dead documents after this run, ascending. */
  readonly dead: readonly number[];
}

/** What planning goes by beside the two sides. */
export interface PlanOptions {
  /** Digest of the settings that documents are made with: `recipeOf`. */
  readonly recipe: string;
  /** Make more anew than is needed: documents, or all. */
  readonly rebuild?: "documents" | "all" | undefined;
  /** Drift from which the table is fitted again. */
  readonly refitDrift: number;
}

/** What of a collection a plan looks at. */
export interface PlanDocuments {
  readonly ids: readonly string[];
  readonly digests: readonly string[];
}

/**
 * Share of documents added, changed or removed since the table was fitted from which it is fitted
 * again; decision 0014 has what a table loses by then.
 */
export const REFIT_DRIFT = 0.25;
/** Share of dead documents from which a shard is written again: scanning them costs as much as the living. */
const DEAD_SHARE = 0.3;

/** Plans a run. Without a base everything is made. */
export function planRun(base: Base | null, documents: PlanDocuments, options: PlanOptions): RunPlan {
  const everything = Array.from(documents.ids.keys());
  if (base === null)
    return {
      ...changesOf(null, documents),
      kind: "all",
      reason: "there is no version yet",
      fresh: everything,
      shards: [],
      drift: 0,
    };
  const changes = changesOf(base, documents);
  const { fitted = 0, changed = 0 } = base.manifest.build ?? {};
  const drift = (changed + changes.added + changes.changed + changes.removed) / Math.max(1, fitted);
  const dropped = base.shards.map(({ ids }): ShardPlan => ({ fate: "drop", dead: Array.from(ids.keys()) }));
  const reason = reasonForAll(base, drift, options);
  if (reason !== null) return { ...changes, kind: "all", reason, fresh: everything, shards: dropped, drift };
  if (options.rebuild === "documents")
    return { ...changes, kind: "documents", reason: "asked for", fresh: everything, shards: dropped, drift };
  if (changes.fresh.length === 0 && changes.removed === 0) {
    const shards = base.shards.map(({ dead }): ShardPlan => ({ fate: "keep", dead: ascending(dead) }));
    return { ...changes, kind: "none", reason: "nothing changed", shards, drift };
  }
  const shards = planShards(base.shards, changes.dead, changes.fresh.length);
  return { ...changes, kind: "some", reason: "some documents changed", shards, drift };
}

function reasonForAll({ manifest, shards }: Base, drift: number, options: PlanOptions): string | null {
  if (options.rebuild === "all") return "asked for";
  if (manifest.build === undefined || shards.some(({ digests }) => digests === null))
    return "the version before cannot be added to";
  if (manifest.build.recipe !== options.recipe) return "the model or a setting is another";
  if (drift > options.refitDrift)
    return `${Math.round(drift * 100)} % of the documents changed since the table was fitted`;
  return null;
}

interface Changes extends Pick<RunPlan, "added" | "changed" | "removed" | "unchanged" | "fresh"> {
  /** By shard of the base: documents that are dead after the run. */
  readonly dead: readonly ReadonlySet<number>[];
}

function changesOf(base: Base | null, { ids, digests }: PlanDocuments): Changes {
  const left = new Map(base === null ? [] : liveOf(base));
  const dead = (base?.shards ?? []).map((shard) => new Set(shard.dead));
  const fresh: number[] = [];
  const counts = { added: 0, changed: 0, unchanged: 0 };
  ids.forEach((id, number) => {
    const place = left.get(id);
    left.delete(id);
    if (place === undefined) counts.added++;
    else if (base!.shards[place.shard]!.digests?.[place.row] === digests[number]) {
      counts.unchanged++;
      return;
    } else {
      counts.changed++;
      dead[place.shard]!.add(place.row);
    }
    fresh.push(number);
  });
  for (const { shard, row } of left.values()) dead[shard]!.add(row);
  return { ...counts, removed: left.size, fresh, dead };
}

/**
 * Which shards are written again. Those with many dead; and, so that shards stay few, every shard that is
 * no larger than what is written anyway, the smallest first: sizes double as in a binary
 * counter, so n runs leave log2 n shards and write each document log2 n times.
 */
function planShards(
  shards: readonly BaseShard[],
  dead: readonly ReadonlySet<number>[],
  fresh: number,
): readonly ShardPlan[] {
  const live = shards.map(({ ids }, at) => ids.length - dead[at]!.size);
  const fates = shards.map(({ ids }, at): ShardPlan["fate"] => {
    if (live[at] === 0) return "drop";
    return dead[at]!.size > ids.length * DEAD_SHARE ? "merge" : "keep";
  });
  let written = fates.reduce((sum, fate, at) => sum + (fate === "merge" ? live[at]! : 0), fresh);
  const bySize = Array.from(shards.keys()).sort((a, b) => live[a]! - live[b]! || a - b);
  for (const at of bySize) {
    if (fates[at] !== "keep" || live[at]! > written) continue;
    fates[at] = "merge";
    written += live[at]!;
  }
  return fates.map((fate, at) => ({ fate, dead: ascending(dead[at]!) }));
}

function ascending(numbers: ReadonlySet<number>): readonly number[] {
  return [...numbers].sort((a, b) => a - b);
}
