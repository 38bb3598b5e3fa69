import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TestCollection } from "../../../indexer/evaluate/collection.ts";
import { ndcg } from "../../../indexer/evaluate/metrics.ts";
import { choose, SPLIT, splitForTuning, tuneWeight } from "../../../indexer/evaluate/tune.ts";
import { SILENT } from "../../../indexer/progress.ts";
import { buildTiny, openTiny, requestFor } from "../../helpers/tiny-build.ts";
import { TOPICS } from "../../helpers/tiny-encoder.ts";

const grades = new Map([["d1", 1]]);
const COLLECTION: TestCollection = {
  name: "tiny",
  folder: "",
  queries: TOPICS.flatMap((words, topic) =>
    words.slice(0, 10).map((word, at) => ({
      id: `q${topic}-${at}`,
      text: `${word} ${words[at + 1]}`,
      grades: new Map([[`d${(topic + at) % 20}`, 1]]),
    })),
  ),
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tune-"));
  await writeFile(
    join(folder, "queries.jsonl"),
    [
      { _id: "q0-0", text: "the same id as a query that is reported" },
      { _id: "other", text: "River lake" },
      { _id: "new", text: "a river and a tower" },
    ]
      .map((line) => JSON.stringify(line))
      .join("\n"),
  );
  const rows = ["query-id\tcorpus-id\tscore", "q0-0\td1\t1", "other\td1\t1", "new\td1\t1"];
  await writeFile(join(folder, "qrels.tsv"), rows.join("\n"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("a split for tuning", () => {
  it("divides a collection's queries into two parts of about one size with none in common", async () => {
    const { tuning, reported, shared } = await splitForTuning(COLLECTION, SPLIT);
    expect(tuning.length + reported.queries.length).toBe(100);
    expect(tuning.length).toBeGreaterThan(35);
    expect(tuning.length).toBeLessThan(65);
    const ids = new Set(tuning.map(({ id }) => id));
    expect(reported.queries.filter(({ id }) => ids.has(id))).toEqual([]);
    expect(shared).toBe(0);
  });

  it("is the same whatever the order of the queries, and holds one text on one side", async () => {
    const { tuning } = await splitForTuning(COLLECTION, SPLIT);
    const twice = {
      ...COLLECTION,
      queries: [
        ...COLLECTION.queries,
        ...COLLECTION.queries.map((query) => ({ ...query, id: `${query.id}b` })),
      ].reverse(),
    };
    const again = (await splitForTuning(twice, SPLIT)).tuning;
    expect(again.length).toBe(2 * tuning.length);
    const texts = (queries: typeof tuning) => [...new Set(queries.map(({ text }) => text))].sort();
    expect(texts(again)).toEqual(texts(tuning));
  });

  it.each(["", "qrels.tsv"])(
    "leaves out of other queries those that are reported, by id and by text: %s",
    async (name) => {
      const { tuning, reported, shared } = await splitForTuning(COLLECTION, join(folder, name));
      expect(tuning.map(({ id }) => id)).toEqual(["new"]);
      expect(reported).toBe(COLLECTION);
      expect(shared).toBe(2);
    },
  );

  it("is refused where nothing would be left to tune on", async () => {
    const { tuning } = await splitForTuning(COLLECTION, folder);
    const all = { ...COLLECTION, queries: [...COLLECTION.queries, ...tuning] };
    await expect(splitForTuning(all, folder)).rejects.toMatchObject({ code: "usage/invalid" });
    await expect(splitForTuning(COLLECTION, join(folder, "none.tsv"))).rejects.toMatchObject({
      code: "usage/invalid",
    });
    const one = { ...COLLECTION, queries: [{ id: "q", text: "river", grades }] };
    await expect(splitForTuning(one, SPLIT)).rejects.toMatchObject({ code: "usage/invalid" });
  });
});

describe("the weight chosen", () => {
  const point = (weight: number, value: number) => ({ weight, "ndcg@10": value });

  it("is the best one, and of several as good the one in the middle", () => {
    expect(choose([point(0, 0.1), point(0.5, 0.3), point(1, 0.2)])).toBe(0.5);
    expect(choose([point(0, 0.3), point(0.4, 0.3), point(0.6, 0.3), point(1, 0.2)])).toBe(0.4);
  });

  it("comes from a curve that a search at each weight gives too", async () => {
    const { store } = await buildTiny();
    const index = await openTiny(store, "wasm");
    const split = await splitForTuning(COLLECTION, SPLIT);
    const tuning = await tuneWeight(index, split, SILENT);
    expect(tuning.curve.map(({ weight }) => weight)).toEqual(
      Array.from({ length: 21 }, (_, at) => Number((at * 0.05).toFixed(2))),
    );
    expect(tuning).toMatchObject({ queries: split.tuning.length, weight: choose(tuning.curve) });
    for (const { weight, "ndcg@10": value } of [tuning.curve[5]!, tuning.curve[20]!]) {
      let sum = 0;
      for (const { text, grades: judged } of split.tuning) {
        const { hits } = await index.search(requestFor(text, { weight }));
        sum += ndcg(
          hits.map(({ id }) => id),
          judged,
          10,
        );
      }
      expect(value).toBeCloseTo(sum / split.tuning.length, 12);
    }
    expect(tuning.reported.own.weight).toBe(index.manifest.fusion.weight);
    const gain = tuning.reported.chosen["ndcg@10"] - tuning.reported.own["ndcg@10"];
    expect(tuning.reported.gain.low).toBeLessThanOrEqual(gain);
    expect(tuning.reported.gain.high).toBeGreaterThanOrEqual(gain);
  });
});
