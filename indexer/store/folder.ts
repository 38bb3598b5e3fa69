import { createHash } from "node:crypto";
import { constants, lstatSync, readFileSync, renameSync, unlinkSync } from "node:fs";
import { type FileHandle, link, open, readdir, realpath, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { checkKey, checkPrefix, isKey } from "../../shared/store/keys.ts";
import { checkLength, checkRange } from "../../shared/store/range.ts";
import type { ObjectInfo, PutOutcome, StoredObject, WriteStore } from "../../shared/store/store.ts";
import {
  codeOf,
  linked,
  makeFolder,
  makeRoot,
  onDisk,
  orAbsent,
  readBytes,
  sweepTemporary,
  syncFolder,
  withLock,
  writeTemporary,
} from "./disk.ts";

/** Bytes hashed at a time by `head`, so that a large object costs no memory. */
const HASHED_AT_ONCE = 1024 * 1024;

/**
 * A store in a folder: the object `a/b` is the file `a/b`. A folder that is not there
 * reads as an empty store. Bytes are on the disk when a write answers.
 *
 * Etags are digests of the content, so `head` and `list` read every byte they speak of.
 * The time and number of a file are cheaper but repeat: two pointers have one length,
 * file systems hand a freed file number out again, and clocks tick in milliseconds.
 */
export class FolderStore implements WriteStore {
  readonly #root: string;
  readonly #synced = new Set<string>();
  #swept = false;

  /** Takes a path, which need not exist yet. */
  constructor(root: string) {
    this.#root = root;
  }

  async get(key: string): Promise<StoredObject | null> {
    checkKey(key);
    return this.#read(key, async (handle, size, modified) => {
      const body = await readBytes(handle, 0, size);
      checkLength(key, size, body.length);
      return { key, bytes: size, etag: digest(body), modified, body };
    });
  }

  async getRange(key: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | null> {
    checkKey(key);
    checkRange(key, offset, length);
    return this.#read(key, async (handle, size) => {
      checkRange(key, offset, length, size);
      const bytes = await readBytes(handle, offset, length);
      checkLength(key, length, bytes.length);
      return bytes;
    });
  }

  async head(key: string): Promise<ObjectInfo | null> {
    checkKey(key);
    const info = await this.#read(key, async (handle, size, modified) => {
      const hash = createHash("sha256");
      for (let at = 0; at < size; at += HASHED_AT_ONCE) {
        hash.update(await readBytes(handle, at, Math.min(HASHED_AT_ONCE, size - at)));
      }
      return { key, bytes: size, etag: hash.digest("hex"), modified };
    });
    if (info !== null) await this.#settle(dirname(join(this.#root, key)));
    return info;
  }

  async put(key: string, body: Uint8Array<ArrayBuffer>): Promise<ObjectInfo> {
    const { etag, modified } = await this.#write(key, body, async (root, temporary, path) => {
      // Locked so that it cannot fall between the comparison and the rename of `putIfMatch`.
      withLock(root, () => renameSync(temporary, path));
      return true;
    });
    return { key, bytes: body.length, etag, modified };
  }

  async putIfAbsent(key: string, body: Uint8Array<ArrayBuffer>): Promise<PutOutcome> {
    const { written, etag } = await this.#write(key, body, async (_root, temporary, path) => {
      try {
        // Unlike rename, link never replaces: of any number of callers one succeeds.
        await link(temporary, path);
        return true;
      } catch (error) {
        if (codeOf(error) === "EEXIST") return false;
        throw error;
      }
    });
    return written ? { kind: "written", etag } : { kind: "conflict" };
  }

  async putIfMatch(key: string, body: Uint8Array<ArrayBuffer>, etag: string): Promise<PutOutcome> {
    const result = await this.#write(key, body, async (root, temporary, path) =>
      withLock(root, () => {
        if (etagOf(path) !== etag) return false;
        renameSync(temporary, path);
        return true;
      }),
    );
    return result.written ? { kind: "written", etag: result.etag } : { kind: "conflict" };
  }

  async *list(prefix: string): AsyncGenerator<ObjectInfo, void, undefined> {
    checkPrefix(prefix);
    // Only the folders that the prefix names whole; the rest of it is compared name by name.
    const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1);
    for await (const key of this.#keys(folder, prefix)) {
      const info = await this.head(key);
      if (info !== null) yield info;
    }
  }

  async delete(key: string): Promise<void> {
    checkKey(key);
    await onDisk(key, async () => {
      const root = await orAbsent(realpath(this.#root));
      if (root === null) return;
      const path = join(root, key);
      const folder = await orAbsent(realpath(dirname(path)));
      if (folder === null) return;
      if (folder !== dirname(path)) throw linked(key);
      withLock(root, () => {
        if (isFile(path)) unlinkSync(path);
      });
      await syncFolder(folder);
    });
  }

  async #read<T>(
    key: string,
    use: (handle: FileHandle, size: number, modified: number) => Promise<T>,
  ): Promise<T | null> {
    return onDisk(key, async () => {
      const path = await orAbsent(realpath(join(this.#root, key)));
      if (path === null) return null;
      if (path !== join(await realpath(this.#root), key)) throw linked(key);
      const handle = await orAbsent(open(path, constants.O_RDONLY | constants.O_NOFOLLOW));
      if (handle === null) return null;
      try {
        const stats = await handle.stat();
        // An open file keeps its content even when another is renamed over it.
        return stats.isFile() ? await use(handle, stats.size, Math.floor(stats.mtimeMs)) : null;
      } finally {
        await handle.close();
      }
    });
  }

  async #write(
    key: string,
    body: Uint8Array<ArrayBuffer>,
    name: (root: string, temporary: string, path: string) => Promise<boolean>,
  ): Promise<{ written: boolean; etag: string; modified: number }> {
    checkKey(key);
    // A copy, since the caller may go on writing into its buffer while the disk is busy.
    const bytes = body.slice();
    return onDisk(key, async () => {
      await makeRoot(this.#root);
      const root = await realpath(this.#root);
      await this.#sweep(root);
      const path = join(root, key);
      await makeFolder(root, dirname(path), key);
      const temporary = await writeTemporary(root, bytes);
      try {
        const { mtimeMs } = await stat(temporary);
        const written = await name(root, temporary, path);
        await syncFolder(dirname(path));
        return { written, etag: digest(bytes), modified: Math.floor(mtimeMs) };
      } finally {
        await rm(temporary, { force: true });
      }
    });
  }

  /** Keys below a folder (empty, or ending in "/") that begin with the prefix, in code-unit order. */
  async *#keys(folder: string, prefix: string): AsyncGenerator<string, void, undefined> {
    const entries = await onDisk(folder, async () => {
      const path = join(this.#root, folder);
      const real = await orAbsent(realpath(path));
      if (real === null) return [];
      if (join(real, "/") !== join(await realpath(this.#root), folder, "/")) throw linked(folder);
      return (await orAbsent(readdir(real, { withFileTypes: true }))) ?? [];
    });
    // Folders sort by their name with the slash, which is how their keys go on.
    const names = entries
      .filter((entry) => entry.isFile() || entry.isDirectory())
      .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
    for (const name of names.sort()) {
      const key = folder + name;
      if (!key.startsWith(prefix) && !prefix.startsWith(key)) continue;
      if (!name.endsWith("/")) {
        if (key.startsWith(prefix) && isKey(key)) yield key;
      } else if (isKey(key.slice(0, -1))) {
        yield* this.#keys(key, prefix);
      }
    }
  }

  async #sweep(root: string): Promise<void> {
    if (this.#swept) return;
    this.#swept = true;
    await sweepTemporary(root);
  }

  /**
   * Makes an object that is found as durable as one that is written: its writer may have
   * died between naming the file and syncing the folder, and a publisher that finds a blob
   * builds on it. Once per folder; later entries are synced by their own writers.
   */
  async #settle(folder: string): Promise<void> {
    if (this.#synced.has(folder)) return;
    this.#synced.add(folder);
    // A reader on a disk it may not write has nothing to build on it either.
    await syncFolder(folder).catch(() => undefined);
  }
}

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function etagOf(path: string): string | null {
  return isFile(path) ? digest(readFileSync(path)) : null;
}
