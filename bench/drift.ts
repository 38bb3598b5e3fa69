/**
 * What a query table loses while the corpus moves on without it: `node bench/drift.ts DIR [--queries FOLDER] [--late chance|topic] [--drift N]`.
 *
 * DIR is a collection in BEIR layout; FOLDER holds other judged queries for it (`queries.jsonl`, `qrels.tsv`). The
 * table is fitted to a part of the documents, the rest is added by a run that keeps it, and dense and hybrid nDCG@10
 * are compared with those of a table fitted to all. Drift is what was added over what was fitted. The
 * documents that come late are drawn by chance, or are those nearest to one of them: a new topic. `late` counts only
 * queries that a late document answers.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { BUILD_DEFAULTS, buildIndex } from "../indexer/build.ts";
import { EMBEDDED_MODEL } from "../indexer/commands/options.ts";
import { cachedEncoder } from "../indexer/encode/cache.ts";
import { createOnnxEncoder } from "../indexer/encode/onnx.ts";
import { openInNode } from "../indexer/engine-node.ts";
import { type JudgedQuery, readJudgedQueries, readTestCollection } from "../indexer/evaluate/collection.ts";
import { gainsOf, mean, rankIndex } from "../indexer/evaluate/evaluate.ts";
import { loadModel } from "../indexer/model/model.ts";
import { SILENT } from "../indexer/progress.ts";
import { Random } from "../indexer/random.ts";
import { openSource } from "../indexer/sources/open.ts";
import type { Source, SourceDocument } from "../indexer/sources/source.ts";
import { FolderStore } from "../indexer/store/folder.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    queries: { type: "string" },
    late: { type: "string", multiple: true, default: ["chance", "topic"] },
    drift: { type: "string", multiple: true, default: ["0.1", "0.25", "0.5", "1"] },
    cache: { type: "string", default: ".lightedge/cache" },
  },
});
const folder = positionals[0];
if (folder === undefined) throw new Error("Usage: node bench/drift.ts DIR [--queries FOLDER]");

const encoder = cachedEncoder(
  await createOnnxEncoder(await loadModel(EMBEDDED_MODEL), { device: "cpu" }),
  values.cache,
);
const queries: readonly JudgedQuery[] =
  values.queries === undefined
    ? (await readTestCollection(folder)).queries
    : await readJudgedQueries(join(values.queries, "queries.jsonl"), join(values.queries, "qrels.tsv"));
const documents: SourceDocument[] = [];
for await (const record of (await openSource([folder], "beir")).records())
  if (record.kind === "document") documents.push(record.document);

const print = (line: string) => process.stdout.write(`${line}\n`);
print(
  `${documents.length} documents, ${queries.length} queries; nDCG@10 with the kept table / with one fitted to all`,
);
try {
  const whole = await measure([documents]);
  for (const name of values.late) {
    const order = name === "topic" ? await byTopic() : byChance();
    for (const drift of values.drift.map(Number)) {
      const late = new Set(order.slice(0, Math.round((documents.length * drift) / (1 + drift))));
      const kept = await measure([documents.filter((document) => !late.has(document)), documents]);
      const ids = new Set(Array.from(late, ({ id }) => id));
      const isLate = queries.map(({ grades }) => [...grades.keys()].some((id) => ids.has(id)));
      const share = (mode: "dense" | "hybrid", only: readonly boolean[] | null) => {
        const of = (gains: readonly number[]) => mean(gains.filter((_, at) => only === null || only[at]));
        const [now, then] = [of(kept[mode]), of(whole[mode])];
        return `${now.toFixed(4)}/${then.toFixed(4)} ${(now / then).toFixed(3)}`;
      };
      print(
        `late by ${name}, drift ${drift}: dense ${share("dense", null)}, hybrid ${share("hybrid", null)}; late: dense ${share("dense", isLate)}, hybrid ${share("hybrid", isLate)}`,
      );
    }
  }
} finally {
  await encoder.close();
}

/** Gains of every query after these runs, of which the first fits the table. */
async function measure(runs: readonly (readonly SourceDocument[])[]) {
  const scratch = await mkdtemp(join(tmpdir(), "lightedge-drift-"));
  try {
    const store = new FolderStore(scratch);
    for (const content of runs) {
      const source: Source = {
        description: "memory",
        async *records() {
          for (const document of content) yield { kind: "document" as const, document };
        },
      };
      await buildIndex(
        {
          index: "drift",
          source,
          encoder,
          store,
          tasks: [],
          ...BUILD_DEFAULTS,
          refitDrift: Number.POSITIVE_INFINITY,
          now: () => new Date(),
        },
        SILENT,
      );
    }
    const index = await openInNode(store, "drift");
    const rankings = await rankIndex(index, { queries }, SILENT);
    return { dense: gainsOf(rankings.dense!, queries), hybrid: gainsOf(rankings.hybrid!, queries) };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function byChance(): readonly SourceDocument[] {
  return Array.from(new Random(1).permutation(documents.length), (at) => documents[at]!);
}

/** The documents by how near they are to one of them, the nearest first. */
async function byTopic(): Promise<readonly SourceDocument[]> {
  const texts = documents.map(({ fields }) => `${fields.title ?? ""} ${fields.text ?? ""}`.slice(0, 300));
  const wanted = { role: "document", task: "search", dense: true, sparse: false } as const;
  const vectors = (await encoder.encode(texts, wanted)).map(({ dense }) => dense!);
  const topic = vectors[0]!;
  const near = vectors.map((vector) => vector.reduce((sum, value, j) => sum + value * topic[j]!, 0));
  return Array.from(documents.keys())
    .sort((a, b) => near[b]! - near[a]!)
    .map((at) => documents[at]!);
}
