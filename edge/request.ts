/**
 * Untrusted input to a `SearchRequest`. Every rejection names the field and, where one was broken,
 * the bound.
 */
import { checkedFields } from "../shared/document-rules.ts";
import { LightedgeError, printable } from "../shared/errors.ts";
import { DOCUMENT_LIMITS, REQUEST_LIMITS } from "../shared/limits.ts";
import { nearestName } from "../shared/nearest-name.ts";
import { checkIndexName } from "../shared/store/keys.ts";
import type { Fields, SearchRequest } from "../shared/types.ts";
import { type CheckedValue, checkJsonValue, checkParameter, utf8Bytes } from "./field-values.ts";
import { type FieldSpec, type FieldValues, FRESHNESS_FIELDS, READ_FIELDS, REGIONS_FIELDS } from "./fields.ts";
import { type Freshness, freshnessOf } from "./freshness.ts";
import { fieldName, type Parameter, percentDecode } from "./query-string.ts";

/** A search, and how new its answer has to be. */
export interface FreshRequest {
  readonly request: SearchRequest;
  readonly freshness: Freshness;
}

/** One query of a batch: the index it names and what is asked of it. */
export interface BatchQuery extends FreshRequest {
  readonly index: string;
}

/** The request that these URL parameters make. Throws `request/invalid`. */
export function requestFromParameters(parameters: readonly Parameter[]): FreshRequest {
  return checkTogether(assemble(READ_FIELDS, parameters, checkParameter));
}

/** The request that this JSON body makes. Throws `request/invalid`. */
export function requestFromJson(body: unknown): FreshRequest {
  return checkTogether(assemble(READ_FIELDS, Object.entries(plainObject(body, "body")), checkJsonValue));
}

/** How new an answer has to be, from the URL parameters of a route that takes no others. Throws `request/invalid`. */
export function freshnessFromParameters(parameters: readonly Parameter[]): Freshness {
  const { min_version, min_write } = assemble(FRESHNESS_FIELDS, parameters, checkParameter);
  return freshnessOf(min_version, min_write);
}

/** The index that a look at all regions is about, or undefined for all. Throws `request/invalid`. */
export function indexFromParameters(parameters: readonly Parameter[]): string | undefined {
  return assemble(REGIONS_FIELDS, parameters, checkParameter).index;
}

/**
 * The fields of a document that is put under this id: the body, of which an `id` that says the same is
 * left out. Throws `request/invalid` and `document/invalid`.
 */
export function documentFromJson(id: string, body: unknown): Fields {
  const { id: inside, ...fields } = plainObject(body, "body");
  if (inside !== undefined && inside !== id) {
    const message = "The body's id is not the one in the path. Leave it out of the body.";
    throw new LightedgeError("request/invalid", message, { field: "id" });
  }
  return checkedFields(id, Object.entries(fields));
}

/** One item of a batch: a search body with an `index` beside its fields. Throws `request/invalid`. */
export function batchQueryFromJson(item: unknown): BatchQuery {
  const { index, ...fields } = plainObject(item, "queries");
  if (index === undefined) throw missing("index");
  if (typeof index !== "string") {
    throw new LightedgeError("request/invalid", "index must be a string.", { field: "index" });
  }
  checkIndexName(index);
  return { index, ...requestFromJson(fields) };
}

/**
 * The items of a batch body, unchecked one by one, so that one bad query does not refuse the
 * others. Throws `request/invalid`.
 */
export function batchItems(body: unknown): readonly unknown[] {
  const { queries, ...rest } = plainObject(body, "body");
  for (const name of Object.keys(rest)) throw unknownName(name, ["queries"]);
  if (queries === undefined) throw missing("queries");
  const limit = REQUEST_LIMITS.batch;
  if (!Array.isArray(queries) || queries.length === 0 || queries.length > limit) {
    throw new LightedgeError("request/invalid", `queries must be an array of 1 to ${limit} queries.`, {
      field: "queries",
      limit,
    });
  }
  return queries;
}

/** Throws `request/invalid` where a route that takes no parameters was given one. */
export function refuseParameters(parameters: readonly Parameter[]): void {
  const first = parameters[0];
  if (first !== undefined) throw unknownName(first[0], []);
}

/** The document id that this path segment spells. Throws `request/invalid`. */
export function documentIdFromPath(segment: string): string {
  const id = percentDecode(segment, "id", false);
  const limit = DOCUMENT_LIMITS.idBytes;
  if (id !== "" && utf8Bytes(id, limit) <= limit && id.isWellFormed()) return id;
  throw new LightedgeError("request/invalid", `A document's id is 1 to ${limit} bytes of UTF-8.`, {
    field: "id",
    limit,
  });
}

function assemble<const L extends readonly FieldSpec[], T>(
  specs: L,
  given: readonly (readonly [string, T])[],
  check: (spec: FieldSpec, value: T) => CheckedValue,
): FieldValues<L> {
  const values = new Map<string, CheckedValue>();
  for (const [name, value] of given) {
    const spec = specs.find((candidate) => candidate.name === name);
    if (spec === undefined)
      throw unknownName(
        name,
        specs.map((candidate) => candidate.name),
      );
    values.set(name, check(spec, value));
  }
  for (const spec of specs) {
    if (values.has(spec.name)) continue;
    if ("required" in spec) throw missing(spec.name);
    if ("fallback" in spec) values.set(spec.name, spec.fallback);
  }
  // Safe: each value passed the check of its own spec, and the loop above filled what must be there.
  return Object.fromEntries(values) as FieldValues<L>;
}

/** The rules between fields, and the absent ones left out rather than undefined. */
function checkTogether(values: FieldValues<typeof READ_FIELDS>): FreshRequest {
  const { q, mode, limit, offset, task, fusion, weight, explain, typos, strict, fields } = values;
  if (offset + limit > REQUEST_LIMITS.window) {
    throw new LightedgeError(
      "request/invalid",
      `offset + limit is ${offset + limit}, above ${REQUEST_LIMITS.window}.`,
      { field: "offset", limit: REQUEST_LIMITS.window },
    );
  }
  const request = {
    ...{ q, mode, limit, offset, explain, typos, strict },
    ...(task === undefined ? {} : { task }),
    ...(fusion === undefined ? {} : { fusion }),
    ...(weight === undefined ? {} : { weight }),
    ...(fields === undefined ? {} : { fields }),
  };
  return { request, freshness: freshnessOf(values.min_version, values.min_write) };
}

function plainObject(value: unknown, field: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    // Safe: a value of JSON.parse that is neither null nor an array has string keys only.
    return value as Readonly<Record<string, unknown>>;
  }
  const what = field === "body" ? "The body" : `Each of ${field}`;
  throw new LightedgeError("request/invalid", `${what} must be a JSON object.`, { field });
}

function missing(field: string): LightedgeError {
  return new LightedgeError("request/invalid", `${field} is required.`, { field });
}

function unknownName(name: string, known: readonly string[]): LightedgeError {
  const near = nearestName(name, known);
  const hint = near === undefined ? "" : ` Did you mean ${near}?`;
  return new LightedgeError("request/invalid", `There is no field ${printable(name)} here.${hint}`, {
    field: fieldName(name),
  });
}
