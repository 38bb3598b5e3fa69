import { randomBytes } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { LightedgeError } from "../../shared/errors.ts";
import { checkIndexName } from "../../shared/store/keys.ts";
import type { ReadStore } from "../../shared/store/store.ts";
import { readExisting } from "../../shared/versions/current.ts";
import { history, type Version } from "../../shared/versions/history.ts";
import { exportLines } from "../export.ts";
import { codeOf, syncFolder } from "../store/disk.ts";
import { findVersion } from "../store/versions.ts";
import { type Command, JSON_OPTION } from "./command.ts";
import { INDEX_OPTION, STORE_OPTION, storeOf } from "./options.ts";

/** Lines are written together up to this many characters. */
const WRITTEN_AT_ONCE = 1 << 20;

/** `lightedge export`: the documents of a version as a file. */
export const exportCommand: Command = {
  name: "export",
  summary: "Write the documents of a version to a JSONL file",
  positionals: { usage: "", least: 0, most: 0 },
  options: {
    index: INDEX_OPTION,
    to: {
      type: "string",
      value: "FILE",
      help: "file to write; one that is there is replaced once all is written",
      required: true,
    },
    version: { type: "string", value: "VERSION", help: "which version (default: the current one)" },
    store: STORE_OPTION,
    json: JSON_OPTION,
  },
  notes: "lightedge index FILE reads the same documents back, their ids and fields.",
  async run(args, output) {
    const index = args.text("index")!;
    checkIndexName(index);
    const file = resolve(args.text("to")!);
    const store = storeOf(args);
    const { version, manifest } = await versionOf(store, index, args.text("version"));
    const bytes = await writeWhole(file, exportLines(store, manifest));
    const { documents } = manifest.counts;
    output.result(
      { index, version, documents, bytes, file },
      () => `${documents} documents of ${index} ${version} in ${file}, ${bytes} bytes.`,
    );
    return 0;
  },
};

async function versionOf(store: ReadStore, index: string, wanted: string | undefined): Promise<Version> {
  const stored = await readExisting(store, index);
  if (wanted !== undefined) return findVersion(store, index, wanted, stored);
  for await (const link of history(store, index, stored)) {
    if (link.kind === "version") return link;
    if (link.kind === "damaged") throw link.reason;
  }
  const { key } = stored.pointer.manifest;
  throw new LightedgeError("blob/missing", `${key} is not in the store. Publish the index again.`, {
    blob: key,
  });
}

/** Writes lines to a file beside, which takes the file's place when all of it is on the disk. Gives its bytes. */
async function writeWhole(file: string, lines: AsyncIterable<string>): Promise<number> {
  const beside = `${file}.${randomBytes(6).toString("hex")}.part`;
  try {
    const handle = await open(beside, "wx");
    let bytes = 0;
    try {
      bytes = await writeLines(handle, lines);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, file);
    await syncFolder(dirname(file));
    return bytes;
  } catch (error) {
    await rm(beside, { force: true });
    const code = codeOf(error);
    if (error instanceof LightedgeError || code === undefined) throw error;
    throw new LightedgeError(
      "usage/invalid",
      `${file} cannot be written (${code}). Check its folder and the free space.`,
      { field: "to", file },
      error,
    );
  }
}

async function writeLines(handle: FileHandle, lines: AsyncIterable<string>): Promise<number> {
  let bytes = 0;
  let waiting = "";
  const flush = async () => {
    const encoded = new TextEncoder().encode(waiting);
    await handle.writeFile(encoded);
    bytes += encoded.length;
    waiting = "";
  };
  for await (const line of lines) {
    waiting += line;
    if (waiting.length >= WRITTEN_AT_ONCE) await flush();
  }
  await flush();
  return bytes;
}
