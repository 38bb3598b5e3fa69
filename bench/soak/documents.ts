/**
 * The numbers of a version against the documents that it was made of: what the indexer stored is computed again from
 * each document's text in double precision (`test/sim/auditor.ts`), with no shard, no code and no posting.
 */
import type { SourceDocument } from "../../indexer/sources/source.ts";
import { loadEnvelope } from "../../shared/format/load.ts";
import { blobsOf } from "../../shared/format/manifest.ts";
import { readTable } from "../../shared/format/table.ts";
import type { ReadStore } from "../../shared/store/store.ts";
import { loadTokenizer } from "../../shared/tokenizer/load.ts";
import { TINY_TOKENIZER } from "../../test/helpers/tiny-encoder.ts";
import { score, TOLERANCE, type Weighed, weigh } from "../../test/sim/auditor.ts";
import { plainAnswer } from "./plain.ts";
import type { StoredVersion } from "./stored.ts";

const WINDOW = 1000;

const tokenizer = loadTokenizer(TINY_TOKENIZER);

/** Weighs documents once, however many versions hold them. */
export class DocumentScales {
  readonly #store: ReadStore;
  /** By table and mean length, which decide about every document's numbers; by document as an object, which is never changed. */
  readonly #weighed = new Map<string, Map<SourceDocument, Promise<Weighed>>>();

  constructor(store: ReadStore) {
    this.#store = store;
  }

  /** What the best thousand documents of these queries score otherwise than their texts would; empty for a sound version. */
  async differences(
    version: StoredVersion,
    documents: readonly SourceDocument[],
    queries: readonly string[],
  ): Promise<readonly string[]> {
    const { manifest } = version;
    const blob = blobsOf(manifest, "table")[0]!;
    const table = readTable(await loadEnvelope(this.#store, blob));
    const key = `${blob.sha256} ${manifest.build!.mean_length} ${manifest.build!.impact_scale}`;
    const known = this.#weighed.get(key) ?? new Map<SourceDocument, Promise<Weighed>>();
    this.#weighed.set(key, known);
    for (const document of documents)
      if (!known.has(document)) known.set(document, weigh(document, table, manifest));
    const weighed = await Promise.all(documents.map((document) => known.get(document)!));
    const wrong: string[] = [];
    for (const q of queries) {
      const expected = score(weighed, table, q);
      const question = { ids: tokenizer.ids(q), mode: "hybrid", offset: 0, limit: WINDOW } as const;
      for (const { id, dense, sparse } of plainAnswer(version, question).hits) {
        const own = expected.get(id);
        const near = (a: number, b: number) => Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.abs(b));
        if (own === undefined) wrong.push(`${version.version} "${q}": ${id} should not be there`);
        else if (!near(dense, own.dense) || !near(sparse, own.sparse))
          wrong.push(
            `${version.version} "${q}": ${id} scores ${dense} and ${sparse}, its text ${own.dense} and ${own.sparse}`,
          );
      }
    }
    return wrong;
  }
}
