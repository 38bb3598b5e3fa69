/** The description of the HTTP interface in OpenAPI 3.1, made from the route list and the field list. */
import { DOCUMENT_LIMITS, REQUEST_LIMITS } from "../shared/limits.ts";
import { type FieldSpec, FRESHNESS_FIELDS, READ_FIELDS, REGIONS_FIELDS } from "./fields.ts";
import { ANSWER_SCHEMAS, type Schema } from "./openapi-answers.ts";
import { MOST_NAMES } from "./regions/warm.ts";
import { type Operation, ROUTES, type Route } from "./routes.ts";

const ERROR_MEANINGS: Readonly<Record<number, string>> = {
  400: "The request breaks a rule; `field` and `limit` say which.",
  401: "The header Authorization does not carry the key of the deployment.",
  404: "There is no such index, document or path.",
  405: "The path does not answer this method; `Allow` lists those it does.",
  413: "The URL or the body is too large.",
  500: "A fault of the server.",
  503: "No region can read the index at the moment, or all of it; or it is older than asked for, or can take no more writes. `Retry-After` says when to ask again.",
};

/** Schema of what each operation answers, absent for the pages. */
const ANSWERS: Readonly<Record<Exclude<Operation, "page" | "regionsPage">, string>> = {
  search: "SearchAnswer",
  searchByBody: "SearchAnswer",
  searchMany: "BatchAnswer",
  listIndexes: "IndexList",
  describeIndex: "IndexDescription",
  getDocument: "Document",
  putDocument: "WriteAnswer",
  deleteDocument: "WriteAnswer",
  describeRegions: "RegionsReport",
  warm: "WarmAnswer",
  health: "Health",
  describeApi: "ApiDescription",
};

/** What a request may carry as a body, by operation. */
const BODIES: Readonly<Partial<Record<Operation, string>>> = {
  searchByBody: "SearchRequest",
  searchMany: "BatchRequest",
  putDocument: "DocumentFields",
  warm: "WarmRequest",
};

/** Parameters in the query string, by operation. */
const QUERY_FIELDS: Readonly<Partial<Record<Operation, readonly FieldSpec[]>>> = {
  search: READ_FIELDS,
  getDocument: FRESHNESS_FIELDS,
  describeRegions: REGIONS_FIELDS,
};

/** What is done later than it is answered: the writes. */
const LATER: ReadonlySet<Operation> = new Set<Operation>(["putDocument", "deleteDocument"]);

const IDEMPOTENCY_KEY: Schema = {
  name: "Idempotency-Key",
  in: "header",
  description:
    "The sender's own name for this write. Sent again with the same name while the first is kept, at least until it is folded, a write is acknowledged as the first was and not written twice.",
  required: false,
  schema: { type: "string", minLength: 1, maxLength: 256 },
};

const PATH_PARAMETERS: Readonly<Record<string, { description: string; schema: Schema }>> = {
  index: {
    description: "Name of the index.",
    schema: { type: "string", pattern: "^[a-z0-9][a-z0-9_-]{0,62}$" },
  },
  id: {
    description: "The document's id, percent-encoded; a slash in it is written %2F.",
    schema: { type: "string", minLength: 1 },
  },
};

/** The whole description, as JSON-able data. */
export function openApi(): Schema {
  const paths: Record<string, Record<string, Schema>> = {};
  for (const route of ROUTES) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Lightedge",
      version: "1",
      description: "Hybrid semantic search with no model on the query path.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    paths,
    components: {
      schemas: { ...requestSchemas(), ...ANSWER_SCHEMAS },
      securitySchemes: {
        adminKey: { type: "http", scheme: "bearer", description: "The secret ADMIN_KEY of the deployment." },
      },
    },
  };
}

function operation(route: Route & { readonly operation: Operation }): Schema {
  const writes = LATER.has(route.operation);
  const needsKey = route.errors.includes(401);
  const parameters = [
    ...pathParameters(route.path),
    ...(QUERY_FIELDS[route.operation] ?? []).map(queryParameter),
    ...(writes ? [IDEMPOTENCY_KEY] : []),
  ];
  const body = BODIES[route.operation];
  return {
    operationId: route.operation,
    summary: route.summary,
    ...(needsKey ? { security: [{ adminKey: [] }] } : {}),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: requestBody(body) }),
    responses: { [writes ? "202" : "200"]: success(route.operation), ...failures(route.errors) },
  };
}

