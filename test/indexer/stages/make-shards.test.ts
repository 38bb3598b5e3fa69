import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRotation, ROTATION } from "../../../indexer/compress/rotate.ts";
import { SILENT } from "../../../indexer/progress.ts";
import { type Collection, collect } from "../../../indexer/stages/collect.ts";
import { type Corpus, encodeCorpus } from "../../../indexer/stages/encode-corpus.ts";
import { corpusDocuments, impactScaleOf, makeShards } from "../../../indexer/stages/make-shards.ts";
import { openDocuments } from "../../../shared/format/documents.ts";
import { parseEnvelope } from "../../../shared/format/envelope.ts";
import { idAt } from "../../../shared/format/ids.ts";
import { wholeSource } from "../../../shared/format/ranged.ts";
import { readShard } from "../../../shared/format/shard.ts";
import type { Sha256 } from "../../../shared/hash.ts";
import { type CollectionStatistics, impactsOf, statisticsOf } from "../../../shared/segment/impacts.ts";
import { loadTokenizer } from "../../../shared/tokenizer/load.ts";
import { sourceOf, tinyDocuments } from "../../helpers/tiny-corpus.ts";
import { TINY_TOKENIZER, tinyEncoder } from "../../helpers/tiny-encoder.ts";

const encoder = tinyEncoder();
const { dimension, vocabulary } = encoder.model.description;
const DIGEST = "b".repeat(64) as Sha256;
let collection: Collection;
let corpus: Corpus;
let statistics: CollectionStatistics;

beforeAll(async () => {
  collection = await collect(sourceOf(tinyDocuments(50)), SILENT);
  const options = {
    encoder,
    tokenizer: loadTokenizer(TINY_TOKENIZER),
    rotation: createRotation(ROTATION, dimension),
    task: "search",
    maxTokens: 24,
    overlapTokens: 0,
  };
  corpus = await encodeCorpus(collection, options, SILENT);
  statistics = statisticsOf(
    corpus.documents.map(({ bag }) => bag),
    vocabulary,
  );
});
afterAll(() => collection.close());

/** All shards, read back. */
async function shardsOf(chunks?: number) {
  const impacts = corpus.documents.map(({ bag, learned }) => impactsOf(bag, learned, statistics));
  const facts = {
    encoder: DIGEST,
    tokenizer: DIGEST,
    table: DIGEST,
    dimension,
    vocabulary,
    impact_scale: impactScaleOf(impacts),
    mix: 0,
  };
  const table = { row: () => new Float32Array(dimension) };
  const ready = corpusDocuments(collection, corpus, { impacts, table }, facts);
  const shards = [];
  let first = 0;
  for await (const { shard, documents } of makeShards(ready, facts, SILENT, chunks)) {
    shards.push({
      first,
      shard: readShard(parseEnvelope(shard.bytes, "shard")),
      documents: await openDocuments(wholeSource(parseEnvelope(documents.bytes, "documents"))),
    });
    first += shards.at(-1)!.shard.meta.documents;
  }
  return shards;
}

describe("shards", () => {
  it("divide the documents in their order, none of them in two, within the chunks allowed", async () => {
    for (const chunks of [undefined, 40, 7, 1]) {
      let next = 0;
      for (const { shard } of await shardsOf(chunks)) {
        expect(idAt(shard, 0)).toBe(collection.ids[next]);
        // One document may be longer than a shard should be; it then has one to itself.
        if (shard.meta.documents > 1) expect(shard.meta.chunks).toBeLessThanOrEqual(chunks ?? corpus.chunks);
        next += shard.meta.documents;
      }
      expect(next).toBe(collection.ids.length);
    }
  });

  it("keep each document's record where they say it is", async () => {
    for (const { first, shard, documents } of await shardsOf(40)) {
      for (let at = 0; at < shard.meta.documents; at++) {
        const [block] = await documents.blocks([shard.places[2 * at]!]);
        const record = block!.record(shard.places[2 * at + 1]!);
        const number = first + at;
        expect(record.id).toBe(collection.ids[number]);
        expect(idAt(shard, at)).toBe(record.id);
        expect(record.fields).toEqual((await collection.read(number)).fields);
        expect(record.passages).toEqual(corpus.documents[number]!.passages);
      }
    }
  });

  it("hold every impact of every document, to half a step of one scale for all shards", async () => {
    const shards = await shardsOf(40);
    const scales = new Set(shards.map(({ shard }) => shard.meta.impact_scale));
    expect(scales.size).toBe(1);
    const [scale] = scales;
    for (const { first, shard } of shards) {
      const stored = new Map<string, number>();
      shard.terms.forEach((term, t) => {
        for (let at = shard.starts[t]!; at < shard.starts[t + 1]!; at++)
          stored.set(`${shard.rows[at]} ${term}`, shard.impacts[at]!);
      });
      let count = 0;
      for (let at = 0; at < shard.meta.documents; at++) {
        const { bag, learned } = corpus.documents[first + at]!;
        const { ids, values } = impactsOf(bag, learned, statistics);
        ids.forEach((id, i) => {
          const difference = stored.get(`${at} ${id}`)! - values[i]! * scale!;
          expect(Math.abs(difference)).toBeLessThanOrEqual(0.5 + 1e-4);
        });
        count += ids.length;
      }
      expect(stored.size).toBe(count);
    }
  });

  it("hold every chunk's vector to half a step of its own scale", async () => {
    for (const { first: document, shard } of await shardsOf(40)) {
      const first = corpus.documents[document]!.firstChunk;
      const { padded } = shard.meta;
      for (let chunk = 0; chunk < shard.meta.chunks; chunk++) {
        const vector = corpus.vector(first + chunk);
        const norm = Math.hypot(...vector) || 1;
        let greatest = 0;
        for (let j = 0; j < padded; j++) {
          const stored = shard.vectors[chunk * padded + j]! * shard.scales[chunk]!;
          greatest = Math.max(greatest, Math.abs(stored - (vector[j] ?? 0) / norm));
        }
        expect(greatest).toBeLessThanOrEqual(0.501 * shard.scales[chunk]!);
      }
    }
  });
});
