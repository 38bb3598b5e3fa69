import { describe, expect, test } from "vitest";
import { preparePage } from "../../edge/page-response.ts";
import { LightedgeError } from "../../shared/errors.ts";
import { errorOf, post, testApp } from "../helpers/edge-app.ts";
import { fakeIndex } from "../helpers/fake-index.ts";

const SEARCH = "/v1/indexes/docs/search";

describe("searching", () => {
  test("answers GET and POST alike, with timings", async () => {
    const { fetch } = testApp([fakeIndex()]);
    const got = await fetch(`${SEARCH}?q=search+meaning&limit=1&fields=title`);
    const posted = await fetch(SEARCH, post({ q: "search meaning", limit: 1, fields: ["title"] }));
    const answer = await got.json();
    expect(answer).toMatchObject({ index: "docs", region: "test", hits: [{ id: "search/meaning" }] });
    expect(await posted.json()).toEqual(answer);
    expect(got.headers.get("server-timing")).toMatch(/^load;dur=[\d.]+, search;dur=0\.42$/);
    expect(got.headers.get("cache-control")).toBe("no-store");
  });

  test("of an unknown index is 404 after one look", async () => {
    const { fetch, loads } = testApp([fakeIndex()]);
    const response = await fetch("/v1/indexes/other/search?q=a");
    expect(response.status).toBe(404);
    expect(await errorOf(response)).toMatchObject({ code: "index/not-found", field: "index" });
    expect(loads).toEqual(["other"]);
  });

  test("several at once answers or refuses each on its own", async () => {
    const { fetch, loads } = testApp([fakeIndex()]);
    const queries = [
      { index: "docs", q: "meaning" },
      { index: "docs", q: "meaning", limit: 0 },
      { index: "none", q: "a" },
      7,
    ];
    const response = await fetch("/v1/search", post({ queries }));
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      answers: [
        { index: "docs", hits: [{ id: "search/meaning" }] },
        { error: { code: "request/invalid", field: "limit", limit: 1 } },
        { error: { code: "index/not-found" } },
        { error: { code: "request/invalid" } },
      ],
    });
    expect(loads).toEqual(["docs", "none"]);
  });

  test("several at once are run in turn, so that only one holds its candidates", async () => {
    let running = 0;
    const beforeSearch = async () => {
      expect(++running).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 1));
      running--;
    };
    const { fetch } = testApp([fakeIndex({ beforeSearch })]);
    const queries = ["meaning", "words", "edge"].map((q) => ({ index: "docs", q }));
    const response = await fetch("/v1/search", post({ queries }));
    const { answers } = (await response.json()) as {
      readonly answers: readonly { hits: readonly unknown[] }[];
    };
    expect(answers.map(({ hits }) => hits.length > 0)).toEqual([true, true, true]);
  });
});

describe("paths and methods", () => {
  test.each([
    "/health/",
    "//health",
    "/v1//search",
    "/v1/indexes/docs/search/",
    "/v1/indexes//search?q=a",
    "/V1/search",
    "/%68ealth",
    "/v1/indexes/docs/documents/",
    "/x",
  ])("%s leads nowhere", async (path) => {
    const response = await testApp([fakeIndex()]).fetch(path);
    expect(response.status).toBe(404);
    expect((await errorOf(response)).code).toBe("request/not-found");
  });

  test.each([
    ["PUT", SEARCH, "GET, HEAD, POST, OPTIONS"],
    ["DELETE", "/v1/search", "POST, OPTIONS"],
    ["GET", "/v1/search", "POST, OPTIONS"],
    ["POST", "/health", "GET, HEAD, OPTIONS"],
    ["PROPFIND", "/", "GET, HEAD, OPTIONS"],
  ])("%s %s is refused with the methods that are not", async (method, path, allow) => {
    const response = await testApp([fakeIndex()]).fetch(path, { method });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe(allow);
    expect((await errorOf(response)).code).toBe("request/method");
  });

  test("HEAD answers as GET does, without the body", async () => {
    const response = await testApp([fakeIndex()]).fetch(`${SEARCH}?q=meaning`, { method: "HEAD" });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toContain("application/json");
    expect(await response.text()).toBe("");
  });

  test("OPTIONS tells the methods, and browsers that other sites may ask", async () => {
    const { fetch } = testApp([]);
    const response = await fetch(SEARCH, { method: "OPTIONS", headers: { origin: "https://a.example" } });
    expect(response.status).toBe(204);
    expect(response.headers.get("access-control-allow-methods")).toBe("GET, HEAD, POST, OPTIONS");
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    expect((await fetch("/nowhere", { method: "OPTIONS" })).status).toBe(404);
  });

  test("only listed origins may read answers where some are listed", async () => {
    const { fetch } = testApp([fakeIndex()], { allowedOrigins: ["https://a.example"] });
    const ask = async (origin: string) => (await fetch("/health", { headers: { origin } })).headers;
    expect((await ask("https://a.example")).get("access-control-allow-origin")).toBe("https://a.example");
    expect((await ask("https://b.example")).get("access-control-allow-origin")).toBeNull();
    expect((await ask("https://b.example")).get("vary")).toBe("origin");
  });
});