function pathParameters(path: string): Schema[] {
  const names = path.split("/").filter((part) => part.startsWith("{"));
  return names.map((part) => {
    const name = part.slice(1, -1);
    return { name, in: "path", required: true, ...PATH_PARAMETERS[name] };
  });
}

function queryParameter(spec: FieldSpec): Schema {
  return {
    name: spec.name,
    in: "query",
    description: spec.description,
    required: "required" in spec,
    // The form style with explode off is the comma separated list.
    ...(spec.kind === "names" ? { style: "form", explode: false } : {}),
    schema: fieldSchema(spec),
  };
}

function requestBody(schema: string): Schema {
  return { required: true, content: { "application/json": { schema: reference(schema) } } };
}

function success(name: Operation): Schema {
  if (name === "page" || name === "regionsPage")
    return { description: "The page.", content: { "text/html": { schema: { type: "string" } } } };
  return { description: "Done.", content: { "application/json": { schema: reference(ANSWERS[name]) } } };
}

function failures(own: Route["errors"]): Schema {
  const statuses = [...own, 405, 413, 500, 503];
  const content = { "application/json": { schema: reference("Error") } };
  return Object.fromEntries(
    statuses.map((status) => [String(status), { description: ERROR_MEANINGS[status], content }]),
  );
}

/** The JSON Schema of one field. JSON Schema counts characters, so a byte limit is given in words too. */
export function fieldSchema(spec: FieldSpec): Schema {
  switch (spec.kind) {
    case "text":
      return {
        type: "string",
        minLength: 1,
        maxLength: spec.maxBytes,
        description: `${spec.description} At most ${spec.maxBytes} bytes of UTF-8.`,
      };
    case "choice":
      return { type: "string", enum: spec.values, ...fallbackOf(spec), description: spec.description };
    case "integer":
    case "number":
      return {
        type: spec.kind,
        minimum: spec.min,
        maximum: spec.max,
        ...fallbackOf(spec),
        description: spec.description,
      };
    case "flag":
      return { type: "boolean", ...fallbackOf(spec), description: spec.description };
    case "names":
      return {
        type: "array",
        maxItems: spec.maxItems,
        items: { type: "string", minLength: 1, maxLength: spec.maxBytes },
        description: spec.description,
      };
  }
}

function requestSchemas(): Schema {
  const properties = Object.fromEntries(READ_FIELDS.map((spec) => [spec.name, fieldSchema(spec)]));
  const required = READ_FIELDS.filter((spec) => "required" in spec).map(({ name }) => name);
  const index = PATH_PARAMETERS.index;
  return {
    SearchRequest: { type: "object", properties, required, additionalProperties: false },
    DocumentFields: {
      type: "object",
      description: `The document by field name, ${DOCUMENT_LIMITS.documentBytes} bytes in all. title and text are what is searched; others are scalars or lists of scalars.`,
      properties: { title: { type: "string" }, text: { type: "string" } },
      maxProperties: DOCUMENT_LIMITS.fields,
      additionalProperties: {
        type: ["string", "number", "boolean", "null", "array"],
        items: { type: ["string", "number", "boolean"] },
      },
    },
    WarmRequest: {
      type: "object",
      properties: { indexes: nameList("indexes"), regions: nameList("regions") },
      additionalProperties: false,
    },
    BatchRequest: {
      type: "object",
      required: ["queries"],
      additionalProperties: false,
      properties: {
        queries: {
          type: "array",
          minItems: 1,
          maxItems: REQUEST_LIMITS.batch,
          items: {
            type: "object",
            properties: { index: { ...index?.schema, description: index?.description }, ...properties },
            required: ["index", ...required],
            additionalProperties: false,
          },
        },
      },
    },
  };
}

function nameList(what: string): Schema {
  const description = `Names of the ${what} to have ready; all when absent.`;
  return { type: "array", minItems: 1, maxItems: MOST_NAMES, items: { type: "string" }, description };
}

function fallbackOf(spec: { readonly fallback?: unknown }): Schema {
  return spec.fallback === undefined ? {} : { default: spec.fallback };
}

function reference(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}
