/** Configs run against a store in the process, with the tiny encoder. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type IndexResult, reindex } from "../../indexer/commands/reindex.ts";
import type { RunnerOptions, RunnerPorts } from "../../indexer/commands/runner.ts";
import { type Config, loadConfig } from "../../indexer/config/config.ts";
import { SILENT } from "../../indexer/progress.ts";
import type { SourceDocument } from "../../indexer/sources/source.ts";
import { readPointer } from "../../indexer/store/publish.ts";
import type { WriteStore } from "../../shared/store/store.ts";
import { tinyDocuments } from "./tiny-corpus.ts";
import { tinyEncoder } from "./tiny-encoder.ts";

/** Where configs, sources and caches lie. */
export const folder = mkdtempSync(join(tmpdir(), "lightedge-reindex-"));

/** Removes all of it. */
export function removeFolder(): void {
  rmSync(folder, { recursive: true });
}

/** What `a.jsonl` holds; `b.jsonl` has the first 20. */
export const DOCUMENTS = tinyDocuments(30);

/** Writes a source of these documents. */
export function writeSource(name: string, documents: readonly SourceDocument[]): void {
  const lines = documents.map(({ id, fields }) => JSON.stringify({ id, ...fields }));
  writeFileSync(join(folder, name), `${lines.join("\n")}\n`);
}

let made = 0;
/** The config of indexes with these sources, by a name; each with a cache of its own. */
export async function configOf(indexes: Readonly<Record<string, string>>, name = "nightly"): Promise<Config> {
  made++;
  const file = join(folder, `config-${made}.yaml`);
  const entries = Object.entries(indexes).map(
    ([index, source]) => `  - {index: ${index}, sources: [${source}], weight: 0.5}\n`,
  );
  const text = `name: ${name}\nstore: file:out\ncache: cache-${made}\nindexes:\n${entries.join("")}`;
  writeFileSync(file, text);
  return loadConfig(file, {});
}

/** Runs a config against a store; what came of it, the texts that were encoded, and what was warned of. */
export async function run(
  config: Config,
  store: WriteStore,
  options: Partial<RunnerOptions> & { readonly takeOver?: boolean; readonly days?: number } = {},
  ports: Partial<RunnerPorts> = {},
) {
  const inner = tinyEncoder();
  let opened = 0;
  const warnings: string[] = [];
  const { days = 0, takeOver = false, part, lock = 0 } = options;
  const results = await reindex(
    config,
    config.indexes,
    { takeOver, runner: { part, lock } },
    {
      store,
      cache: config.cache,
      openEncoder: async () => {
        opened++;
        return inner;
      },
      now: () => new Date(Date.UTC(2026, 0, 31 + days)),
      ...ports,
    },
    { ...SILENT, warn: (message) => warnings.push(message) },
  );
  return { results, encoded: [...inner.encoded], opened, warnings };
}

/** `index: kind`, with what says more about it. */
export function summary(results: readonly IndexResult[]): string[] {
  return results.map((result) => {
    if (result.kind === "failed") return `${result.index}: ${result.error.code}`;
    const { outcome, index } = result;
    if (outcome.kind !== "built") return `${index}: ${outcome.kind}`;
    return `${index}: ${outcome.run.report.changed ? "published" : "up to date"}`;
  });
}

/** The number of the current version, 0 for none. */
export async function versionOf(store: WriteStore, index: string): Promise<number> {
  return (await readPointer(store, index))?.pointer.seq ?? 0;
}

writeSource("a.jsonl", DOCUMENTS);
writeSource("b.jsonl", DOCUMENTS.slice(0, 20));
