import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SEARCH_FIELDS } from "../../edge/fields.ts";
import { parameters } from "../../edge/query-string.ts";
import {
  batchItems,
  batchQueryFromJson,
  documentIdFromPath,
  requestFromJson as freshRequestFromJson,
  requestFromParameters,
} from "../../edge/request.ts";
import { type ErrorDetails, LightedgeError } from "../../shared/errors.ts";
import { REQUEST_LIMITS } from "../../shared/limits.ts";
import { FUSION_RULES, MODES, type SearchRequest } from "../../shared/types.ts";

const fromUrl = (query: string): SearchRequest =>
  requestFromParameters(parameters(`http://h/p?${query}`)).request;

const requestFromJson = (body: unknown): SearchRequest => freshRequestFromJson(body).request;

/** The details of the one error that is allowed here. */
function refusal(act: () => unknown): ErrorDetails & { code: string; message: string } {
  try {
    act();
  } catch (error) {
    if (!(error instanceof LightedgeError)) throw error;
    return { ...error.details, code: error.code, message: error.message };
  }
  throw new Error("It was accepted.");
}

describe("a search request from URL parameters", () => {
  test("has the documented defaults", () => {
    const defaults = { mode: "hybrid", limit: 10, offset: 0, explain: false, typos: true, strict: false };
    expect(fromUrl("q=tea")).toEqual({ q: "tea", ...defaults });
  });

  test("leaves typos alone where that is asked, in either spelling of a request", () => {
    expect(fromUrl("q=tea&typos=false").typos).toBe(false);
    expect(requestFromJson({ q: "tea", typos: false })).toEqual(fromUrl("q=tea&typos=false"));
    expect(refusal(() => fromUrl("q=tea&typos=no"))).toMatchObject({
      code: "request/invalid",
      field: "typos",
    });
  });

  test("takes every field", () => {
    const query =
      "q=a+b%20c&mode=dense&limit=5&offset=20&task=qa&fusion=rrf&weight=0.70&explain=true&typos=false&strict=true&fields=title,url";
    expect(fromUrl(query)).toEqual({
      q: "a b c",
      mode: "dense",
      limit: 5,
      offset: 20,
      task: "qa",
      fusion: "rrf",
      weight: 0.7,
      explain: true,
      typos: false,
      strict: true,
      fields: ["title", "url"],
    });
  });

  test.each([
    ["limit=1", "q", undefined],
    ["q=", "q", undefined],
    ["q=+%09%E3%80%80", "q", undefined],
    [`q=${"a".repeat(REQUEST_LIMITS.queryBytes + 1)}`, "q", REQUEST_LIMITS.queryBytes],
    [`q=${"%C3%A9".repeat(REQUEST_LIMITS.queryBytes / 2 + 1)}`, "q", REQUEST_LIMITS.queryBytes],
    [`q=${"word+".repeat(10_000)}`, "q", REQUEST_LIMITS.queryBytes],
    ["q=a&limit=0", "limit", 1],
    ["q=a&limit=-1", "limit", 1],
    ["q=a&limit=1.5", "limit", undefined],
    ["q=a&limit=1e2", "limit", undefined],
    ["q=a&limit=1000000000", "limit", 100],
    ["q=a&limit=NaN", "limit", undefined],
    ["q=a&limit=", "limit", undefined],
    ["q=a&limit=+10", "limit", undefined],
    ["q=a&limit=0x10", "limit", undefined],
    ["q=a&offset=-1", "offset", 0],
    ["q=a&offset=1000", "offset", 999],
    ["q=a&offset=991&limit=10", "offset", 1000],
    ["q=a&mode=Dense", "mode", undefined],
    ["q=a&fusion=max", "fusion", undefined],
    ["q=a&weight=1.01", "weight", 1],
    ["q=a&weight=-0.01", "weight", 0],
    ["q=a&weight=.5", "weight", undefined],
    ["q=a&weight=5.", "weight", undefined],
    ["q=a&weight=Infinity", "weight", undefined],
    ["q=a&explain=1", "explain", undefined],
    ["q=a&task=", "task", undefined],
    ["q=a&fields=", "fields", undefined],
    ["q=a&fields=a,,b", "fields", undefined],
    [`q=a&fields=${"f,".repeat(32)}f`, "fields", 32],
    ["q=a&__proto__=x", "__proto__", undefined],
    ["q=a&q=b", "q", undefined],
    ["q=a&%71=b", "q", undefined],
    ["q=%ff", "q", undefined],
    ["q=%ED%A0%80", "q", undefined],
    ["q=100%", "q", undefined],
    ["q=%4", "q", undefined],
    ["q=%zz", "q", undefined],
  ])("refuses %.40s, naming the field and the bound", (query, field, limit) => {
    expect(refusal(() => fromUrl(query))).toMatchObject({
      code: "request/invalid",
      field,
      ...(limit === undefined ? {} : { limit }),
    });
  });

  test("suggests the known name that an unknown one resembles", () => {
    expect(refusal(() => fromUrl("q=a&limt=3"))).toMatchObject({
      field: "limt",
      message: 'There is no field "limt" here. Did you mean limit?',
    });
    expect(refusal(() => fromUrl("q=a&colour=red")).message).toBe('There is no field "colour" here.');
  });

  test("accepts a replacement character that was sent as such", () => {
    expect(fromUrl("q=%EF%BF%BD").q).toBe("\uFFFD");
  });

  test("accepts bounds themselves", () => {
    expect(fromUrl("q=a&limit=100&offset=900&weight=1")).toMatchObject({
      limit: 100,
      offset: 900,
      weight: 1,
    });
    expect(fromUrl(`q=${"a".repeat(REQUEST_LIMITS.queryBytes)}`).q).toHaveLength(REQUEST_LIMITS.queryBytes);
  });
});

