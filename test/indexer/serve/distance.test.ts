import { describe, expect, it } from "vitest";
import { roundTripMs } from "../../../indexer/serve/distance.ts";
import { type Place, REGION_NAMES, regionOf } from "../../../shared/regions/region.ts";

/** The spherical law of cosines: another way to the great circle, exact enough away from 0 km. */
function dumbKm(a: Place, b: Place): number {
  const [p, q, turn] = [a.latitude, b.latitude, b.longitude - a.longitude].map(
    (deg) => (deg * Math.PI) / 180,
  );
  return 6371 * Math.acos(Math.sin(p!) * Math.sin(q!) + Math.cos(p!) * Math.cos(q!) * Math.cos(turn!));
}

describe("a round trip", () => {
  it("is twice the great circle, half as long again, at 200 km a millisecond, and 2 ms", () => {
    for (const a of REGION_NAMES.map(regionOf)) {
      for (const b of REGION_NAMES.map(regionOf).filter(({ name }) => name !== a.name))
        expect(roundTripMs(a, b)).toBeCloseTo((2 * dumbKm(a, b) * 1.5) / 200 + 2, 6);
    }
  });

  it("to the place itself takes the 2 ms that no distance explains", () => {
    for (const place of REGION_NAMES.map(regionOf)) expect(roundTripMs(place, place)).toBe(2);
  });

  it("is what is measured between large cities, to a quarter", () => {
    const [weur, enam, apac] = [regionOf("weur"), regionOf("enam"), regionOf("apac")];
    // Amsterdam to Ashburn some 85 ms, to Hong Kong some 170.
    expect(roundTripMs(weur, enam)).toBeGreaterThan(64);
    expect(roundTripMs(weur, enam)).toBeLessThan(106);
    expect(roundTripMs(weur, apac)).toBeGreaterThan(127);
    expect(roundTripMs(weur, apac)).toBeLessThan(213);
  });
});
