/** What a region is: a complete store and the place where its objects live, named by Cloudflare's location hint. */
import { LightedgeError, printable } from "../errors.ts";
import { nearestName } from "../nearest-name.ts";

/** Names of regions: the location hints of Durable Objects (workers-types, `DurableObjectLocationHint`). */
export const REGION_NAMES = [
  "wnam",
  "enam",
  "sam",
  "weur",
  "eeur",
  "apac",
  "apac-ne",
  "apac-se",
  "oc",
  "afr",
  "me",
] as const;

/** A name of a region. */
export type RegionName = (typeof REGION_NAMES)[number];

/** Location hints of R2 buckets, of which there are fewer. */
export type BucketHint = "wnam" | "enam" | "weur" | "eeur" | "apac" | "oc";

/** A point on the globe, in degrees; south and west are negative. */
export interface Place {
  readonly latitude: number;
  readonly longitude: number;
}

/** One region of a deployment. */
export interface Region extends Place {
  /** The location hint too that Durable Objects are asked for with. */
  readonly name: RegionName;
  /** As people say it. */
  readonly title: string;
  /** Name of the binding of its R2 bucket: `BUCKET_APAC_NE`. */
  readonly bucketBinding: string;
  /** Name of the service binding that stands for its store where there is no R2: `STORE_APAC_NE`. */
  readonly storeBinding: string;
  /** The nearest hint that a bucket can be created with. */
  readonly bucketHint: BucketHint;
}

/** Regions of a deployment: the first is home, where versions are made and writes at the edge go. */
export type Regions = readonly [Region, ...Region[]];

/** Regions of one deployment. There are fewer names today; each costs a copy of everything. */
export const MOST_REGIONS = 16;

/** Name of the Worker's variable that `parseRegions` reads. */
export const REGIONS_VARIABLE = "REGIONS";

/** Name of the binding of the Durable Objects that hold shards, and of their class. */
export const SHARDS_BINDING = "SHARDS";
/** Class of the Durable Objects that hold shards, as the Worker exports it. */
export const SHARDS_CLASS = "ShardObject";

type Facts = readonly [title: string, latitude: number, longitude: number, bucketHint: BucketHint];

/**
 * Where objects of each hint are to be thought of: a city in the middle of the data centres that serve it. The platform
 * says no more than the name, and puts objects of sam, afr and me next door where it has no room there.
 */
const FACTS: Readonly<Record<RegionName, Facts>> = {
  wnam: ["Western North America", 37.36, -121.93, "wnam"], // San Jose
  enam: ["Eastern North America", 39.04, -77.49, "enam"], // Ashburn
  sam: ["South America", -23.55, -46.63, "enam"], // São Paulo
  weur: ["Western Europe", 52.37, 4.9, "weur"], // Amsterdam
  eeur: ["Eastern Europe", 52.23, 21.01, "eeur"], // Warsaw
  apac: ["Asia-Pacific", 22.32, 114.17, "apac"], // Hong Kong
  "apac-ne": ["Asia-Pacific, north-east", 35.68, 139.69, "apac"], // Tokyo
  "apac-se": ["Asia-Pacific, south-east", 1.35, 103.82, "apac"], // Singapore
  oc: ["Oceania", -33.87, 151.21, "oc"], // Sydney
  afr: ["Africa", -26.2, 28.05, "weur"], // Johannesburg
  me: ["Middle East", 25.2, 55.27, "eeur"], // Dubai
};

/** The region of this name. */
export function regionOf(name: RegionName): Region {
  const [title, latitude, longitude, bucketHint] = FACTS[name];
  const suffix = name.replace("-", "_").toUpperCase();
  return {
    name,
    title,
    latitude,
    longitude,
    bucketBinding: `BUCKET_${suffix}`,
    storeBinding: `STORE_${suffix}`,
    bucketHint,
  };
}

/** Whether a text names a region. */
export function isRegionName(text: string): text is RegionName {
  return (REGION_NAMES as readonly string[]).includes(text);
}

/**
 * Regions by their names, the first being home. Throws `usage/invalid` that names `field`, value and limit for none, more
 * than 16, a name twice, and a name that is none, with the nearest one.
 */
export function regionsOf(names: readonly string[], field: string): Regions {
  if (names.length > MOST_REGIONS)
    throw refused(field, `${names.length} regions`, `at most ${MOST_REGIONS} are allowed`, MOST_REGIONS);
  const regions: Region[] = [];
  for (const name of names) {
    if (!isRegionName(name)) throw unknown(field, name);
    if (regions.some((region) => region.name === name))
      throw refused(field, printable(name), "it is named twice; each region may be named once");
    regions.push(regionOf(name));
  }
  const [home, ...others] = regions;
  if (home === undefined) throw refused(field, "no region", "at least one must be named, the first is home");
  return [home, ...others];
}

/**
 * Regions as the variable `REGIONS` has them: `weur,enam,apac`, or the same names as a JSON list. Throws as `regionsOf`,
 * and for JSON that is not a list of texts.
 */
export function parseRegions(text: string, field: string = REGIONS_VARIABLE): Regions {
  const trimmed = text.trim();
  return regionsOf(trimmed.startsWith("[") ? namesOfJson(trimmed, field) : namesOfList(trimmed), field);
}

/** Regions as `parseRegions` reads them. */
export function serializeRegions(regions: readonly Region[]): string {
  return regions.map(({ name }) => name).join(",");
}

function namesOfList(text: string): readonly string[] {
  return text === "" ? [] : text.split(",").map((part) => part.trim());
}

function namesOfJson(text: string, field: string): readonly string[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refused(field, printable(text), "it begins with [ and is not JSON");
  }
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw refused(field, printable(text), "JSON must be a list of names");
}

function unknown(field: string, name: string): LightedgeError {
  const near = nearestName(name, REGION_NAMES);
  const hint = near === undefined ? "" : ` Did you mean ${near}?`;
  const details = { field, value: printable(name) };
  const message = `${field}: there is no region ${printable(name)}; regions are ${REGION_NAMES.join(", ")}.${hint}`;
  return new LightedgeError("usage/invalid", message, details);
}

function refused(field: string, value: string, why: string, limit?: number): LightedgeError {
  const details = { field, value, ...(limit === undefined ? {} : { limit }) };
  return new LightedgeError("usage/invalid", `${field}: ${value}: ${why}.`, details);
}
