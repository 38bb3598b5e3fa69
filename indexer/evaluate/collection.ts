/** Retrieval test collections in BEIR layout. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { LightedgeError, printable } from "../../shared/errors.ts";

/** A query with the documents that somebody judged to answer it. */
export interface JudgedQuery {
  readonly id: string;
  readonly text: string;
  /** Grade of each relevant document, above 0. At least one. */
  readonly grades: ReadonlyMap<string, number>;
}

/** The queries of a collection. The corpus is read by `indexer/sources`. */
export interface TestCollection {
  readonly name: string;
  readonly folder: string;
  readonly queries: readonly JudgedQuery[];
}

/** Reads queries and judgements of a folder: `queries.jsonl`, and `qrels.tsv` or `qrels/test.tsv`. Queries without a relevant document are left out. */
export async function readTestCollection(folder: string): Promise<TestCollection> {
  const judgements = [join(folder, "qrels.tsv"), join(folder, "qrels", "test.tsv")].find(existsSync);
  if (judgements === undefined || !existsSync(join(folder, "queries.jsonl"))) {
    throw new LightedgeError(
      "usage/invalid",
      `${printable(folder)} is no test collection: it needs corpus.jsonl, queries.jsonl and qrels.tsv or qrels/test.tsv.`,
      {
        field: "DIR",
        value: printable(folder),
      },
    );
  }
  const queries = await readJudgedQueries(join(folder, "queries.jsonl"), judgements);
  return { name: basename(resolve(folder)), folder, queries };
}

/** The queries of one file with the judgements of another: those that have a relevant document. */
export async function readJudgedQueries(file: string, judgements: string): Promise<readonly JudgedQuery[]> {
  const grades = await readGrades(judgements);
  const queries: JudgedQuery[] = [];
  for (const [at, line] of (await readFile(file, "utf8")).split("\n").entries()) {
    if (line.trim() === "") continue;
    const { id, text } = parseQuery(line, file, at + 1);
    const own = grades.get(id);
    if (own !== undefined) queries.push({ id, text, grades: own });
  }
  if (queries.length === 0)
    throw new LightedgeError("source/invalid", `No query of ${file} has a relevant document.`, { file });
  return queries;
}

function parseQuery(line: string, file: string, number: number): { id: string; text: string } {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new LightedgeError(
      "source/invalid",
      `${file}:${number} is not JSON.`,
      { file, line: number },
      error,
    );
  }
  const record = value as { readonly _id?: unknown; readonly text?: unknown } | null;
  if (typeof record?._id !== "string" || typeof record.text !== "string") {
    throw new LightedgeError("source/invalid", `${file}:${number} needs the texts _id and text.`, {
      file,
      line: number,
    });
  }
  return { id: record._id, text: record.text };
}

async function readGrades(file: string): Promise<Map<string, Map<string, number>>> {
  const grades = new Map<string, Map<string, number>>();
  for (const [at, line] of (await readFile(file, "utf8")).split("\n").entries()) {
    // The first line names the columns.
    if (at === 0 || line.trim() === "") continue;
    const [query, document, grade, ...more] = line.trimEnd().split("\t");
    const number = Number(grade);
    if (query === undefined || document === undefined || more.length > 0 || !Number.isFinite(number)) {
      throw new LightedgeError(
        "source/invalid",
        `${file}:${at + 1} must be query, document and grade with tabs between.`,
        { file, line: at + 1 },
      );
    }
    if (number <= 0) continue;
    const own = grades.get(query) ?? new Map<string, number>();
    grades.set(query, own.set(document, number));
  }
  return grades;
}
