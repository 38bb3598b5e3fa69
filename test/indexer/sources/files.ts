import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import type { Source, SourceDocument } from "../../../indexer/sources/source.ts";

/** A folder with these files (by path), removed when the test is over. */
export async function folderOf(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "lightedge-sources-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}

/** Everything a source yields: documents, and rejections as `line: message` without the path. */
export async function readAll(source: Source): Promise<{ documents: SourceDocument[]; rejected: string[] }> {
  const documents: SourceDocument[] = [];
  const rejected: string[] = [];
  for await (const record of source.records()) {
    if (record.kind === "document") documents.push(record.document);
    else rejected.push(record.reason.message.slice(record.file.length + 1));
  }
  return { documents, rejected };
}
