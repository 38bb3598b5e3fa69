/** Having indexes ready before somebody asks: the answer of `POST /v1/warm`, and a part of the Cron Trigger's work. */
import { asLightedgeError, LightedgeError, printable } from "../../shared/errors.ts";
import { blobsOf } from "../../shared/format/manifest.ts";
import type { NotWarmedIndex, WarmAnswer, WarmedIndex, WarmRequest } from "../../shared/regions/warm.ts";
import { checkIndexName } from "../../shared/store/keys.ts";
import type { Background, IndexCache } from "../index-cache.ts";
import { keyOf } from "./key.ts";
import type { Plans } from "./plans.ts";
import type { RegionStore } from "./stores.ts";

/** What warming needs. */
export interface WarmPorts {
  readonly indexes: Pick<IndexCache, "getWhere">;
  readonly plans: Plans;
  /** What a caller may read of an error. */
  tell(error: unknown): { readonly code: string; readonly message: string };
  /** Milliseconds from any fixed point. */
  now(): number;
}

/** What is to be warm where. */
export interface WarmPlan {
  readonly indexes: readonly string[];
  /** The nearest first: what one isolate keeps in memory is loaded from there. None where no isolate needs to have it. */
  readonly regions: readonly Pick<RegionStore, "name" | "store">[];
  readonly nearest: string | null;
}

/** Names in either list of a request. */
export const MOST_NAMES = 16;

/** A request's body, checked. Throws `request/invalid` naming the field; a region that the deployment has not is told with those that it has. */
export function warmRequestFromJson(body: unknown, regions: readonly string[]): WarmRequest {
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw refused("body", "The body must be a JSON object; {} stands for everything.");
  for (const name of Object.keys(body))
    if (name !== "indexes" && name !== "regions")
      throw refused("body", `There is no field ${printable(name)} here; indexes and regions are.`);
  const { indexes, regions: wanted } = body as Readonly<Record<string, unknown>>;
  const named = {
    ...(indexes === undefined ? {} : { indexes: namesOf(indexes, "indexes") }),
    ...(wanted === undefined ? {} : { regions: namesOf(wanted, "regions") }),
  };
  for (const name of named.indexes ?? []) checkIndexName(name);
  for (const name of named.regions ?? [])
    if (!regions.includes(name))
      throw refused(
        "regions",
        `There is no region ${printable(name)} here; there are ${regions.join(", ")}.`,
      );
  return named;
}

/**
 * Loads what is needed to answer: the pointer and the manifest everywhere; from the nearest region what an isolate
 * keeps in memory; and where shards live in objects, those of every region. One after the other, so that little is
 * under way at once. Never rejects.
 */
export async function warm(ports: WarmPorts, plan: WarmPlan, background: Background): Promise<WarmAnswer> {
  const warmed: WarmedIndex[] = [];
  const failed: NotWarmedIndex[] = [];
  // The nearest last, so that what it brings into memory stays.
  for (const region of plan.regions.toReversed()) {
    for (const index of plan.indexes) {
      const startedAt = ports.now();
      try {
        const found = await warmOne(ports, region, index, region.name === plan.nearest, background);
        const ms = Math.round(ports.now() - startedAt);
        warmed.push({ index, region: region.name, ...found, ms });
      } catch (error) {
        const { code, message } = ports.tell(asLightedgeError(error));
        failed.push({ index, region: region.name, code, message });
      }
    }
  }
  return { warmed: warmed.toReversed(), failed: failed.toReversed() };
}

async function warmOne(
  { indexes, plans }: WarmPorts,
  region: WarmPlan["regions"][number],
  name: string,
  nearest: boolean,
  background: Background,
): Promise<Pick<WarmedIndex, "version" | "shards">> {
  const { found } = await plans.look(region, name);
  if ("code" in found) throw found;
  const inObjects = found.placement === "objects";
  if (!inObjects && !nearest) return { version: found.version, shards: 0 };
  const suits = ({ index }: { readonly index: { readonly version: string } }) =>
    index.version === found.version;
  const { index } = await indexes.getWhere(keyOf(region.name, name), background, suits);
  await index.warm();
  return { version: index.version, shards: inObjects ? blobsOf(index.manifest, "shard").length : 0 };
}

function namesOf(value: unknown, field: string): readonly string[] {
  const isList = Array.isArray(value) && value.length > 0 && value.length <= MOST_NAMES;
  if (isList && value.every((name) => typeof name === "string")) return [...new Set<string>(value)];
  const message = `${field} must be a list of 1 to ${MOST_NAMES} names, or absent for all.`;
  throw new LightedgeError("request/invalid", message, { field, limit: MOST_NAMES });
}

function refused(field: string, message: string): LightedgeError {
  return new LightedgeError("request/invalid", message, { field });
}
