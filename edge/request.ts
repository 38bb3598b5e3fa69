/**
 * Untrusted input to a `SearchRequest`. Every rejection names the field and, where one was broken,
 * the bound.
 */
import { LightedgeError, printable } from "../shared/errors.ts";
import { DOCUMENT_LIMITS, REQUEST_LIMITS } from "../shared/limits.ts";
import { checkIndexName } from "../shared/store/keys.ts";
import type { SearchRequest } from "../shared/types.ts";
import { type CheckedValue, checkJsonValue, checkParameter, utf8Bytes } from "./field-values.ts";
import { type FieldSpec, type FieldValues, SEARCH_FIELDS } from "./fields.ts";
import { nearestName } from "./nearest-name.ts";
import { fieldName, type Parameter, percentDecode } from "./query-string.ts";

/** One query of a batch: the index it names and what is asked of it. */
export interface BatchQuery {
  readonly index: string;
  readonly request: SearchRequest;
}

const BY_NAME: ReadonlyMap<string, FieldSpec> = new Map(SEARCH_FIELDS.map((spec) => [spec.name, spec]));

/** The request that these URL parameters make. Throws `request/invalid`. */
export function requestFromParameters(parameters: readonly Parameter[]): SearchRequest {
  return assemble(parameters, checkParameter);
}

/** The request that this JSON body makes. Throws `request/invalid`. */
export function requestFromJson(body: unknown): SearchRequest {
  return assemble(Object.entries(plainObject(body, "body")), checkJsonValue);
}

/** One item of a batch: a search body with an `index` beside its fields. Throws `request/invalid`. */
export function batchQueryFromJson(item: unknown): BatchQuery {
  const { index, ...fields } = plainObject(item, "queries");
  if (index === undefined) throw missing("index");
  if (typeof index !== "string") {
    throw new LightedgeError("request/invalid", "index must be a string.", { field: "index" });
  }
  checkIndexName(index);
  return { index, request: requestFromJson(fields) };
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

function assemble<T>(
  given: readonly (readonly [string, T])[],
  check: (spec: FieldSpec, value: T) => CheckedValue,
): SearchRequest {
  const values = new Map<string, CheckedValue>();
  for (const [name, value] of given) {
    const spec = BY_NAME.get(name);
    if (spec === undefined) throw unknownName(name, [...BY_NAME.keys()]);
    values.set(name, check(spec, value));
  }
  for (const spec of SEARCH_FIELDS) {
    if (values.has(spec.name)) continue;
    if ("required" in spec) throw missing(spec.name);
    if ("fallback" in spec) values.set(spec.name, spec.fallback);
  }
  // Safe: each value passed the check of its own spec, and the loop above filled what must be there.
  const checked = Object.fromEntries(values) as FieldValues<typeof SEARCH_FIELDS>;
  return checkTogether(checked);
}

/** The rules between fields, and the absent ones left out rather than undefined. */
function checkTogether(values: FieldValues<typeof SEARCH_FIELDS>): SearchRequest {
  const { q, mode, limit, offset, task, fusion, weight, explain, typos, fields } = values;
  if (offset + limit > REQUEST_LIMITS.window) {
    throw new LightedgeError(
      "request/invalid",
      `offset + limit is ${offset + limit}, above ${REQUEST_LIMITS.window}.`,
      { field: "offset", limit: REQUEST_LIMITS.window },
    );
  }
  return {
    ...{ q, mode, limit, offset, explain, typos },
    ...(task === undefined ? {} : { task }),
    ...(fusion === undefined ? {} : { fusion }),
    ...(weight === undefined ? {} : { weight }),
    ...(fields === undefined ? {} : { fields }),
  };
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