describe("a search request from JSON", () => {
  test.each([
    [{ q: "a", limit: "10" }, "limit"],
    [{ q: "a", limit: 1.5 }, "limit"],
    [{ q: "a", limit: 1e9 }, "limit"],
    [{ q: "a", limit: null }, "limit"],
    [{ q: "a", weight: "0.5" }, "weight"],
    [{ q: "a", explain: "true" }, "explain"],
    [{ q: "a", explain: 1 }, "explain"],
    [{ q: "a", fields: "title" }, "fields"],
    [{ q: "a", fields: [1] }, "fields"],
    [{ q: "a", fields: ["\ud800"] }, "fields"],
    [{ q: "a", mode: ["dense"] }, "mode"],
    [{ q: ["a"] }, "q"],
    [{ q: { toString: "a" } }, "q"],
    [{ q: "\ud800" }, "q"],
    [{ q: "a\udc00b" }, "q"],
    [{ q: "a", task: "\ud800" }, "task"],
    [{ q: "a", query: "b" }, "query"],
    [{}, "q"],
    [[], "body"],
    [null, "body"],
    ["q", "body"],
    [JSON.parse('{"q":"a","__proto__":{"limit":5}}'), "__proto__"],
    [JSON.parse('{"q":"a","constructor":{}}'), "constructor"],
  ])("refuses %j", (body, field) => {
    expect(refusal(() => requestFromJson(body))).toMatchObject({ code: "request/invalid", field });
  });

  test("tells no minus zero from zero", () => {
    const { offset, weight } = requestFromJson({ q: "a", offset: -0, weight: -0 });
    expect([Object.is(offset, 0), Object.is(weight, 0)]).toEqual([true, true]);
  });
});

describe("a batch", () => {
  test("holds 1 to 16 queries and nothing else", () => {
    expect(batchItems({ queries: [1, 2] })).toEqual([1, 2]);
    for (const queries of [[], Array(17).fill({}), {}, "q"]) {
      expect(refusal(() => batchItems({ queries }))).toMatchObject({ field: "queries", limit: 16 });
    }
    expect(refusal(() => batchItems({ queries: [1], limit: 3 })).field).toBe("limit");
    expect(refusal(() => batchItems({})).field).toBe("queries");
  });

  test("takes an index beside the fields of a search", () => {
    expect(batchQueryFromJson({ index: "docs", q: "a" })).toEqual({
      index: "docs",
      request: requestFromJson({ q: "a" }),
      freshness: {},
    });
    expect(refusal(() => batchQueryFromJson({ q: "a" })).field).toBe("index");
    expect(refusal(() => batchQueryFromJson({ index: 1, q: "a" })).field).toBe("index");
    expect(refusal(() => batchQueryFromJson({ index: "../x", q: "a" })).field).toBe("index");
  });
});

