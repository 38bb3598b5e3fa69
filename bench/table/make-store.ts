/**
 * An index with the table of a large model, to be served: `node bench/table/make-store.ts --store URL --index NAME [--size
 * 151665x1536] [--documents 1000] [--scattered]`, then `node bench/memory.ts --store URL --index NAME`. Rows are the shipped
 * prior, stretched; vectors of documents the sums of their tokens' rows; the tokenizer has words that nobody writes beside its own.
 * `--scattered` stores rows in no order of use, so that nearly every query has some that are not kept.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { compressTable } from "../../indexer/compress/compress-table.ts";
import { loadPrior } from "../../indexer/fit/prior.ts";
import { loadModel } from "../../indexer/model/model.ts";
import { openStore } from "../../indexer/store/open.ts";
import { readPointer } from "../../indexer/store/publish.ts";
import { Publisher, publishVersion } from "../../indexer/store/publish-version.ts";
import { DocumentsWriter } from "../../shared/format/documents.ts";
import { compareIds } from "../../shared/format/ids.ts";
import type { BlobEntry } from "../../shared/format/manifest.ts";
import { writeShard } from "../../shared/format/shard.ts";
import { writeTokenizerFile } from "../../shared/format/tokenizer-file.ts";
import { compressVector } from "../../shared/segment/compress-vector.ts";
import { contentDigest } from "../../shared/segment/document.ts";
import { bagOf, impactsOf, statisticsOf } from "../../shared/segment/impacts.ts";
import { makeSegment, paddedDimension, quantizeImpacts } from "../../shared/segment/segment.ts";
import { loadTokenizer } from "../../shared/tokenizer/load.ts";
import { defaultCollection } from "../context.ts";
import { stretch } from "./stretch.ts";

const MODEL = fileURLToPath(new URL("../../models/minilm-splade", import.meta.url));
const CHUNK = 254;
/** Impacts of a bag of words stay below 2. */
const IMPACT_SCALE = 100;

const { values } = parseArgs({
  options: {
    store: { type: "string", default: "file:.lightedge/large-table" },
    index: { type: "string", default: "large" },
    size: { type: "string", default: "151665x1536" },
    documents: { type: "string", default: "1000" },
    scattered: { type: "boolean", default: false },
  },
});
const [vocabulary, dimension] = values.size.split("x").map(Number) as [number, number];
const store = openStore(values.store);
const publisher = new Publisher(store);
const model = await loadModel(MODEL);
const { tokenizer: small, encoderHash: encoder } = model;
if (small.kind !== "wordpiece") throw new Error("The shipped model has another tokenizer than it had.");
const own = small.vocabulary.split("\n");
const table = stretch(await loadPrior(model), model.dimension, vocabulary, dimension);
const spellings = Array.from({ length: vocabulary }, (_, at) => `qq${at.toString(36)}zz`);
own.forEach((spelling, token) => {
  spellings[table.idOf(token)] = spelling;
});
const large = { ...small, vocabulary: spellings.join("\n") };
const tokenizer = loadTokenizer(large);
const tokenizerFile = await writeTokenizerFile({ encoder, lowercase: small.lowercase }, large);

const documents = readFileSync(join(defaultCollection(), "corpus.jsonl"), "utf8")
  .split("\n")
  .filter((line) => line !== "")
  .slice(0, Number(values.documents))
  .map(
    (line) =>
      JSON.parse(line) as {
        readonly _id?: string;
        readonly id?: string;
        readonly title: string;
        readonly text: string;
      },
  )
  .map(({ _id, id = _id!, title, text }) => ({ id, fields: { title, text } }))
  .sort((a, b) => compareIds(a.id, b.id));
const tokens = documents.map(({ fields }) => tokenizer.ids(`${fields.title} ${fields.text}`));
const uses = new Uint32Array(vocabulary);
for (const ids of tokens) for (const id of ids) uses[id]!++;
if (values.scattered) for (const id of uses.keys()) uses[id] = Math.imul(id + 1, 0x9e3779b1) >>> 8;
const statistics = statisticsOf(tokens.map(bagOf), vocabulary);
const { file } = await compressTable(
  { rows: table, phrases: new Uint32Array(0), phraseRows: new Float32Array(0), figures: {} },
  {
    ...{ encoder, tokenizer: tokenizerFile.sha256, task: "search", queryPrompt: "", bits: 3, uses },
    weights: statistics.idf,
  },
);

const writer = new DocumentsWriter();
const padded = paddedDimension(dimension);
const segment = [];
for (const [at, { id, fields }] of documents.entries()) {
  const passages = [{ start: 0, end: Math.max(1, fields.text.length) }];
  const digest = await contentDigest({ id, fields, sections: [] });
  segment.push({
    ...{ id, passages, place: await writer.add({ id, fields, passages }, digest) },
    impacts: quantizeImpacts(impactsOf(bagOf(tokens[at]!), null, statistics), IMPACT_SCALE),
    chunks: [compressVector(vectorOf(tokens[at]!.slice(0, CHUNK)), padded)],
  });
}
const facts = { encoder, tokenizer: tokenizerFile.sha256, table: file.sha256, dimension, vocabulary };
const shard = await writeShard(makeSegment(segment, { ...facts, impact_scale: IMPACT_SCALE, mix: 0 }));
const blobs: BlobEntry[] = [
  { role: "tokenizer", ...(await publisher.put(tokenizerFile)) },
  { role: "table", task: "search", ...(await publisher.put(file)) },
  { role: "shard", ordinal: 0, ...(await publisher.put(shard)) },
  { role: "documents", ordinal: 0, ...(await publisher.put(await writer.finish())) },
];
await publishVersion(
  store,
  {
    index: values.index,
    model: {
      name: model.description.name,
      encoder,
      dimension,
      vocabulary,
      max_tokens: model.description.max_tokens,
    },
    tasks: [{ name: "search", query_prompt: "", table: file.sha256 }],
    fusion: { rule: "minmax", weight: 0.6 },
    counts: { documents: documents.length, chunks: documents.length, rejected: 0 },
    fields: ["title", "text"].map((name) => ({ name, kind: "text" as const })),
    blobs,
  },
  await readPointer(store, values.index),
  new Date(),
);
for (const { role, bytes } of blobs) process.stdout.write(`${role} ${bytes} bytes\n`);

function vectorOf(ids: readonly number[]): Float32Array<ArrayBuffer> {
  const sum = new Float32Array(dimension);
  for (const id of ids) {
    const row = table.row(id);
    for (let j = 0; j < dimension; j++) sum[j]! += row[j]!;
  }
  const norm = Math.sqrt(sum.reduce((squares, value) => squares + value * value, 0));
  return sum.map((value) => value / (norm || 1));
}
