import { readdir, realpath, stat } from "node:fs/promises";
import { extname, join, sep } from "node:path";
import type { RejectedRecord } from "./source.ts";
import { invalid, rejected } from "./validate.ts";

/** A file found under a folder. */
export interface FoundFile {
  readonly kind: "file";
  /** The folder as given, joined with `path`. */
  readonly file: string;
  /** Path inside the folder, with forward slashes. */
  readonly path: string;
}

/**
 * The files under a folder whose names end in one of these extensions (lower case,
 * with the dot), folder by folder, names in the order of their UTF-16 units. Hidden
 * entries and `node_modules` are passed over. Links to folders are not followed, as
 * what they show inside the folder is found anyway; a link that leads outside the
 * folder or nowhere and an entry that is no plain file are yielded as rejected.
 * Memory: the names of the folders on the way down.
 */
export async function* walk(
  root: string,
  extensions: ReadonlySet<string>,
): AsyncIterable<FoundFile | RejectedRecord> {
  const realRoot = await realpath(root);
  const waiting: string[] = [""];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    // A path that ends in a slash, and the root, is a folder still to be listed.
    if (path !== "" && !path.endsWith("/")) {
      const file = join(root, path);
      const problem = await problemOf(file, realRoot);
      if (problem === undefined) yield { kind: "file", file, path };
      else yield rejected({ file, line: 1 }, problem);
      continue;
    }
    const entries = await readdir(join(root, path), { withFileTypes: true });
    const names = entries.flatMap((entry) => {
      if (entry.name.startsWith(".") || entry.name === "node_modules") return [];
      if (entry.isDirectory()) return [`${path}${entry.name}/`];
      return extensions.has(extname(entry.name).toLowerCase()) ? [`${path}${entry.name}`] : [];
    });
    for (const name of names.sort((a, b) => (a < b ? 1 : -1))) waiting.push(name);
  }
}

/** Why a file must not be opened, or nothing. */
async function problemOf(file: string, realRoot: string): Promise<Error | undefined> {
  try {
    const target = await realpath(file);
    if (!target.startsWith(realRoot.endsWith(sep) ? realRoot : realRoot + sep)) {
      return invalid("A link that leads outside the folder is not followed.");
    }
    // A pipe or a device would be waited for without end.
    return (await stat(target)).isFile() ? undefined : invalid("Not a plain file.");
  } catch (error) {
    return invalid(`The file cannot be opened: ${error instanceof Error ? error.message : String(error)}`);
  }
}
