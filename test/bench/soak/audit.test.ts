/** The auditor of the soak: it agrees with the engine where the engine is right, and sees what is not. */
import { beforeAll, describe, expect, it } from "vitest";
import { Auditor, type Told } from "../../../bench/soak/audit.ts";
import { DocumentScales } from "../../../bench/soak/documents.ts";
import { drawSearches, type Question, type SearchQuestion } from "../../../bench/soak/questions.ts";
import { ChangingSource } from "../../../bench/soak/source.ts";
import { type StoredVersion, StoredVersions } from "../../../bench/soak/stored.ts";
import { openInNode } from "../../../indexer/engine-node.ts";
import { Random } from "../../../indexer/random.ts";
import type { SourceDocument } from "../../../indexer/sources/source.ts";
import type { OpenIndex } from "../../../shared/engine/api.ts";
import { blobsOf } from "../../../shared/format/manifest.ts";
import { MemoryStore } from "../../../shared/store/memory.ts";
import type { SearchAnswer } from "../../../shared/types.ts";
import { readPointer } from "../../../shared/versions/current.ts";
import { documentOf } from "../../helpers/tiny-corpus.ts";
import { indexTiny, TINY } from "../../sim/tiny.ts";

const auditor = new Auditor();
const source = new ChangingSource(3, 700);
const searches = drawSearches(new Random(5), 60);
const versions: OpenIndex[] = [];
const store = new MemoryStore();
const states: { readonly stored: StoredVersion; readonly documents: readonly SourceDocument[] }[] = [];

/** What the engine says, as a client gets it. */
async function ask(index: OpenIndex, question: Question): Promise<Told> {
  const search = (asked: SearchQuestion) => index.search({ ...asked, explain: false, typos: false });
  const said = async () => {
    switch (question.kind) {
      case "search":
        return search(question);
      case "batch":
        return { answers: await Promise.all(question.searches.map(search)) };
      case "document":
        return { version: index.version, ...(await index.document(question.id)) };
    }
  };
  return { status: 200, body: JSON.parse(JSON.stringify(await said())) };
}

beforeAll(async () => {
  const reader = new StoredVersions(store);
  for (let run = 0; run < 3; run++) {
    if (run > 0) source.change({ changed: 20, added: 9, removed: 5 });
    await indexTiny(store, source.state(), { shardChunks: 400 });
    const { pointer } = (await readPointer(store, TINY))!;
    const [stored, documents] = [await reader.read(pointer), source.state()];
    expect(auditor.publish(stored, documents)).toEqual([]);
    states.push({ stored, documents });
    versions.push(await openInNode(store, TINY));
  }
  const [first, , last] = versions.map(({ manifest }) => manifest);
  expect(blobsOf(first!, "shard").length).toBeGreaterThan(3);
  expect(blobsOf(last!, "tombstones").length).toBe(1);
});

describe("the auditor", () => {
  it("finds every answer of the engine right to the bit, whatever version gives it", async () => {
    for (const published of versions) {
      for (const search of searches) {
        const [verdict] = auditor.judge(search, await ask(published, search));
        expect(verdict).toEqual({ kind: "right", version: published.version, region: "local" });
      }
      const batch: Question = { kind: "batch", searches: searches.slice(0, 4) };
      const kinds = auditor.judge(batch, await ask(published, batch)).map(({ kind }) => kind);
      expect(kinds).toEqual(["right", "right", "right", "right"]);
      const id = source.state()[20]!.id;
      const document: Question = { kind: "document", id };
      expect(auditor.judge(document, await ask(published, document))[0]!.kind).toBe("right");
    }
  });

  it("sees an answer of one version under the name of another", async () => {
    let seen = 0;
    for (const search of searches) {
      const { status, body } = await ask(versions[0]!, search);
      const renamed = { ...(body as SearchAnswer), version: versions[2]!.version };
      if (auditor.judge(search, { status, body: renamed })[0]!.kind === "wrong") seen++;
    }
    // A page may be the same in both.
    expect(seen).toBeGreaterThan(searches.length * 0.6);
  });

  const search: SearchQuestion = { kind: "search", q: "river king", mode: "hybrid", offset: 0, limit: 10 };
  const tampered: readonly [what: string, (answer: SearchAnswer) => unknown][] = [
    ["a score that is one bit off", (answer) => withHit(answer, 3, { score: nextUp(answer.hits[3]!.score) })],
    [
      "two hits in the wrong order",
      (answer) => {
        const [a, b, ...rest] = answer.hits;
        return { ...answer, hits: [b, a, ...rest] };
      },
    ],
    ["a hit that is missing", (answer) => ({ ...answer, hits: answer.hits.slice(1) })],
    ["a field of another version", (answer) => withHit(answer, 0, { fields: { text: "other" } })],
    ["another passage", (answer) => withHit(answer, 0, { passage: { start: 1, end: 2 } })],
    ["another total", (answer) => ({ ...answer, total: answer.total - 1 })],
    [
      "a part that it says is missing and is there",
      (answer) => ({
        ...answer,
        partial: true,
        missing_shards: [0],
      }),
    ],
    ["partial without saying what is missing", (answer) => ({ ...answer, partial: true })],
  ];

  it.each(tampered)("sees %s", async (_, tamper) => {
    const { status, body } = await ask(versions[1]!, search);
    const [verdict] = auditor.judge(search, { status, body: tamper(body as SearchAnswer) });
    expect(verdict!.kind).toBe("wrong");
  });

  it("takes an error of the server for one, and a refusal of a sound question for wrong", () => {
    const error = { error: { code: "store/unavailable", message: "" } };
    expect(auditor.judge(search, { status: 503, body: error })).toEqual([
      { kind: "error", code: "store/unavailable" },
    ]);
    expect(auditor.judge(search, { status: 400, body: error })[0]!.kind).toBe("wrong");
    expect(auditor.judge(search, { status: 502, body: undefined })[0]!.kind).toBe("wrong");
  });

  it("holds back its judgement of a version that nobody has told of", async () => {
    const { status, body } = await ask(versions[1]!, search);
    const ahead = { ...(body as SearchAnswer), version: "9-00000000" };
    expect(auditor.judge(search, { status, body: ahead })).toEqual([
      { kind: "unknown version", version: "9-00000000" },
    ]);
  });
});

describe("the scales", () => {
  it("find the numbers of a version to be those of its documents, and see a document that says something else", async () => {
    const [, , last] = states;
    const queries = ["river king", "bread", "comet orbit light"];
    const scales = new DocumentScales(store);
    expect(await scales.differences(last!.stored, last!.documents, queries)).toEqual([]);
    const other = last!.documents.map((document) =>
      document.id === "twin-a" ? documentOf("twin-a", { text: "Bread and a river." }) : document,
    );
    expect(await scales.differences(last!.stored, other, queries)).not.toEqual([]);
  });
});

function withHit(answer: SearchAnswer, at: number, change: object): SearchAnswer {
  return { ...answer, hits: answer.hits.map((hit, i) => (i === at ? { ...hit, ...change } : hit)) };
}

/** The next greater double. */
function nextUp(value: number): number {
  const bits = new BigInt64Array(new Float64Array([value]).buffer);
  bits[0]! += 1n;
  return new Float64Array(bits.buffer)[0]!;
}
