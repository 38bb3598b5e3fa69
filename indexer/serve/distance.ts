/** How long messages are on their way between places, as local serving imitates it. */
import { distanceKm } from "../../shared/regions/nearest.ts";
import type { Place } from "../../shared/regions/region.ts";

/** Light in glass, km in a millisecond: two thirds of its speed in a vacuum. */
const FIBRE_KM_PER_MS = 200;
/** Cables go round mountains and seas: how much longer than the great circle they are, as measured between large cities. */
const DETOUR = 1.5;
/** Milliseconds that no distance explains: switches, and the machine at the other end. */
const STANDING_MS = 2;

/**
 * Round trip between two places in ms: twice the great circle, half as long again, at the speed of light in glass, and
 * 2 ms. Amsterdam to Ashburn 95, to Hong Kong 141, to itself 2.
 */
export function roundTripMs(from: Place, to: Place): number {
  return ((2 * distanceKm(from, to)) / FIBRE_KM_PER_MS) * DETOUR + STANDING_MS;
}
