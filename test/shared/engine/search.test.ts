import { beforeAll, describe, expect, it } from "vitest";
import type { OpenIndex } from "../../../shared/engine/api.ts";
import { openIndex } from "../../../shared/engine/open.ts";
import { REQUEST_LIMITS } from "../../../shared/limits.ts";
import type { MemoryStore } from "../../../shared/store/memory.ts";
import { MODES, type SearchAnswer } from "../../../shared/types.ts";
import { buildTiny, openTiny, requestFor, TINY, tinyPorts } from "../../helpers/tiny-build.ts";
import { documentOf, ODD_DOCUMENTS, sourceOf, tinyDocuments } from "../../helpers/tiny-corpus.ts";
import { tinyEncoder } from "../../helpers/tiny-encoder.ts";

const DOCUMENTS = tinyDocuments(120);
const TASKS = {
  search: { query_prompt: "", document_prompt: "" },
  twin: { query_prompt: "twin: ", document_prompt: "" },
};
let store: MemoryStore;
let index: OpenIndex;

beforeAll(async () => {
  ({ store } = await buildTiny({
    source: sourceOf(DOCUMENTS),
    encoder: tinyEncoder({ tasks: TASKS }),
    tasks: ["search", "twin"],
    shardChunks: 60,
  }));
  index = await openTiny(store, "wasm");
});

describe("an answer", () => {
  it("says which version of which index answered, where and how long it took", async () => {
    let clock = 100;
    const ports = { ...(await tinyPorts(store)), region: "weur", now: () => (clock += 2.5) };
    const answer = await (await openIndex(ports, TINY)).search(requestFor("river", { mode: "sparse" }));
    expect(answer).toMatchObject({
      index: TINY,
      region: "weur",
      mode: "sparse",
      took_ms: 2.5,
      partial: false,
    });
    expect(answer.version).toBe(index.version);
    expect(answer.version).toBe(`1-${index.manifestSha256.slice(0, 8)}`);
    expect(answer).not.toHaveProperty("warnings");
  });

  it("counts the documents that paging can reach", async () => {
    const total = async (q: string, mode: (typeof MODES)[number]) =>
      (await index.search(requestFor(q, { mode }))).total;
    expect(await total("harbour", "dense")).toBe(DOCUMENTS.length);
    expect(await total("harbour", "hybrid")).toBe(DOCUMENTS.length);
    expect(await total("[PAD]", "hybrid")).toBe(0);
    const matches = await total("harbour", "sparse");
    expect(matches).toBeGreaterThan(0);
    expect(matches).toBeLessThan(DOCUMENTS.length);
    const { hits } = await index.search(requestFor("harbour", { mode: "sparse", limit: 100 }));
    expect(hits.length).toBe(matches);
  });

  it("finds a document that only the postings know of", async () => {
    // No span was drawn from this text of unknown signs, so its token has a posting and no row.
    const { hits } = await index.search(requestFor("☃", { mode: "hybrid" }));
    expect(hits.map(({ id }) => id)).toContain("unknown");
  });

  it("finds every document by its own title and text", async () => {
    for (const id of ["__proto__", "a/b", "🌊 wave", "title-only", "one-word", "repeated", "foreign"]) {
      const { title = "", text = "" } = DOCUMENTS.find((document) => document.id === id)!.fields;
      const { hits } = await index.search(requestFor(`${title} ${text}`, { limit: 3 }));
      expect(hits.map((hit) => hit.id)).toContain(id);
    }
  });

  it("puts equal documents beside each other in the order of their ids", async () => {
    for (const mode of MODES) {
      const { hits } = await index.search(requestFor("nurse doctor fever", { mode, limit: 100 }));
      const first = hits.findIndex(({ id }) => id === "twin-a");
      expect(first).toBeGreaterThanOrEqual(0);
      expect(hits[first + 1]).toMatchObject({ id: "twin-b", score: hits[first]!.score });
    }
  });
});

describe("a misspelt word", () => {
  const ask = (q: string, typos?: boolean) =>
    index.search(requestFor(q, { explain: true, limit: 30, ...(typos === undefined ? {} : { typos }) }));
  const ranking = ({ hits }: SearchAnswer) => hits.map(({ id, score, snippet }) => ({ id, score, snippet }));

  it("is searched for, shown and marked as the word that was meant", async () => {
    const meant = await ask("the harbour boat");
    const answer = await ask("the Harbuor boat");
    expect(answer.corrections).toEqual([{ word: "Harbuor", start: 4, end: 11, used: "harbour" }]);
    expect(ranking(answer)).toEqual(ranking(meant));
    expect(meant).not.toHaveProperty("corrections");
    const { text, marks } = answer.hits.find(({ id }) => id === "one-word")!.snippet;
    expect(marks.map(([from, to]) => text.slice(from, to))).toEqual(["harbour"]);
  });

  it("is explained where and as it was typed, with the shares of the word that was meant", async () => {
    const [meant, typed] = [await ask("harbour and boatt river"), await ask("harbuor and boatt river")];
    typed.hits.forEach((hit, at) => {
      const { words } = hit.explain!;
      expect(words.map(({ word, start, end }) => [word, start, end])).toEqual([
        ["harbuor", 0, 7],
        ["and", 8, 11],
        ["boatt", 12, 17],
        ["river", 18, 23],
      ]);
      expect(words.map(({ sparse }) => sparse)).toEqual(
        meant.hits[at]!.explain!.words.map(({ sparse }) => sparse),
      );
    });
  });

  it("is searched for as typed where that is asked", async () => {
    const answer = await ask("the Harbuor boat", false);
    expect(answer).not.toHaveProperty("corrections");
    expect(ranking(answer)).not.toEqual(ranking(await ask("the Harbuor boat", true)));
  });
});

