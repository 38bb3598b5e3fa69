import { describe, expect, it } from "vitest";
import { addressOf, type WarmOptions, warm } from "../../../indexer/deploy/warm.ts";
import { lightedge } from "../../helpers/command-line.ts";
import { buildTiny, TINY } from "../../helpers/tiny-build.ts";
import { ADMIN_KEY, isolate } from "../../helpers/writing-app.ts";

const OPTIONS: WarmOptions = {
  url: "https://search.example.org",
  adminKey: ADMIN_KEY,
  indexes: [],
  regions: [],
};

/** A deployment that answers this, and what it was asked. */
function answering(status: number, body: unknown) {
  const asked: { readonly url: string; readonly init: RequestInit }[] = [];
  const fetch = async (url: string, init: RequestInit) => {
    asked.push({ url, init });
    return new Response(typeof body === "string" ? body : JSON.stringify(body), { status });
  };
  return { asked, fetch };
}

const DOCS = { index: "docs", region: "weur", version: "3-0123abcd", shards: 2, ms: 80 };

describe("warming", () => {
  it("has a real deployment's indexes ready, and says which are not", async () => {
    const { app } = await isolate((await buildTiny()).store);
    // The signal is of this realm's fetch, which the interface never looks at.
    const fetch = (url: string, { signal: _, ...init }: RequestInit) =>
      app.fetch(new Request(url, { ...init, redirect: "follow" }), { waitUntil: () => undefined });
    const answer = await warm({ ...OPTIONS, indexes: [TINY, "none"] }, { fetch });
    expect(answer.warmed).toMatchObject([{ index: TINY, shards: 0 }]);
    expect(answer.failed).toMatchObject([{ index: "none", code: "index/not-found" }]);
    const wrong = warm({ ...OPTIONS, adminKey: "another-key-0123456789" }, { fetch });
    await expect(wrong).rejects.toMatchObject({ code: "request/unauthorized" });
    const nowhere = warm({ ...OPTIONS, regions: ["mars"] }, { fetch });
    await expect(nowhere).rejects.toMatchObject({
      code: "request/invalid",
      message: expect.stringContaining("mars"),
    });
  });

  it("asks for each index by itself, with the key in a header and never in an address", async () => {
    const { asked, fetch } = answering(200, { warmed: [DOCS], failed: [] });
    const options = { ...OPTIONS, indexes: ["docs", "blog"], regions: ["weur"] };
    expect((await warm(options, { fetch })).warmed).toEqual([DOCS, DOCS]);
    expect(asked.map(({ url }) => url)).toEqual(Array(2).fill("https://search.example.org/v1/warm"));
    expect(asked.map(({ init }) => init.body)).toEqual([
      '{"indexes":["docs"],"regions":["weur"]}',
      '{"indexes":["blog"],"regions":["weur"]}',
    ]);
    expect(asked[0]?.init).toMatchObject({
      method: "POST",
      redirect: "error",
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
    });
  });

  it("asks for all in one where none is named", async () => {
    const { asked, fetch } = answering(200, { warmed: [], failed: [] });
    await warm(OPTIONS, { fetch });
    expect(asked.map(({ init }) => init.body)).toEqual(["{}"]);
  });

  it.each([
    ["a page", 200, "<html>", /answers with what is not JSON/u],
    ["JSON of somebody else", 200, { ok: true }, /answered 200 and not what a deployment answers/u],
    ["an answer cut short", 200, { warmed: [{ index: "docs" }], failed: [] }, /answered 200/u],
    ["nothing", 200, null, /answered 200/u],
    ["an error without a code of ours", 502, { error: { code: "bad", message: "no" } }, /answered 502/u],
  ])("says so where the address answers with %s", async (_, status, body, message) => {
    const { fetch } = answering(status, body);
    await expect(warm(OPTIONS, { fetch })).rejects.toMatchObject({
      code: "store/unavailable",
      message: expect.stringMatching(message),
    });
  });

  it("says so where nobody answers", async () => {
    const fetch = () => Promise.reject(new TypeError("fetch failed"));
    await expect(warm(OPTIONS, { fetch })).rejects.toThrow(
      "https://search.example.org/v1/warm does not answer.",
    );
  });

  it("takes addresses that are ones", () => {
    expect(addressOf("https://a.example/")).toBe("https://a.example");
    expect(addressOf("http://127.0.0.1:8787")).toBe("http://127.0.0.1:8787");
    for (const wrong of ["https://", "https://a/?q=1", "https://user:key@a", "http://a/#b"])
      expect(() => addressOf(wrong)).toThrow(/is no address of a deployment/u);
  });

  it("wants the key and the address before it asks anybody", async () => {
    const { code, stderr } = await lightedge("warm", "https://search.example.org");
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: "error: Set ADMIN_KEY in the environment to the deployment's key.\n",
    });
    expect((await lightedge("warm", "none.yaml")).stderr).toContain("There is no config file none.yaml.");
  });
});