describe("the other routes", () => {
  test("describe an index", async () => {
    const response = await testApp([fakeIndex()]).fetch("/v1/indexes/docs");
    expect(await response.json()).toMatchObject({
      index: "docs",
      version: "7-00000007",
      seq: 7,
      age_s: 86_400,
      documents: 3,
      tasks: ["search"],
      bytes: 100,
    });
  });

  test("give a document by its decoded id, and 404 for none", async () => {
    const { fetch } = testApp([fakeIndex()]);
    const found = await fetch("/v1/indexes/docs/documents/search%2Fwords");
    expect(await found.json()).toMatchObject({
      index: "docs",
      id: "search/words",
      fields: { title: "Searching by words" },
    });
    const none = await fetch("/v1/indexes/docs/documents/%3Cscript%3E");
    expect(none.status).toBe(404);
    expect(await errorOf(none)).toMatchObject({ code: "document/not-found", field: "id" });
  });

  test("tell health from what is loaded, touching no storage", async () => {
    const { fetch, loads } = testApp([fakeIndex()]);
    expect(await (await fetch("/health")).json()).toEqual({
      status: "ok",
      region: "test",
      regions: [{ region: "test", failing: null, try_in_s: null }],
      indexes: [],
      checks: [],
      budget_bytes: 1_000_000,
    });
    expect(loads).toEqual([]);
    await fetch(`${SEARCH}?q=a`);
    expect(await (await fetch("/health")).json()).toMatchObject({
      indexes: [{ index: "docs", version: "7-00000007", resident_bytes: 1000 }],
    });
  });

  test("list the indexes of the deployment", async () => {
    expect(await (await testApp([fakeIndex()]).fetch("/v1/indexes")).json()).toEqual({ indexes: ["docs"] });
  });
});

describe("failures of ours", () => {
  test.each([
    [new Error("secret"), 500, "internal"],
    ["secret", 500, "internal"],
    [new LightedgeError("store/unavailable", "secret"), 503, "store/unavailable"],
    [new LightedgeError("blob/corrupt", "secret"), 503, "blob/corrupt"],
  ])("tell nothing but a request id, which the log has too: %s", async (failure, status, code) => {
    const index = fakeIndex({
      beforeSearch: () => {
        throw failure;
      },
    });
    const { fetch, log } = testApp([index]);
    const response = await fetch(`${SEARCH}?q=private+words`);
    expect(response.status).toBe(status);
    const text = await response.clone().text();
    expect(text).not.toContain("secret");
    expect((await errorOf(response)).code).toBe(code);
    const id = response.headers.get("x-request-id");
    expect(text).toContain(id);
    expect(log).toHaveLength(1);
    expect(JSON.parse(log[0]!)).toMatchObject({ request: id, code, route: `GET ${SEARCH}` });
    expect(log[0]).not.toContain("private");
  });

  test("carry the headers that every answer carries", async () => {
    const { fetch } = testApp([fakeIndex()]);
    for (const path of ["/", "/health", "/nowhere", `${SEARCH}?q=a`, "/v1/indexes/none"]) {
      const { headers } = await fetch(path);
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      expect(headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    }
  });
});

describe("the page", () => {
  const built = '<meta name="lightedge" content="{}"><style>a{}</style><script type="module">let a;</script>';

  test("allows its own style and script by digest, and nothing else", async () => {
    const { headers } = await preparePage(built, { indexes: [], examples: [] });
    const policy = headers["content-security-policy"];
    expect(policy).toContain("default-src 'none'");
    expect(policy).toMatch(/script-src 'sha256-[\w+/]{43}='/);
    expect(policy).toMatch(/style-src 'sha256-[\w+/]{43}='/);
    expect(policy).not.toContain("unsafe");
  });

  test("keeps settings inside their attribute", async () => {
    const examples = ['"><script>alert(1)</script>', "$& $1 & 'x'"];
    const { html } = await preparePage(built, { indexes: ["docs"], examples });
    expect(html.match(/<script/g)).toHaveLength(1);
    const content = /content="([^"]*)"/.exec(html)![1]!;
    const decoded = content.replaceAll("&quot;", '"').replaceAll("&lt;", "<").replaceAll("&gt;", ">");
    expect(JSON.parse(decoded.replaceAll("&amp;", "&"))).toEqual({ indexes: ["docs"], examples });
  });
});
