/**
 * JSON Schemas of the answers. The types they mirror are in `shared/types.ts`; a test holds them
 * against real answers.
 */
import { ERROR_CODES } from "../shared/errors.ts";
import { FUSION_RULES, MODES } from "../shared/types.ts";

/** A JSON Schema, or any other object of an OpenAPI document. */
export type Schema = { readonly [key: string]: unknown };

const string: Schema = { type: "string" };
const number: Schema = { type: "number" };
const count: Schema = { type: "integer", minimum: 0 };
const age: Schema = { ...count, description: "Whole seconds since the version was built." };
const stale: Schema = {
  ...count,
  description: "Whole seconds since the pointer was last read; there only where it could not be read since.",
};
const placement: Schema = {
  type: "string",
  enum: ["isolate", "objects"],
  description: "Whether the memory of the Worker answered or its Durable Objects.",
};
const errorCode: Schema = { type: "string", enum: ERROR_CODES };
const failover = object(
  { from: list(object({ region: string, code: errorCode })) },
  [],
  "The nearer regions that did not answer, and why. There only where the nearest did not.",
);
/** What is told only where something is not as usual. */
const UNUSUAL = ["stale_s", "failover"];
const region: Schema = { type: "string", description: "The region that answered." };
const told = { version: string, age_s: age, stale_s: stale, region, placement, failover };
const scalar: Schema = { type: ["string", "number", "boolean"] };
const fields: Schema = {
  type: "object",
  description: "The document's own fields by name.",
  additionalProperties: { anyOf: [scalar, { type: "null" }, list(scalar)] },
};
const passage = object(
  { start: count, end: count, heading: string, anchor: string },
  ["heading", "anchor"],
  "Where a passage lies in the `text` field: UTF-16 units, the end not included.",
);

const explanation = object({
  words: list(
    object(
      { word: string, start: count, end: count, dense: number, sparse: number },
      [],
      "What one word of the query gave to both scores; the shares of all words add up to them.",
    ),
  ),
  fusion: object({
    rule: { type: "string", enum: [...FUSION_RULES, "none"] },
    weight: number,
    dense: number,
    sparse: number,
  }),
});

const hit = object(
  {
    id: string,
    score: { type: "number", description: "What the ranking is by; comparable within one answer only." },
    dense: { type: "number", description: "Cosine of query and best passage." },
    sparse: { type: "number", description: "Sum over query tokens of count, weight and impact." },
    fields,
    snippet: object({
      text: { type: "string", description: "Plain text, never markup." },
      marks: {
        ...list({ type: "array", items: count, minItems: 2, maxItems: 2 }),
        description: "Stretches to mark, as start and end in UTF-16 units.",
      },
    }),
    passage,
    explain: explanation,
  },
  ["explain"],
);

const correction = object(
  { word: string, start: count, end: count, used: string },
  [],
  "A word of the query that was taken for misspelt: as typed, its place in UTF-16 units, and the word searched for in its place.",
);

const orNull = (type: string, description: string): Schema => ({ type: [type, "null"], description });
const regionsReport = object({
  from: {
    anyOf: [object({ latitude: number, longitude: number }), { type: "null" }],
    description: "Where the request comes from, as well as that is known.",
  },
  nearest: string,
  resident_bytes: { ...count, description: "Bytes of indexes in the memory of the isolate that answers." },
  budget_bytes: count,
  regions: {
    ...list(
      object({
        region: string,
        title: string,
        home: { type: "boolean", description: "Whether versions are made there." },
        latitude: orNull("number", "Degrees."),
        longitude: orNull("number", "Degrees."),
        distance_km: orNull("number", "From where the request comes from."),
        probe_ms: orNull(
          "number",
          "Milliseconds that reading a pointer took; null where none could be read.",
        ),
        failing: {
          anyOf: [object({ code: errorCode, try_in_ms: count }), { type: "null" }],
          description: "Why requests are kept away from it, and in how many ms the next may try.",
        },
        indexes: list(
          object({
            index: string,
            version: orNull("string", "The version of the region's pointer."),
            age_s: orNull("integer", "Whole seconds since that version was built."),
            behind: orNull("integer", "Versions that the newest region is ahead."),
            placement: { anyOf: [placement, { type: "null" }] },
            shards: list(
              object({
                shard: count,
                state: { type: "string", enum: ["loaded", "cold", "unreachable"] },
                bytes: { ...count, description: "In memory, or what it would take there." },
              }),
            ),
          }),
        ),
      }),
    ),
    description: "The nearest first.",
  },
});

