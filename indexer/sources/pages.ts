import { readFile, stat } from "node:fs/promises";
import { basename, extname } from "node:path";
import { LightedgeError } from "../../shared/errors.ts";
import { DOCUMENT_LIMITS } from "../../shared/limits.ts";
import { decodeUtf8, withoutMark } from "./lines.ts";
import { claimField } from "./named-fields.ts";
import { type PageKind, PageReader } from "./page-reader.ts";
import type { Source, SourceDocument, SourceRecord } from "./source.ts";
import { checkedDocument, invalid, rejected } from "./validate.ts";
import { walk } from "./walk.ts";

const KINDS: ReadonlyMap<string, PageKind> = new Map([
  [".md", "markdown"],
  [".markdown", "markdown"],
  [".mdx", "markdown"],
  [".html", "html"],
  [".htm", "html"],
]);

/** The kind of page by the extension of a file name, if it is one. */
export function pageKind(file: string): PageKind | undefined {
  return KINDS.get(extname(file).toLowerCase());
}

/** The extensions of these kinds of pages, with the dot. */
export function pageExtensions(kinds: readonly PageKind[]): ReadonlySet<string> {
  return new Set(Array.from(KINDS).flatMap(([extension, kind]) => (kinds.includes(kind) ? [extension] : [])));
}

/**
 * The pages under a folder. The id and the field `path` are a page's path inside the
 * folder, extension included; a page without a title takes its file name. Each page is
 * parsed under a deadline of `deadlineMs`, in memory of its own.
 */
export function folderSource(folder: string, kinds: readonly PageKind[], deadlineMs?: number): Source {
  const files = () => walk(folder, pageExtensions(kinds));
  return {
    description: `${kinds.join(" and ")} ${folder}`,
    records: () => pageRecords(files(), undefined, deadlineMs),
  };
}

/** One page, whatever its name, with its file name as id. */
export function pageSource(file: string, kind: PageKind, deadlineMs?: number): Source {
  async function* found() {
    yield { kind: "file", file, path: basename(file) } as const;
  }
  return { description: `${kind} ${file}`, records: () => pageRecords(found(), kind, deadlineMs) };
}

async function* pageRecords(
  files: ReturnType<typeof walk>,
  kind: PageKind | undefined,
  deadlineMs: number | undefined,
): AsyncIterable<SourceRecord> {
  const reader = new PageReader(deadlineMs);
  try {
    for await (const found of files) {
      if (found.kind === "rejected") {
        yield found;
        continue;
      }
      const { file, path } = found;
      try {
        const document = await readPage(reader, file, path, kind ?? pageKind(file) ?? "markdown");
        yield { kind: "document", document, place: { file, line: 1 } };
      } catch (error) {
        const line = error instanceof LightedgeError ? (error.details.line ?? 1) : 1;
        yield rejected({ file, line }, error);
      }
    }
  } finally {
    await reader.close();
  }
}

async function readPage(
  reader: PageReader,
  file: string,
  path: string,
  kind: PageKind,
): Promise<SourceDocument> {
  const limit = DOCUMENT_LIMITS.lineBytes;
  const { size } = await stat(file);
  if (size > limit) throw invalid(`The file has ${size} bytes; ${limit} are allowed for a page.`, { limit });
  const page = await reader.read({ kind, text: decodeUtf8(withoutMark(await readFile(file))) });
  const fields = new Map(page.fields);
  claimField(fields, "title", page.title === "" ? basename(path, extname(path)) : page.title);
  claimField(fields, "text", page.text);
  claimField(fields, "path", path);
  return checkedDocument(path, fields, page.sections);
}
