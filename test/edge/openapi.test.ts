import { describe, expect, test } from "vitest";
import { READ_FIELDS } from "../../edge/fields.ts";
import { openApi } from "../../edge/openapi.ts";
import { parameters } from "../../edge/query-string.ts";
import { requestFromJson as freshRequestFromJson, requestFromParameters } from "../../edge/request.ts";
import { ROUTES } from "../../edge/routes.ts";
import { watch } from "../../edge/watch.ts";
import { testApp } from "../helpers/edge-app.ts";
import { schemaErrors } from "../helpers/json-schema.ts";
import { buildTiny, TINY } from "../helpers/tiny-build.ts";
import { tinyDocuments } from "../helpers/tiny-corpus.ts";
import { ADMIN_KEY, isolate } from "../helpers/writing-app.ts";

const requestFromJson = (body: unknown) => freshRequestFromJson(body).request;

type Json = Readonly<Record<string, unknown>>;
const KEY = { authorization: `Bearer ${ADMIN_KEY}` };
const FIRST = tinyDocuments(1)[0]!.id;
const { store } = await buildTiny();
const api = openApi();
const paths = api.paths as Readonly<Record<string, Readonly<Record<string, Json>>>>;
const schemas = (api.components as { schemas: Readonly<Record<string, Json>> }).schemas;

describe("the API description", () => {
  test("names the routes that the router has, and no others", () => {
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const { routes } = testApp([]).app;
    const routed = routes
      .filter(({ method }) => method !== "ALL" && method !== "OPTIONS")
      .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, "{$1}")}`);
    expect(described.sort()).toEqual(routed.sort());
    expect(described).toHaveLength(ROUTES.length);
  });

  test("answers every described path without 404 or 405", async () => {
    const { fetch } = await isolate(store);
    for (const [path, methods] of Object.entries(paths)) {
      const url = path.replace("{index}", TINY).replace("{id}", FIRST);
      for (const method of Object.keys(methods)) {
        const { status } = await fetch(url, { method });
        expect([404, 405], `${method} ${path}`).not.toContain(status);
      }
    }
  });

  test("refers only to what it holds", () => {
    for (const [, name] of JSON.stringify(api).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      expect(schemas).toHaveProperty(name!);
    }
  });

  test("has one operation id for each operation", () => {
    const ids = Object.values(paths).flatMap((methods) =>
      Object.values(methods).map((one) => one.operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("describes each field with the bounds that are enforced", () => {
    const { properties } = schemas.SearchRequest as { properties: Readonly<Record<string, Json>> };
    expect(Object.keys(properties)).toEqual(READ_FIELDS.map((spec) => spec.name));
    for (const [name, schema] of Object.entries(properties)) {
      const refused = [schema.minimum, schema.maximum].filter((bound) => typeof bound === "number");
      for (const bound of refused) {
        const outside = bound === schema.minimum ? bound - 1 : bound + 1;
        expect(() => requestFromJson({ q: "a", [name]: bound, ...room(name) })).not.toThrow();
        expect(() => requestFromJson({ q: "a", [name]: outside })).toThrow(name);
        expect(() => requestFromParameters(parameters(`http://h/?q=a&${name}=${outside}`))).toThrow(name);
      }
      for (const word of (schema.enum ?? []) as string[]) {
        expect(requestFromJson({ q: "a", [name]: word })).toMatchObject({ [name]: word });
      }
      if ("default" in schema) expect(requestFromJson({ q: "a" })).toMatchObject({ [name]: schema.default });
    }
  });

  test("describes the answers that are really given", async () => {
    const { fetch, write, checks } = await isolate(store);
    const regions = [{ name: "test", home: true, store }];
    await watch({ regions, webhook: null, maxAge: new Map(), checks, now: Date.now, log() {} }, [
      TINY,
      "none",
    ]);
    const batch = { queries: [{ index: TINY, q: "river" }, { index: TINY }] };
    const calls = [
      ["SearchAnswer", await fetch(`/v1/indexes/${TINY}/search?q=river&explain=true`)],
      ["BatchAnswer", await fetch("/v1/search", { method: "POST", body: batch })],
      ["IndexList", await fetch("/v1/indexes")],
      ["WriteAnswer", await write("w", { text: "river" })],
      ["WriteAnswer", await write("w")],
      ["IndexDescription", await fetch(`/v1/indexes/${TINY}`)],
      ["Document", await fetch(`/v1/indexes/${TINY}/documents/${FIRST}`)],
      ["RegionsReport", await fetch(`/v1/regions?index=${TINY}`)],
      [
        "WarmAnswer",
        await fetch("/v1/warm", { method: "POST", headers: KEY, body: { indexes: [TINY, "none"] } }),
      ],
      ["Health", await fetch("/health")],
      ["Error", await fetch(`/v1/indexes/${TINY}/search?limit=0&q=a`)],
      ["Error", await fetch(`/v1/indexes/${TINY}/documents/a`, { method: "DELETE" })],
      ["Error", await fetch("/nowhere")],
    ] as const;
    for (const [name, response] of calls) {
      const errors = schemaErrors(await response.json(), schemas[name]!, api);
      expect(errors, name).toEqual([]);
    }
  });

  test("is served", async () => {
    const response = await testApp([]).fetch("/openapi.json");
    expect(await response.json()).toEqual(JSON.parse(JSON.stringify(api)));
  });
});

/** What else a request needs for the greatest offset to be allowed. */
function room(name: string): Json {
  return name === "offset" ? { limit: 1 } : {};
}