/** Schemas by the name under which operations refer to them. */
export const ANSWER_SCHEMAS: Readonly<Record<string, Schema>> = {
  SearchAnswer: object(
    {
      index: string,
      ...told,
      mode: { type: "string", enum: MODES },
      took_ms: { type: "number", minimum: 0 },
      total: { ...count, description: "Documents that paging can reach." },
      partial: { type: "boolean", description: "Whether the documents of some shards are missing." },
      missing_shards: { ...list(count), description: "Ordinals of the shards whose documents are missing." },
      hits: list(hit),
      corrections: list(correction),
      warnings: list(string),
    },
    [...UNUSUAL, "missing_shards", "corrections", "warnings"],
  ),
  BatchAnswer: object({
    answers: list({ anyOf: [reference("SearchAnswer"), reference("Error")] }),
  }),
  IndexList: object({ indexes: list(string) }),
  IndexDescription: object(
    {
      index: string,
      ...told,
      seq: count,
      created: { type: "string", format: "date-time" },
      documents: count,
      chunks: count,
      shards: { ...count, description: "Files that the documents are spread over." },
      model: string,
      dimension: count,
      tasks: { ...list(string), description: "The default first." },
      fields: list(
        object({
          name: string,
          kind: { type: "string", enum: ["text", "number", "boolean", "list", "mixed"] },
        }),
      ),
      fusion: object({ rule: { type: "string", enum: FUSION_RULES }, weight: number }),
      bytes: { ...count, description: "Stored bytes of all files." },
      resident_bytes: { ...count, description: "Bytes of memory that serving takes." },
      waiting: object(
        { writes: count, bytes: count },
        [],
        "Writes that are found already and are in no version yet, and the bytes of their entries.",
      ),
      format: count,
    },
    UNUSUAL,
  ),
  WriteAnswer: object({
    index: string,
    id: string,
    op: { type: "string", enum: ["put", "delete"] },
    write: { type: "string", description: "The name of the write, for min_write." },
    received: { type: "string", format: "date-time" },
    region: { type: "string", description: "The home region, whose inbox it is in." },
  }),
  Document: object(
    {
      index: string,
      ...told,
      id: string,
      fields,
      passages: list(passage),
    },
    UNUSUAL,
  ),
  RegionsReport: regionsReport,
  WarmAnswer: object({
    warmed: list(
      object({
        index: string,
        region: string,
        version: string,
        shards: {
          ...count,
          description: "Shards that were asked to be ready, 0 where the Worker keeps the index.",
        },
        ms: count,
      }),
    ),
    failed: list(object({ index: string, region: string, code: errorCode, message: string })),
  }),
  Health: object({
    status: {
      type: "string",
      enum: ["ok", "stale", "failing"],
      description:
        "stale: a version is older than promised, or a region behind for longer; failing: one could not be read in full.",
    },
    region: { type: "string", description: "The home region." },
    regions: list(
      object(
        {
          region: string,
          failing: {
            type: ["string", "null"],
            description: "The code of the failure that requests are kept from it for.",
          },
          try_in_s: {
            type: ["integer", "null"],
            description: "Whole seconds until the next request tries it.",
          },
        },
        [],
        "What this isolate holds against a region.",
      ),
    ),
    indexes: list(
      object({
        index: string,
        region: string,
        placement,
        version: string,
        age_s: age,
        resident_bytes: count,
        waiting: { ...count, description: "Writes that are in no version yet." },
      }),
    ),
    checks: {
      ...list(
        object({
          index: string,
          region: string,
          version: { type: ["string", "null"] },
          checked: { type: "string", format: "date-time" },
          age_s: {
            type: ["integer", "null"],
            description: "Whole seconds since the index was last known to be as its source.",
          },
          stale: { type: "boolean" },
          behind: {
            type: ["integer", "null"],
            description: "Versions that the newest region is ahead; null where that is not known.",
          },
          problem: { type: ["string", "null"] },
        }),
      ),
      description: "The last scheduled check of each index in this isolate.",
    },
    budget_bytes: count,
  }),
  ApiDescription: { type: "object" },
  Error: object({
    error: object(
      {
        code: { type: "string", enum: ERROR_CODES },
        message: string,
        field: { type: "string", description: "The field, parameter or header at fault." },
        limit: { type: "number", description: "The bound that was broken." },
      },
      ["field", "limit"],
    ),
  }),
};

function list(items: Schema): Schema {
  return { type: "array", items };
}

/** An object that has all of these properties but the optional ones, and no others. */
function object(
  properties: Readonly<Record<string, Schema>>,
  optional: readonly string[] = [],
  description?: string,
): Schema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return {
    type: "object",
    properties,
    required,
    additionalProperties: false,
    ...(description === undefined ? {} : { description }),
  };
}

function reference(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}
