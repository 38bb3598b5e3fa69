/**
 * Questions: how many bytes does a table of a large model take, what do queries lose by that, how long does one take to become
 * a vector, and how often does one of its rows have to be read? `node bench/table.ts [--collection DIR] [--queries FILE]
 * [--size VxD,...]`. Rows: the shipped prior, stretched (`table/stretch.ts`). Uses, queries and documents: a collection's own,
 * a document being the sum of its tokens' rows in full precision; `--queries` are more queries, one a line, for the
 * reads. Peer: eight rows of float32 added up, and nothing else.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { compressTable } from "../indexer/compress/compress-table.ts";
import { nodePorts } from "../indexer/engine-node.ts";
import { readTestCollection } from "../indexer/evaluate/collection.ts";
import { loadPrior } from "../indexer/fit/prior.ts";
import { loadModel } from "../indexer/model/model.ts";
import { showProgress } from "../indexer/progress.ts";
import { Publisher } from "../indexer/store/publish-version.ts";
import { loadTable, type ResidentTable } from "../shared/engine/resident-table.ts";
import type { BlobEntry } from "../shared/format/manifest.ts";
import type { Sha256 } from "../shared/hash.ts";
import { MemoryStore } from "../shared/store/memory.ts";
import { loadTokenizer } from "../shared/tokenizer/load.ts";
import { defaultCollection } from "./context.ts";
import { report } from "./report.ts";
import { type Result, round } from "./result.ts";
import { errorsOf, fidelityOf } from "./table/fidelity.ts";
import { readsOf } from "./table/reads.ts";
import { speedOf } from "./table/speed.ts";
import { type StretchedTable, stretch } from "./table/stretch.ts";

const MODEL = fileURLToPath(new URL("../models/minilm-splade", import.meta.url));
const DIGEST = "0".repeat(64) as Sha256;
/** Tokens of a document: those of a chunk. */
const CHUNK = 254;

const { values } = parseArgs({
  options: {
    collection: { type: "string" },
    queries: { type: "string" },
    size: { type: "string", default: "30522x384,128256x1024,151665x1536" },
    json: { type: "boolean", default: false },
  },
});
const progress = showProgress(process.stderr);
const model = await loadModel(MODEL);
const tokenizer = loadTokenizer(model.tokenizer);
const prior = await loadPrior(model);
const collection = await readTestCollection(values.collection ?? defaultCollection());
const queries = collection.queries.map(({ text }) => tokenizer.ids(text));
const documents = linesOf(join(collection.folder, "corpus.jsonl")).map((line) => {
  const { title = "", text = "" } = JSON.parse(line) as { readonly title?: string; readonly text?: string };
  return tokenizer.ids(`${title} ${text}`.trim()).slice(0, CHUNK);
});
const more = values.queries === undefined ? [] : linesOf(values.queries).map((line) => tokenizer.ids(line));

const results: Result[] = [];
for (const size of values.size.split(",")) {
  const [vocabulary, dimension] = size.split("x").map(Number) as [number, number];
  const table = stretch(prior, model.dimension, vocabulary, dimension);
  const texts: Texts = {
    queries: queries.map((ids) => ids.map(table.idOf)),
    documents: documents.map((ids) => ids.map(table.idOf)),
    more: more.map((ids) => ids.map(table.idOf)),
  };
  // The size that the product chooses, what fits 32 or 64 MB, and three bits for every row, as small tables have.
  const limits = [
    undefined,
    ...(vocabulary > 30_522 ? [32_000_000, 64_000_000] : []),
    Number.POSITIVE_INFINITY,
  ];
  for (const tableBytes of limits) {
    const stage = progress.stage(`compress ${size}`, 1);
    const { store, entry } = await compressed(table, texts, tableBytes);
    stage.done(`${entry.bytes} bytes`);
    results.push(...(await measure(size, table, texts, store, entry)));
  }
}
report(results, values.json);

/** Token ids of the large vocabulary. */
interface Texts {
  readonly queries: readonly (readonly number[])[];
  readonly documents: readonly (readonly number[])[];
  readonly more: readonly (readonly number[])[];
}

async function measure(
  size: string,
  table: StretchedTable,
  { queries, documents, more }: Texts,
  store: MemoryStore,
  entry: BlobEntry,
): Promise<readonly Result[]> {
  const kernels = () => ports.kernels(1 << 30);
  const ports = await nodePorts(store);
  const whole = await loadTable(store, entry, kernels(), undefined, Number.POSITIVE_INFINITY);
  const kept = await loadTable(store, entry, kernels());
  const name = `table.${size}.${Math.round(entry.bytes / 1e6)}MB`;
  const figure = (what: string, value: number, unit: string, note?: string): Result => ({
    ...{ name: `${name}.${what}`, value: round(value), unit },
    ...(note === undefined ? {} : { note }),
  });
  const rows = errorsOf(table, whole);
  const found = fidelityOf(table, whole, queries, documents);
  return [
    figure("bytes", entry.bytes, "bytes", tiersIn(whole)),
    figure("row.cosine", rows.all, "", `mean over all rows; ${round(rows.hot)} over the 2,000 used most`),
    figure(
      "query.cosine",
      found.cosine,
      "",
      `${queries.length} queries; ${round(found.low)} for the worst hundredth`,
    ),
    figure(
      "top10",
      found.topTen,
      "share",
      `of the ten nearest of ${documents.length} documents that are the same`,
    ),
    ...speedOf(table, whole, queries).map((each) => ({ ...each, name: `${name}.${each.name}` })),
    ...readsOf(kept, queries, more).map((each) => ({ ...each, name: `${name}.${each.name}` })),
  ];
}

async function compressed(table: StretchedTable, { documents }: Texts, tableBytes: number | undefined) {
  const uses = new Uint32Array(table.vocabulary);
  for (const ids of documents) for (const id of ids) uses[id]!++;
  const none = { phrases: new Uint32Array(0), phraseRows: new Float32Array(0), figures: {} };
  const { file } = await compressTable(
    { rows: table, ...none },
    {
      ...{ encoder: DIGEST, tokenizer: DIGEST, task: "search", queryPrompt: "", bits: 3, tableBytes, uses },
      weights: new Float64Array(table.vocabulary).fill(1),
    },
  );
  const store = new MemoryStore();
  return {
    store,
    entry: { role: "table" as const, task: "search", ...(await new Publisher(store).put(file)) },
  };
}

function tiersIn({ meta }: ResidentTable): string {
  const tiers = meta.tiers ?? [{ rows: meta.rows, bits: meta.bits }];
  return tiers.map(({ rows, bits }) => `${rows} rows of ${bits}`).join(", ");
}

function linesOf(file: string): readonly string[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "");
}
