/** The whole way: an exported decoder, an index with its own query tables, an answer; against PyTorch's scores. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openInNode } from "../../../indexer/engine-node.ts";
import { openStore } from "../../../indexer/store/open.ts";
import { lightedge } from "../../helpers/command-line.ts";
import { DECODERS, decoderFolder, decoderValues } from "../../helpers/decoders.ts";
import { requestFor } from "../../helpers/tiny-build.ts";

/** Vectors in 8 bits and a table in 8 bits, 32 numbers each: some thousandths of a score of at most 1. */
const COMPRESSED = 0.02;

const root = mkdtempSync(join(tmpdir(), "lightedge-export-search-"));
afterAll(() => rmSync(root, { recursive: true }));

describe.each(DECODERS)("an index by an exported %s", (name) => {
  const folder = decoderFolder(name);
  const values = decoderValues(folder);

  it("gives the dense scores that PyTorch gives, for each task", async () => {
    // One chunk each, so that a document's score is its only vector's; and none whose lines a chunk would join.
    const documents = values.documents.filter(
      ({ text, ids }) => ids.length > 2 && ids.length < 50 && !text.includes("\n"),
    );
    const source = join(root, `${name}.jsonl`);
    writeFileSync(source, documents.map(({ text }, at) => JSON.stringify({ id: `${at}`, text })).join("\n"));
    const store = `file:${join(root, name)}`;
    const how = [
      "--device",
      "cpu",
      "--cache",
      join(root, "cache"),
      "--store",
      store,
      "--json",
      "--table-bits",
      "8",
    ];
    const tasks = ["--task", "search", "--task", "plain"];
    const built = await lightedge(
      ...["index", source, "--index", "decoded", "--model", folder],
      ...[...tasks, ...how],
    );
    expect(built, built.stderr).toMatchObject({ code: 0 });

    const opened = await openInNode(openStore(store), "decoded");
    for (const { task, text, ids, vector } of values.queries) {
      if (ids.length === 0) continue;
      const { hits } = await opened.search(
        requestFor(text, { mode: "dense", task, typos: false, limit: documents.length }),
      );
      expect(hits.length).toBe(documents.length);
      for (const { id, dense } of hits) {
        const wanted = documents[Number(id)]!.vector.reduce((sum, value, j) => sum + value * vector[j]!, 0);
        expect(Math.abs(dense! - wanted), `${task}: ${text} / ${id}`).toBeLessThan(COMPRESSED);
      }
    }
  }, 120_000);
});
