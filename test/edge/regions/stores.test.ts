import { describe, expect, test } from "vitest";
import { regionStores } from "../../../edge/regions/stores.ts";
import type { Env } from "../../../edge/settings.ts";

const bucket = { get() {}, put() {}, head() {}, list() {} };
const service = { fetch() {} };
/** Bindings as the platform gives them; their own types say more than is looked at. */
const env = (bindings: Record<string, unknown>) => bindings as Env;

describe("the regions of a deployment", () => {
  test("are those of REGIONS, the first being home, each with its own store", () => {
    const regions = regionStores(
      env({
        REGIONS: " weur, apac-ne ",
        BUCKET_WEUR: bucket,
        STORE_APAC_NE: service,
        BUCKET_APAC_NE: bucket,
      }),
    );
    expect(regions.map(({ name, home }) => [name, home])).toEqual([
      ["weur", true],
      ["apac-ne", false],
    ]);
    expect(regions.map(({ place }) => place?.title)).toEqual(["Western Europe", "Asia-Pacific, north-east"]);
    // Where a service stands for a store, nothing is collected from here.
    expect(regions.map((region) => region.bucket !== null)).toEqual([true, false]);
  });

  test("are the one of REGION without that variable", () => {
    for (const REGIONS of [undefined, "", "  "]) {
      const [only, ...others] = regionStores(env({ REGIONS, REGION: "auto", BUCKET: bucket }));
      expect(only).toMatchObject({ name: "auto", home: true, place: null, bucket });
      expect(others).toEqual([]);
    }
    expect(regionStores(env({ STORE: service }))[0]).toMatchObject({ name: "local", bucket: null });
  });

  test.each([
    [{}, "Neither STORE nor BUCKET is bound"],
    [{ REGIONS: "weur", BUCKET: bucket }, "Neither STORE_WEUR nor BUCKET_WEUR is bound"],
    [{ REGIONS: "weur,enam", BUCKET_WEUR: bucket }, "Neither STORE_ENAM nor BUCKET_ENAM is bound"],
    [{ REGIONS: "weur", BUCKET_WEUR: "a text" }, "Neither STORE_WEUR nor BUCKET_WEUR is bound"],
    [{ REGIONS: "atlantis", BUCKET_ATLANTIS: bucket }, "there is no region"],
    [{ REGIONS: "weur,weur", BUCKET_WEUR: bucket }, "it is named twice"],
  ])("are refused for %o", (bindings, message) => {
    expect(() => regionStores(env(bindings))).toThrow(message);
  });
});
