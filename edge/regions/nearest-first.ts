/** The order in which a deployment's regions are asked. */
import { nearestRegions, type RequestPlace } from "../../shared/regions/nearest.ts";
import type { Region } from "../../shared/regions/region.ts";

/** Regions from the nearest on, home first among the equally near and where it is not known where a request comes from. Pure. */
export function nearestFirst<R extends { readonly place: Region | null }>(
  regions: readonly R[],
  from: RequestPlace | undefined,
): readonly R[] {
  const [home, ...others] = regions.flatMap(({ place }) => (place === null ? [] : [place]));
  if (home === undefined || others.length === 0) return regions;
  const order = nearestRegions([home, ...others], from);
  return regions.toSorted((a, b) => order.indexOf(a.place ?? home) - order.indexOf(b.place ?? home));
}