describe("a hit", () => {
  it("shows a slice of its passage, with marks in bounds, and lies within its text", async () => {
    for (const q of ["the river boat", "comet orbit telescope", "song", "北京 café 🌊", "?"]) {
      for (const mode of MODES) {
        for (const hit of (await index.search(requestFor(q, { mode, limit: 100 }))).hits) {
          const text = typeof hit.fields.text === "string" ? hit.fields.text : "";
          const { start, end } = hit.passage;
          expect(start).toBeLessThanOrEqual(end);
          expect(end).toBeLessThanOrEqual(text.length);
          expect(text.slice(start, end)).toContain(hit.snippet.text);
          for (const [from, to] of hit.snippet.marks)
            expect(hit.snippet.text.slice(from, to).trim()).toBe(hit.snippet.text.slice(from, to));
        }
      }
    }
  });

  it("carries all fields as they were given, or those asked for", async () => {
    const ask = async (fields?: readonly string[]) =>
      (
        await index.search(requestFor("salt pepper fields", { ...(fields ? { fields } : {}), limit: 20 }))
      ).hits.find(({ id }) => id === "more-fields")!.fields;
    expect(await ask()).toEqual({
      title: "Fields",
      text: "Salt and pepper.",
      year: 1999,
      tags: ["a", "b"],
      ok: true,
    });
    expect(await ask(["year", "nothing", "toString"])).toEqual({ year: 1999 });
    expect(await ask([])).toEqual({});
  });

  it("keeps its snippet where the text itself was not asked for", async () => {
    const [hit] = (await index.search(requestFor("salt pepper", { fields: [] }))).hits;
    expect(hit!.snippet.text).not.toBe("");
  });
});

describe("a long answer", () => {
  it("leaves out the fields of its last hits, and says so", async () => {
    const body = "x".repeat(100_000);
    const long = Array.from({ length: 12 }, (_, at) =>
      documentOf(`long-${at}`, { text: `The river ${"boat ".repeat(at)}`, body }),
    );
    const opened = await openTiny((await buildTiny({ source: sourceOf(long) })).store);
    const answer = await opened.search(requestFor("river boat", { limit: 12 }));
    expect(answer.hits.map(({ fields }) => "body" in fields)).toEqual(
      Array.from({ length: 12 }, (_, at) => at < 10),
    );
    expect(answer.warnings).toEqual([expect.stringContaining("last 2 hits")]);
    expect(answer.hits[11]!.snippet.text).not.toBe("");
    const named = await opened.search(requestFor("river boat", { limit: 12, fields: ["text"] }));
    expect(named.warnings).toBeUndefined();
  });
});

describe("a long query", () => {
  it("is cut to 512 tokens with a warning", async () => {
    const words = "river boat ".repeat(REQUEST_LIMITS.queryTokens);
    const long = await index.search(requestFor(words, { explain: true }));
    const cut = await index.search(requestFor("river boat ".repeat(REQUEST_LIMITS.queryTokens / 2)));
    expect(long.warnings).toEqual([expect.stringContaining("512")]);
    expect(cut.warnings).toBeUndefined();
    expect(long.hits.map(({ id, score }) => [id, score])).toEqual(
      cut.hits.map(({ id, score }) => [id, score]),
    );
    expect(long.hits[0]!.explain!.words.length).toBe(512);
  });
});

describe("a query longer than its model's", () => {
  it("is cut to as many tokens, and says so, though a request may have more", async () => {
    const encoder = tinyEncoder({ maxQueryTokens: 3 });
    const own = await buildTiny({ source: sourceOf(DOCUMENTS), encoder, shardChunks: 60 });
    const opened = await openTiny(own.store, "wasm");
    const long = await opened.search(requestFor("river boat song moon bread", { explain: true }));
    expect(long.warnings).toEqual(["Only the first 3 tokens of the query were used."]);
    expect(long.hits[0]!.explain!.words.map(({ word }) => word)).toEqual(["river", "boat", "song"]);
    const cut = await opened.search(requestFor("river boat song"));
    expect(cut.warnings).toBeUndefined();
    expect(long.hits.map(({ id, score }) => [id, score])).toEqual(
      cut.hits.map(({ id, score }) => [id, score]),
    );
  });
});

describe("a task", () => {
  it("is the first one unless the request names another", async () => {
    const first = await index.search(requestFor("river boat", { task: "search" }));
    expect((await index.search(requestFor("river boat"))).hits).toEqual(first.hits);
    expect((await index.search(requestFor("river boat", { task: "twin" }))).hits.length).toBe(10);
  });

  it("is refused by name where the index does not have it", async () => {
    for (const task of ["nope", "", "__proto__"])
      await expect(index.search(requestFor("river", { task }))).rejects.toMatchObject({
        code: "request/invalid",
        details: { field: "task", value: JSON.stringify(task) },
      });
  });
});

describe("a document", () => {
  it("is found by its id, however it is spelt", async () => {
    for (const { id, fields } of ODD_DOCUMENTS)
      expect(await index.document(id)).toMatchObject({ id, fields });
  });

  it("is null where no document has this very id", async () => {
    for (const id of ["", "D1", "d", "zzz", "toString", "with  spaces", "🌊", "a/b/"])
      expect(await index.document(id)).toBeNull();
  });
});
