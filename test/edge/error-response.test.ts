import { describe, expect, test } from "vitest";
import { errorBody, errorResponse, logLine, statusOf } from "../../edge/error-response.ts";
import { asLightedgeError, ERROR_CODES, LightedgeError } from "../../shared/errors.ts";

describe("an error as an answer", () => {
  test("has a status that its code names", () => {
    const statuses = Object.fromEntries(ERROR_CODES.map((code) => [code, statusOf(code)]));
    expect(statuses).toEqual({
      "request/invalid": 400,
      "request/too-large": 413,
      "request/not-found": 404,
      "request/method": 405,
      "request/unauthorized": 401,
      "index/not-found": 404,
      "version/not-found": 404,
      "document/not-found": 404,
      "document/invalid": 400,
      "usage/invalid": 500,
      "store/unavailable": 503,
      "store/denied": 500,
      "store/unsafe": 500,
      "store/conflict": 500,
      "store/invalid-key": 500,
      "blob/missing": 503,
      "blob/corrupt": 503,
      "format/invalid": 503,
      "format/unsupported": 503,
      "binding/mismatch": 503,
      "index/too-large": 503,
      "index/too-many-shards": 503,
      "index/behind": 503,
      "index/partial": 503,
      "shard/unavailable": 503,
      "shard/overloaded": 503,
      "inbox/full": 503,
      "model/invalid": 500,
      "model/unsafe-file": 500,
      "model/batch-dependent": 500,
      "source/invalid": 500,
      "device/unavailable": 500,
      "source/shrank": 500,
      "index/taken": 500,
      internal: 500,
    });
  });

  test("tells the caller what the caller did wrong", async () => {
    const error = new LightedgeError("request/invalid", "limit must be less.", {
      field: "limit",
      limit: 100,
      value: "1000",
    });
    const response = errorResponse(error, "r-1");
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({
      error: { code: "request/invalid", message: "limit must be less.", field: "limit", limit: 100 },
    });
  });

  test.each([
    new Error("secret at /etc/passwd"),
    new LightedgeError("blob/corrupt", "secret blobs/abc", { blob: "secret", field: "secret" }),
    new LightedgeError("store/unavailable", "secret.example refused"),
    "secret",
    null,
    undefined,
  ])("from 500 on tells nothing but the request's id: %s", (error) => {
    const body = errorBody(error, "r-2");
    expect(JSON.stringify(body)).not.toContain("secret");
    expect(Object.keys(body)).toEqual(["code", "message"]);
    expect(body.message).toContain("Request r-2.");
  });

  test("names the blob that is at fault, by its digest", () => {
    const blob = `blobs/${"a".repeat(64)}`;
    const error = new LightedgeError("blob/corrupt", "secret", { blob });
    expect(errorBody(error, "r").message).toContain(blob);
  });

  test("asks to come again where that may help", () => {
    const missing = errorResponse(new LightedgeError("blob/missing", "x"), "r");
    expect(missing.headers.get("retry-after")).toBe("1");
    expect(errorResponse(new Error("x"), "r").headers.has("retry-after")).toBe(false);
  });

  test("is well-formed text whatever was cut in it", () => {
    const error = new LightedgeError("request/invalid", "no \ud83d", { field: "\ud83d" });
    const { message, field } = errorBody(error, "r");
    expect([message.isWellFormed(), field?.isWellFormed()]).toEqual([true, true]);
  });
});

describe("the log line of an error", () => {
  test("is one line that keeps the cause", () => {
    const error = asLightedgeError(new Error("first\nsecond\u001b[31m"));
    const line = logLine(error, "r-3", "GET /v1/indexes/x/search");
    expect(line.split("").every((character) => character >= " ")).toBe(true);
    expect(JSON.parse(line)).toMatchObject({ request: "r-3", code: "internal", level: "error" });
    expect(JSON.parse(line).cause).toContain("first");
  });
});