describe("a document's id in a path", () => {
  test("is decoded once", () => {
    expect(documentIdFromPath("a%2Fb%2520c+d")).toBe("a/b%20c+d");
  });

  test.each(["%ff", "%", "%ED%A0%80", "x".repeat(513), ""])("is refused as %.12s", (segment) => {
    expect(refusal(() => documentIdFromPath(segment)).field).toBe("id");
  });
});

describe("whatever is sent", () => {
  /** Values near every edge of every field, and anything else. */
  const value = fc.oneof(
    fc.constantFrom<unknown>(
      0,
      -1,
      1,
      100,
      101,
      1.5,
      1e9,
      Number.NaN,
      "10",
      "",
      " ",
      true,
      null,
      "dense",
      "rrf",
    ),
    fc.constantFrom<unknown>("\ud800", ["title"], [], ["a", 1], "a".repeat(8193), { a: 1 }),
    fc.double(),
    fc.string({ unit: "binary" }),
  );
  const name = fc.oneof(
    fc.constantFrom(...SEARCH_FIELDS.map((spec) => spec.name)),
    fc.constantFrom("__proto__", "constructor", "", "Q"),
    fc.string(),
  );
  const body = fc.oneof(
    fc.record({ q: fc.string({ minLength: 1 }) }, { requiredKeys: [] }),
    fc.dictionary(name, value),
    fc.anything(),
  );

  test("in a body, becomes a request within bounds or one of our errors", () => {
    const frozen = JSON.stringify(Object.getOwnPropertyNames(Object.prototype));
    fc.assert(
      fc.property(body, fc.dictionary(name, value), (some, others) => {
        for (const candidate of [some, { q: "tea", ...others }]) {
          checkOutcome(() => requestFromJson(candidate));
        }
      }),
      { numRuns: 500 },
    );
    expect(JSON.stringify(Object.getOwnPropertyNames(Object.prototype))).toBe(frozen);
  });

  test("in a URL, becomes a request within bounds or one of our errors", () => {
    const raw = fc.oneof(
      fc.string({ unit: fc.constantFrom("q", "=", "&", "%", "f", "2", "0", "+", "#", "limit", "é") }),
      fc.webQueryParameters(),
      fc.array(fc.tuple(name, value)).map((pairs) =>
        pairs
          .map(([key, given]) => `${key}=${encodeURIComponent(String(given).toWellFormed())}`)
          .concat("q=tea")
          .join("&"),
      ),
    );
    fc.assert(
      fc.property(raw, (query) => checkOutcome(() => fromUrl(query))),
      { numRuns: 500 },
    );
  });
});

/** Holds what came out against `REQUEST_LIMITS`, written out a second time. */
function checkOutcome(act: () => SearchRequest): void {
  let request: SearchRequest;
  try {
    request = act();
  } catch (error) {
    expect(error).toBeInstanceOf(LightedgeError);
    expect((error as LightedgeError).code).toBe("request/invalid");
    expect((error as LightedgeError).details.field).toBeTypeOf("string");
    return;
  }
  const { q, mode, limit, offset, fusion, weight, explain, fields, task } = request;
  expect(q.trim()).not.toBe("");
  expect(q.isWellFormed()).toBe(true);
  expect(Buffer.byteLength(q)).toBeLessThanOrEqual(8192);
  expect(MODES).toContain(mode);
  expect(Number.isInteger(limit) && limit >= 1 && limit <= 100).toBe(true);
  expect(Number.isInteger(offset) && offset >= 0 && offset + limit <= 1000).toBe(true);
  expect(explain).toBeTypeOf("boolean");
  if (fusion !== undefined) expect(FUSION_RULES).toContain(fusion);
  if (weight !== undefined) expect(weight >= 0 && weight <= 1).toBe(true);
  if (task !== undefined) expect(task.isWellFormed() && Buffer.byteLength(task) <= 64).toBe(true);
  for (const field of fields ?? []) expect(field.isWellFormed() && field !== "").toBe(true);
  expect(fields?.length ?? 0).toBeLessThanOrEqual(32);
}
