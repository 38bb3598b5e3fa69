/** Which region is nearest to where a request comes from. */
import { COLOS, CONTINENTS, COUNTRIES } from "./places.ts";
import type { Place, Regions } from "./region.ts";

/** What the platform says of where a request comes from (`request.cf`); anything may be absent or not what it should be. */
export interface RequestPlace {
  /** Degrees as text, or as a number. */
  readonly latitude?: unknown;
  readonly longitude?: unknown;
  /** Code of the data centre that took the request: `AMS`. */
  readonly colo?: unknown;
  /** ISO 3166-1 alpha-2: `NL`. */
  readonly country?: unknown;
  /** `AF AN AS EU NA OC SA`. */
  readonly continent?: unknown;
}

/** Radius of a sphere with the earth's volume, in km. */
const EARTH_KM = 6371;
const RADIANS = Math.PI / 180;
const DEGREES = /^[+-]?\d{1,3}(?:\.\d{1,12})?$/;

/**
 * All regions, the nearest first, by great-circle distance from where the request comes from: its latitude and
 * longitude, else the place of its data centre, else the middle of its country, else that of its continent. Where none
 * is known the order is as declared, home first, and so it is among regions equally far away. Pure.
 */
export function nearestRegions(regions: Regions, request: RequestPlace | undefined): Regions {
  const place = request === undefined ? null : placeOf(request);
  if (place === null) return regions;
  const far = new Map(regions.map((region) => [region, distanceKm(place, region)]));
  // The sort is stable, which keeps the declared order among equals.
  const [home, ...others] = regions.toSorted((a, b) => far.get(a)! - far.get(b)!);
  return [home!, ...others];
}

/** Where a request comes from, as well as it is known; null where it is not. */
export function placeOf(request: RequestPlace): Place | null {
  const latitude = degreesOf(request.latitude, 90);
  const longitude = degreesOf(request.longitude, 180);
  if (latitude !== null && longitude !== null) return { latitude, longitude };
  return (
    known(COLOS, request.colo) ?? known(COUNTRIES, request.country) ?? known(CONTINENTS, request.continent)
  );
}

/** Length of the shortest way over the globe, in km (haversine formula), 0 to some 20,015. */
export function distanceKm(a: Place, b: Place): number {
  const half = (from: number, to: number) => Math.sin(((to - from) * RADIANS) / 2) ** 2;
  const chord =
    half(a.latitude, b.latitude) +
    Math.cos(a.latitude * RADIANS) * Math.cos(b.latitude * RADIANS) * half(a.longitude, b.longitude);
  // Rounding may bring antipodes above 1.
  return 2 * EARTH_KM * Math.asin(Math.sqrt(Math.min(1, chord)));
}

function degreesOf(value: unknown, most: number): number | null {
  // Text first: an empty one, or 1e1, would be a number to `Number`.
  const degrees = typeof value === "string" && DEGREES.test(value) ? Number(value) : value;
  return typeof degrees === "number" && Math.abs(degrees) <= most ? degrees : null;
}

function known(places: ReadonlyMap<string, Place>, name: unknown): Place | null {
  return typeof name === "string" ? (places.get(name.toUpperCase()) ?? null) : null;
}
