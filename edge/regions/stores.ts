/** The regions of a deployment with their stores, from its bindings and variables. */
import { parseRegions, type Region } from "../../shared/regions/region.ts";
import type { ReadStore } from "../../shared/store/store.ts";
import { ServiceInbox } from "../inbox-service.ts";
import { type InboxStore, R2Inbox } from "../inbox-store.ts";
import type { Env } from "../settings.ts";
import { R2Store } from "../store-r2.ts";
import { ServiceStore } from "../store-service.ts";
import type { RoutedRegion } from "./question.ts";

/** A region with its store, of which a Worker may read everything. */
export interface RegionStore extends RoutedRegion {
  /** Where it is; null for the one region of a deployment that names none. */
  readonly place: Region | null;
  readonly store: ReadStore;
  /** The inboxes of its store. Writes go to those of the home region alone. */
  readonly inbox: InboxStore;
  /** Its bucket, to collect garbage in; null where its store is behind a service. */
  readonly bucket: R2Bucket | null;
}

/** Regions with their stores, the first being home. */
export type RegionStores = readonly [RegionStore, ...RegionStore[]];

/**
 * The regions that `REGIONS` names, each with the store bound for it; without that variable the one region of
 * `REGION` with `STORE` or `BUCKET`. Throws an Error that names the binding that is missing, and `usage/invalid` for
 * what is no list of regions.
 */
export function regionStores(env: Env): RegionStores {
  const bindings: Readonly<Record<string, unknown>> = { ...env };
  if (env.REGIONS === undefined || env.REGIONS.trim() === "") {
    const [store, bucket] = [serviceOf(bindings.STORE), bucketOf(bindings.BUCKET)];
    return [
      { name: env.REGION || "local", home: true, place: null, ...bound("STORE", store, "BUCKET", bucket) },
    ];
  }
  const [home, ...others] = parseRegions(env.REGIONS).map((place, at) => {
    const { name, storeBinding, bucketBinding } = place;
    const [store, bucket] = [serviceOf(bindings[storeBinding]), bucketOf(bindings[bucketBinding])];
    return { name, home: at === 0, place, ...bound(storeBinding, store, bucketBinding, bucket) };
  });
  return [home!, ...others];
}

/** A service wins over a bucket: local serving binds it. */
function bound(serviceName: string, service: Fetcher | null, bucketName: string, bucket: R2Bucket | null) {
  if (service !== null)
    return { store: new ServiceStore(service), inbox: new ServiceInbox(service), bucket: null };
  if (bucket !== null) return { store: new R2Store(bucket), inbox: new R2Inbox(bucket), bucket };
  throw new Error(`Neither ${serviceName} nor ${bucketName} is bound; see wrangler.toml.`);
}

// A binding of another kind under the name is as good as none: the error says what is wanted.
function serviceOf(binding: unknown): Fetcher | null {
  return hasMethod(binding, "fetch") ? (binding as Fetcher) : null;
}

function bucketOf(binding: unknown): R2Bucket | null {
  return hasMethod(binding, "get") && hasMethod(binding, "put") ? (binding as R2Bucket) : null;
}

function hasMethod(binding: unknown, name: string): boolean {
  // Bindings answer to any name of a service as to a method, so a service is asked for first.
  return typeof binding === "object" && binding !== null && typeof Reflect.get(binding, name) === "function";
}
