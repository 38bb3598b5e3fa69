/**
 * Question: how long does a query take to become a vector, tokenization included?
 * Corpus: no documents; the table of the indexed collection. Queries: 8 tokens each, cut
 * from the collection's own queries so that no word is seen twice in a row.
 * Peer: the model that the table stands in for, 8-bit MiniLM in onnxruntime, batch of 1.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createOnnxEncoder } from "../../indexer/encode/onnx.ts";
import { nodePorts } from "../../indexer/engine-node.ts";
import { loadModel } from "../../indexer/model/model.ts";
import { encodeQuery } from "../../shared/engine/encode-query.ts";
import { loadTable } from "../../shared/engine/resident-table.ts";
import { blobsOf } from "../../shared/format/manifest.ts";
import { loadTokenizer } from "../../shared/tokenizer/load.ts";
import type { Context } from "../context.ts";
import { against, quantile, type Result, round, timeEach } from "../result.ts";

const TOKENS = 8;
const ROUNDS = 40;
const MODEL = fileURLToPath(new URL("../../models/minilm-splade", import.meta.url));

/** `encode.query` in microseconds. */
export async function measureEncodeQuery({ collection, index, store }: Context): Promise<readonly Result[]> {
  const model = await loadModel(join(MODEL));
  const tokenizer = loadTokenizer(model.tokenizer);
  const ports = await nodePorts(store);
  const [blob] = blobsOf(index.manifest, "table");
  const table = await loadTable(store, blob!, ports.kernels(1 << 28));
  const queries = eightTokens(
    collection.queries.map(({ text }) => text),
    (text) => tokenizer.ids(text).length,
  );
  const perQuery: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now();
    for (const query of queries) encodeQuery(table, tokenizer.ids(query));
    perQuery.push(((performance.now() - started) * 1000) / queries.length);
  }
  const encoder = await createOnnxEncoder(model, { device: "cpu" });
  const times = await timeEach(queries.slice(0, 200), 20, (query) =>
    encoder.encode([query], { role: "query", task: "search", dense: true, sparse: false }),
  );
  await encoder.close();
  const result = {
    name: "encode.query",
    value: round(quantile(perQuery.slice(5), 0.5)),
    unit: "us",
    note: `${queries.length} queries of ${TOKENS} tokens`,
  };
  return [against(result, "8-bit MiniLM in onnxruntime, batch 1", quantile(times, 0.5) * 1000, "less")];
}

/** Stretches of words with exactly eight tokens. */
function eightTokens(texts: readonly string[], count: (text: string) => number): readonly string[] {
  const found: string[] = [];
  for (const text of texts) {
    const words = text.split(/\s+/u);
    for (let length = 3; length <= words.length; length++) {
      const piece = words.slice(0, length).join(" ");
      if (count(piece) !== TOKENS) continue;
      found.push(piece);
      break;
    }
  }
  return found;
}
