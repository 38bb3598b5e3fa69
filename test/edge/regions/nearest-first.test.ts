import { describe, expect, test } from "vitest";
import { callerPlace } from "../../../edge/regions/caller-place.ts";
import { nearestFirst } from "../../../edge/regions/nearest-first.ts";
import { LightedgeError } from "../../../shared/errors.ts";
import { parseRegions } from "../../../shared/regions/region.ts";

const deployment = (text: string) => parseRegions(text).map((place) => ({ name: place.name, place }));
const order = (text: string, from: Parameters<typeof nearestFirst>[1]) =>
  nearestFirst(deployment(text), from).map(({ name }) => name);

describe("the order of regions", () => {
  test.each([
    ["Lisbon", 38.72, -9.14, "weur enam apac"],
    ["Warsaw", 52.23, 21.01, "weur enam apac"],
    ["Reykjavik", 64.15, -21.94, "weur enam apac"],
    ["New York", 40.71, -74.01, "enam weur apac"],
    ["San Francisco", 37.77, -122.42, "enam weur apac"],
    ["São Paulo", -23.55, -46.63, "enam weur apac"],
    ["Tokyo", 35.68, 139.69, "apac weur enam"],
    ["Sydney", -33.87, 151.21, "apac enam weur"],
    ["Mumbai", 19.08, 72.88, "apac weur enam"],
    ["Nairobi", -1.29, 36.82, "weur apac enam"],
    ["Auckland", -36.85, 174.76, "apac enam weur"],
  ])("from %s begins with the nearest of three", (_, latitude, longitude, expected) => {
    expect(order("weur,enam,apac", { latitude, longitude }).join(" ")).toBe(expected);
    // Whichever is home.
    expect(order("apac,weur,enam", { latitude, longitude }).join(" ")).toBe(expected);
  });

  test("is as declared where nothing is known of the caller", () => {
    expect(order("enam,weur,apac", undefined)).toEqual(["enam", "weur", "apac"]);
    expect(order("enam,weur,apac", { latitude: "north", continent: 7 })).toEqual(["enam", "weur", "apac"]);
  });

  test("of one region without a place is that region", () => {
    const regions = [{ name: "auto", place: null }];
    expect(nearestFirst(regions, { latitude: 1, longitude: 1 })).toEqual(regions);
  });
});

describe("where a request comes from", () => {
  const request = (headers: Record<string, string> = {}, cf?: unknown) =>
    Object.assign(new Request("http://edge.test/", { headers }), cf === undefined ? {} : { cf });

  test("is what the platform says", () => {
    const cf = { latitude: "52.4", longitude: "4.9", country: "NL" };
    expect(callerPlace(request({}, cf), false)).toEqual(cf);
    expect(callerPlace(request(), false)).toBeUndefined();
    for (const odd of [null, "NL", 7]) expect(callerPlace(request({}, odd), false)).toBeUndefined();
  });

  test("is what the header says where that is allowed, and nowhere else", () => {
    const cf = { latitude: "52.4", longitude: "4.9" };
    const header = { "x-lightedge-from": "-33.9, 151.2" };
    expect(callerPlace(request(header, cf), true)).toEqual({ latitude: "-33.9", longitude: "151.2" });
    expect(callerPlace(request(header, cf), false)).toBe(cf);
    expect(callerPlace(request({ "x-lightedge-from": "nonsense" }, cf), false)).toBe(cf);
    expect(callerPlace(request({ "x-lightedge-from": "apac-se" }), true)).toMatchObject({ latitude: 1.35 });
  });

  test.each(["", "52.4", "91,0", "0,181", "a,b", "1e1,2", "52.4,4.9,1", "atlantis", "NaN,NaN", "1;2"])(
    "is refused as a header that says %j",
    (text) => {
      const wrong = request({ "x-lightedge-from": text });
      let error: unknown;
      try {
        callerPlace(wrong, true);
      } catch (failure) {
        error = failure;
      }
      expect(error).toBeInstanceOf(LightedgeError);
      expect(error).toMatchObject({ code: "request/invalid", details: { field: "x-lightedge-from" } });
    },
  );
});
