import { beforeAll, describe, expect, it } from "vitest";
import type { Subject } from "../../../../indexer/evaluate/robustness/suite.ts";
import { requestFor } from "../../../helpers/tiny-build.ts";
import { tinySubject } from "../../../helpers/tiny-subject.ts";

let subject: Subject;
beforeAll(async () => {
  subject = await tinySubject();
});

describe("a decoded table", () => {
  it("gives the cosines that the engine gives, but for the rounding of its vectors", async () => {
    const { index, full, table, mixed } = subject;
    for (const { text } of subject.queries) {
      const query = table.encode(full.tokenizer.ids(text));
      expect(Math.hypot(...query)).toBeCloseTo(1, 6);
      const { hits } = await index.search(requestFor(text, { mode: "dense", typos: false }));
      for (const hit of hits) {
        const { firstChunk, passages } = full.corpus.documents[full.ids.indexOf(hit.id)]!;
        const cosines = passages.map((_, at) =>
          mixed(firstChunk + at).reduce((sum, value, j) => sum + value * query[j]!, 0),
        );
        expect(Math.abs(Math.max(...cosines) - hit.dense)).toBeLessThan(0.01);
      }
    }
  });

  it("is zero for tokens without a row", () => {
    expect(subject.table.encode([]).every((value) => value === 0)).toBe(true);
  });
});
