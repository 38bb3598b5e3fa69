import { describe, expect, it } from "vitest";
import { LightedgeError } from "../../../shared/errors.ts";
import {
  parseRegions,
  REGION_NAMES,
  regionOf,
  regionsOf,
  serializeRegions,
} from "../../../shared/regions/region.ts";

function refusal(text: string): LightedgeError {
  try {
    parseRegions(text);
  } catch (error) {
    if (error instanceof LightedgeError) return error;
  }
  throw new Error(`${text} was taken.`);
}

describe("regions of a deployment", () => {
  it("are read from a list of names, the first being home", () => {
    const [home, ...others] = parseRegions(" weur, enam ,apac-ne");
    expect(home.name).toBe("weur");
    expect(others.map(({ name }) => name)).toEqual(["enam", "apac-ne"]);
  });

  it("are read from JSON, and written so that they are read again", () => {
    const regions = parseRegions('["weur","oc"]');
    expect(serializeRegions(regions)).toBe("weur,oc");
    expect(parseRegions(serializeRegions(regions))).toEqual(regions);
  });

  it("have bindings that can be names of variables, each its own", () => {
    const regions = REGION_NAMES.map(regionOf);
    expect(regionOf("apac-ne").bucketBinding).toBe("BUCKET_APAC_NE");
    for (const { bucketBinding, storeBinding } of regions) {
      expect(bucketBinding).toMatch(/^BUCKET_[A-Z_]+$/);
      expect(storeBinding).toMatch(/^STORE_[A-Z_]+$/);
    }
    expect(new Set(regions.map(({ bucketBinding }) => bucketBinding)).size).toBe(REGION_NAMES.length);
  });

  it("have a bucket where buckets can be", () => {
    for (const name of REGION_NAMES)
      expect(["wnam", "enam", "weur", "eeur", "apac", "oc"]).toContain(regionOf(name).bucketHint);
    expect(regionOf("sam").bucketHint).toBe("enam");
  });

  it("are refused where one is named twice", () => {
    const error = refusal("weur,enam,weur");
    expect(error.code).toBe("usage/invalid");
    expect(error.details).toMatchObject({ field: "REGIONS", value: '"weur"' });
    expect(error.message).toContain("twice");
  });

  it("are refused where one does not exist, with the name that was meant", () => {
    expect(refusal("weur,enamm").message).toContain("Did you mean enam?");
    expect(refusal("eu-west-1").message).toContain("regions are wnam, enam");
    expect(refusal("WEUR").message).toContain("Did you mean weur?");
    expect(refusal("weur,").details.value).toBe('""');
  });

  it("are refused where there are none or more than 16", () => {
    expect(refusal("").message).toContain("at least one");
    expect(refusal("[]").message).toContain("at least one");
    const error = refusal(Array.from({ length: 17 }, () => "weur").join(","));
    expect(error.details).toMatchObject({ limit: 16, value: "17 regions" });
  });

  it("are refused where JSON is broken or holds anything but names", () => {
    expect(refusal("[weur]").message).toContain("not JSON");
    expect(refusal('["weur", 3]').message).toContain("list of names");
  });

  it("name the field that was read", () => {
    expect(() => regionsOf(["xyzzy"], "regions[1]")).toThrow("regions[1]:");
  });
});
