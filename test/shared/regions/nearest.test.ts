import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { distanceKm, nearestRegions, placeOf, type RequestPlace } from "../../../shared/regions/nearest.ts";
import { COLOS, CONTINENTS, COUNTRIES } from "../../../shared/regions/places.ts";
import { type Place, parseRegions, REGION_NAMES, regionsOf } from "../../../shared/regions/region.ts";

const ALL = regionsOf(REGION_NAMES, "test");
const THREE = parseRegions("weur,enam,apac");

function order(regions: typeof ALL, place: RequestPlace | undefined): readonly string[] {
  return nearestRegions(regions, place).map(({ name }) => name);
}

/** The chord through the globe by vectors: another way to the same order. */
function chord(a: Place, b: Place): number {
  const vector = ({ latitude, longitude }: Place) => {
    const [phi, lambda] = [(latitude * Math.PI) / 180, (longitude * Math.PI) / 180];
    return [Math.cos(phi) * Math.cos(lambda), Math.cos(phi) * Math.sin(lambda), Math.sin(phi)];
  };
  const [u, v] = [vector(a), vector(b)];
  return Math.hypot(...u.map((x, at) => x - v[at]!));
}

describe("distances", () => {
  it("are those between real cities, to one in two hundred", () => {
    const london = { latitude: 51.5074, longitude: -0.1278 };
    const newYork = { latitude: 40.7128, longitude: -74.006 };
    const sydney = { latitude: -33.8688, longitude: 151.2093 };
    expect(distanceKm(london, newYork)).toBeCloseTo(5570, -2);
    expect(distanceKm(london, sydney) / 16_994).toBeCloseTo(1, 2);
    expect(distanceKm(london, london)).toBe(0);
  });

  it("go the short way round, over the date line and the poles", () => {
    expect(distanceKm({ latitude: 0, longitude: 179 }, { latitude: 0, longitude: -179 })).toBeLessThan(230);
    expect(distanceKm({ latitude: 89, longitude: 0 }, { latitude: 89, longitude: 180 })).toBeLessThan(230);
    expect(distanceKm({ latitude: 0, longitude: 0 }, { latitude: 0, longitude: 180 })).toBeCloseTo(
      20_015,
      -1,
    );
  });
});

describe("the nearest region", () => {
  it.each([
    ["Berlin", 52.52, 13.405, "eeur"],
    ["Paris", 48.8566, 2.3522, "weur"],
    ["Munich", 48.1374, 11.5755, "weur"],
    ["Vienna", 48.2082, 16.3738, "eeur"],
    ["Reykjavik", 64.1466, -21.9426, "weur"],
    ["Seattle", 47.6062, -122.3321, "wnam"],
    ["Denver", 39.7392, -104.9903, "wnam"],
    ["Chicago", 41.8781, -87.6298, "enam"],
    ["Honolulu", 21.3069, -157.8583, "wnam"],
    ["Toronto", 43.6532, -79.3832, "enam"],
    ["Buenos Aires", -34.6037, -58.3816, "sam"],
    ["Lagos", 6.5244, 3.3792, "afr"],
    ["Cairo", 30.0444, 31.2357, "me"],
    ["Mumbai", 19.076, 72.8777, "me"],
    ["Jakarta", -6.2088, 106.8456, "apac-se"],
    ["Taipei", 25.033, 121.5654, "apac"],
    ["Seoul", 37.5665, 126.978, "apac-ne"],
    ["Auckland", -36.8485, 174.7633, "oc"],
    ["Perth", -31.9523, 115.8613, "oc"],
  ])("of %s is that of its coordinates", (_city, latitude, longitude, name) => {
    expect(order(ALL, { latitude: String(latitude), longitude: String(longitude) })[0]).toBe(name);
  });

  it("is followed by the others, all of them, each farther away", () => {
    expect(order(THREE, { latitude: "35.68", longitude: "139.69" })).toEqual(["apac", "weur", "enam"]);
    expect(order(THREE, { latitude: "-23.55", longitude: "-46.63" })).toEqual(["enam", "weur", "apac"]);
  });

  it("agrees with chords through the globe, wherever a request comes from", () => {
    const degrees = (most: number) => fc.double({ min: -most, max: most, noNaN: true });
    fc.assert(
      fc.property(degrees(90), degrees(180), (latitude, longitude) => {
        const found = nearestRegions(ALL, { latitude, longitude });
        expect(new Set(found)).toEqual(new Set(ALL));
        const chords = found.map((region) => chord({ latitude, longitude }, region));
        for (const [at, far] of chords.entries())
          if (at > 0) expect(far).toBeGreaterThan(chords[at - 1]! - 1e-6);
      }),
    );
  });

  it("goes by the data centre, then the country, then the continent, where coordinates are missing", () => {
    expect(order(THREE, { colo: "NRT", country: "US", continent: "NA" })[0]).toBe("apac");
    expect(order(THREE, { colo: "XXX", country: "US", continent: "AS" })[0]).toBe("enam");
    expect(order(THREE, { country: "T1", continent: "AS" })[0]).toBe("apac");
    expect(order(THREE, { latitude: "52.3", colo: "hkg" })[0]).toBe("apac");
  });

  it.each([
    undefined,
    {},
    { latitude: "", longitude: "" },
    { latitude: "91", longitude: "0" },
    { latitude: "NaN", longitude: "1e1" },
    { latitude: Number.NaN, longitude: Number.POSITIVE_INFINITY },
    { latitude: null, longitude: {}, colo: 7, country: [], continent: "XX" },
  ])("is home, and the order as declared, where nothing is known: %j", (place) => {
    expect(order(THREE, place)).toEqual(["weur", "enam", "apac"]);
  });

  it("is the one declared first among equals", () => {
    const two = regionsOf(["enam", "weur"], "test");
    const [enam, weur] = two;
    const same = [enam, { ...weur!, latitude: enam.latitude, longitude: enam.longitude }] as const;
    expect(order(same, { latitude: "10", longitude: "10" })).toEqual(["enam", "weur"]);
    expect(order([same[1], same[0]], { latitude: "10", longitude: "10" })).toEqual(["weur", "enam"]);
  });
});

describe("tables of places", () => {
  it("hold places on the globe", () => {
    for (const table of [COLOS, COUNTRIES, CONTINENTS])
      for (const [name, place] of table)
        expect(placeOf({ latitude: place.latitude, longitude: place.longitude }), name).toEqual(place);
    expect(COLOS.size).toBe(177);
    expect(COUNTRIES.size).toBeGreaterThan(130);
    expect(CONTINENTS.size).toBe(7);
  });
});
