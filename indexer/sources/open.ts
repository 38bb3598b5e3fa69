import { stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { LightedgeError, printable } from "../../shared/errors.ts";
import { BEIR_CORPUS, beirSource } from "./beir.ts";
import { csvSource } from "./csv.ts";
import { jsonlSource } from "./jsonl.ts";
import type { PageKind } from "./page-reader.ts";
import { folderSource, pageExtensions, pageKind, pageSource } from "./pages.ts";
import type { FieldOptions, Source, SourceRecord } from "./source.ts";
import { invalid, rejected } from "./validate.ts";
import { walk } from "./walk.ts";

/** The formats of sources, as `--format` takes them. */
export const FORMATS = ["beir", "jsonl", "csv", "markdown", "html"] as const;
/** One of the formats of sources. */
export type SourceFormat = (typeof FORMATS)[number];

/** The wrapper of `checked.ts`, here for callers that open and check in one breath. */
export { checked } from "./checked.ts";

const PAGE_KINDS: readonly PageKind[] = ["markdown", "html"];
const RECORD_EXTENSIONS = { jsonl: new Set([".jsonl", ".ndjson"]), csv: new Set([".csv", ".tsv"]) } as const;

/** Ids a JavaScript set can hold; a source above that must be split into several indexes anyway. */
const MOST_DOCUMENTS = 2 ** 24 - 1;

/**
 * The documents of these files and folders, one after the other. Without a format, a
 * folder with a `corpus.jsonl` is BEIR, another folder gives its Markdown and HTML
 * pages, and a file goes by its extension. A folder given as `jsonl` or `csv` gives
 * all files with those extensions. Ids must be unique over everything: a second
 * document with the same id is rejected. They are kept for that, exactly, in about
 * 100 bytes each plus their length; hashes would be smaller and wrong one day.
 *
 * Opens nothing but looks into folders until it has found a file. Throws
 * `usage/invalid` for a path that is not there, a folder with nothing to read, a file
 * whose format cannot be told, and field names for formats that have none.
 */
export async function openSource(
  paths: readonly string[],
  format?: SourceFormat,
  options: FieldOptions = {},
): Promise<Source> {
  if (paths.length === 0) throw usage("Name at least one file or folder to index.");
  checkOptions(options);
  const sources: Source[] = [];
  for (const path of paths) sources.push(await openOne(path, format, options));
  return {
    description: sources.map((source) => source.description).join(", "),
    records: () => distinct(sources),
  };
}

async function openOne(
  path: string,
  format: SourceFormat | undefined,
  options: FieldOptions,
): Promise<Source> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw usage(`There is no file or folder ${printable(path)}.`, path);
  if (!found.isDirectory()) return openFile(path, format ?? formatOf(path), options);
  const hasCorpus = (await stat(join(path, BEIR_CORPUS)).catch(() => undefined))?.isFile() === true;
  if (format === "beir" && !hasCorpus)
    throw usage(`The folder ${printable(path)} has no ${BEIR_CORPUS}.`, path);
  if (format === "beir" || (format === undefined && hasCorpus)) return beirSource(path, options);
  if (format === "jsonl" || format === "csv") {
    const extensions = RECORD_EXTENSIONS[format];
    await mustHave(path, extensions);
    return {
      description: `${format} ${path}`,
      records: () => folderRecords(path, extensions, format, options),
    };
  }
  const kinds = format === undefined ? PAGE_KINDS : [format];
  refuseOptions(options, path);
  await mustHave(path, pageExtensions(kinds));
  return folderSource(path, kinds);
}

function openFile(file: string, format: SourceFormat, options: FieldOptions): Source {
  switch (format) {
    case "beir":
      return beirSource(file, options);
    case "jsonl":
      return jsonlSource(file, options);
    case "csv":
      return csvSource(file, options);
    case "markdown":
    case "html":
      refuseOptions(options, file);
      return pageSource(file, format);
  }
}

function formatOf(file: string): SourceFormat {
  const extension = extname(file).toLowerCase();
  if (RECORD_EXTENSIONS.jsonl.has(extension)) return "jsonl";
  if (RECORD_EXTENSIONS.csv.has(extension)) return "csv";
  const kind = pageKind(file);
  if (kind !== undefined) return kind;
  throw usage(`The format of ${printable(file)} cannot be told by its name: set --format.`, file);
}

async function* folderRecords(
  folder: string,
  extensions: ReadonlySet<string>,
  format: "jsonl" | "csv",
  options: FieldOptions,
): AsyncIterable<SourceRecord> {
  for await (const found of walk(folder, extensions)) {
    if (found.kind === "rejected") yield found;
    else yield* openFile(found.file, format, options).records();
  }
}

async function* distinct(sources: readonly Source[]): AsyncIterable<SourceRecord> {
  const seen = new Set<string>();
  for (const source of sources) {
    try {
      for await (const record of source.records()) {
        if (record.kind === "document") {
          const { id } = record.document;
          if (seen.has(id)) {
            const place = record.place ?? { file: source.description, line: 1 };
            yield rejected(
              place,
              invalid(`The id ${printable(id)} occurs twice.`, { field: "id", value: printable(id) }),
            );
            continue;
          }
          if (seen.size >= MOST_DOCUMENTS) {
            const message = `The source has more than ${MOST_DOCUMENTS} documents. Split it into several indexes.`;
            throw new LightedgeError("index/too-large", message, { limit: MOST_DOCUMENTS });
          }
          seen.add(id);
        }
        yield record;
      }
    } catch (error) {
      if (error instanceof LightedgeError) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new LightedgeError(
        "source/invalid",
        `${source.description} cannot be read on: ${why}`,
        {},
        error,
      );
    }
  }
}

async function mustHave(folder: string, extensions: ReadonlySet<string>): Promise<void> {
  for await (const found of walk(folder, extensions)) if (found.kind === "file") return;
  const wanted = Array.from(extensions).join(", ");
  throw usage(
    `The folder ${printable(folder)} has nothing to read: no ${BEIR_CORPUS} and no files in ${wanted}.`,
    folder,
  );
}

function checkOptions({ idField, titleField, textField }: FieldOptions): void {
  const names = [idField, titleField, textField].filter((name) => name !== undefined);
  if (new Set(names).size < names.length) throw usage("Id, title and text must come from different fields.");
}

function refuseOptions(options: FieldOptions, path: string): void {
  if (Object.values(options).every((name) => name === undefined)) return;
  throw usage(
    `Field names can be given for tables and JSON lines, not for pages such as ${printable(path)}.`,
    path,
  );
}

function usage(message: string, value?: string): LightedgeError {
  return new LightedgeError("usage/invalid", message, {
    field: "SOURCE",
    ...(value === undefined ? {} : { value: printable(value) }),
  });
}
