import { describe, expect, test } from "vitest";
import { errorOf, post, testApp } from "../helpers/edge-app.ts";
import { fakeIndex } from "../helpers/fake-index.ts";

const SEARCH = "/v1/indexes/docs/search";

/** A body that comes in parts, with no length said or the one given. */
function streamed(parts: readonly Uint8Array[], headers: Record<string, string> = {}) {
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const part = parts[sent++];
      if (part === undefined) controller.close();
      else controller.enqueue(part);
    },
  });
  const init = { ...post("", headers), body, duplex: "half" } as RequestInit;
  return { init, sent: () => sent };
}

describe("bad input", () => {
  const invalid = new Uint8Array([0x7b, 0x22, 0x71, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d]);
  const cases: readonly [
    name: string,
    path: string,
    init: RequestInit | undefined,
    status: number,
    field: string,
  ][] = [
    ["no q", SEARCH, undefined, 400, "q"],
    ["a long q", SEARCH, post({ q: "a".repeat(8193) }), 400, "q"],
    ["a long URL", `${SEARCH}?q=${"a".repeat(16_400)}`, undefined, 413, "url"],
    ["a large body", SEARCH, post({ q: "a".repeat(70_000) }), 413, "body"],
    ["bytes that are not UTF-8", SEARCH, post(invalid), 400, "body"],
    ["text that is not JSON", SEARCH, post("{q:1}"), 400, "body"],
    ["an empty body", SEARCH, post(""), 400, "body"],
    ["a deep body", SEARCH, post(`${"[".repeat(20_000)}`), 400, "body"],
    ["a lone surrogate", SEARCH, post('{"q":"\\ud800"}'), 400, "q"],
    ["a polluting key", SEARCH, post('{"q":"a","__proto__":{"limit":3}}'), 400, "__proto__"],
    ["a repeated key", SEARCH, post('{"q":"a","q":"b"}'), 400, "q"],
    ["another content type", SEARCH, post({ q: "a" }, { "content-type": "text/plain" }), 400, "content-type"],
    ["a compressed body", SEARCH, post({ q: "a" }, { "content-encoding": "gzip" }), 400, "content-encoding"],
    ["parameters beside a body", `${SEARCH}?limit=3`, post({ q: "a" }), 400, "limit"],
    ["an invalid escape", `${SEARCH}?q=%ff`, undefined, 400, "q"],
    ["a bad name", "/v1/indexes/Docs/search?q=a", undefined, 400, "index"],
    ["an encoded name", "/v1/indexes/d%6fcs/search?q=a", undefined, 400, "index"],
    ["a long name", `/v1/indexes/${"a".repeat(64)}/search?q=a`, undefined, 400, "index"],
    ["a bad id", "/v1/indexes/docs/documents/%ff", undefined, 400, "id"],
    ["a parameter of no use", "/v1/indexes/docs?verbose=1", undefined, 400, "verbose"],
    ["an empty batch", "/v1/search", post({ queries: [] }), 400, "queries"],
    [
      "a batch of 17",
      "/v1/search",
      post({ queries: Array(17).fill({ index: "docs", q: "a" }) }),
      400,
      "queries",
    ],
    ["no batch", "/v1/search", post({ q: "a" }), 400, "q"],
  ];

  test.each(cases)(
    "%s is refused before any storage is touched",
    async (_name, path, init, status, field) => {
      const { fetch, loads, log } = testApp([fakeIndex()]);
      const response = await fetch(path, init);
      expect(response.status).toBe(status);
      expect(await errorOf(response)).toMatchObject({ field });
      expect(loads).toEqual([]);
      expect(log).toEqual([]);
    },
  );

  test("a body is counted as it comes, whatever its length is said to be", async () => {
    const { fetch } = testApp([fakeIndex()]);
    for (const headers of [{}, { "content-length": "10" }]) {
      const parts = Array.from({ length: 1000 }, () => new Uint8Array(8192).fill(0x20));
      const { init, sent } = streamed(parts, headers);
      const response = await fetch(SEARCH, init);
      expect(response.status).toBe(413);
      expect(sent()).toBeLessThan(15);
    }
  });

  test("a body that is said to be too large is not read", async () => {
    const { init, sent } = streamed([new Uint8Array(10)], { "content-length": "65537" });
    const response = await testApp([fakeIndex()]).fetch(SEARCH, init);
    expect(response.status).toBe(413);
    expect(sent()).toBeLessThan(2);
  });

  test("a body in many parts is put together", async () => {
    const bytes = new TextEncoder().encode('{"q":"meaning é"}');
    const { init } = streamed([...bytes].map((byte) => new Uint8Array([byte])));
    expect((await testApp([fakeIndex()]).fetch(SEARCH, init)).status).toBe(200);
  });
});
