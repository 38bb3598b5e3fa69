/** What the folder store needs of a disk: durable names, temporary files, a lock, and its errors as ours. */

import { randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, realpath, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { LightedgeError } from "../../shared/errors.ts";

// Keys have no "~", so neither of these can be an object or a folder of objects.
const TEMPORARY_FOLDER = "~tmp";
const LOCK_FILE = "~lock";
/** Age after which a temporary file belongs to a run that died. The longest write takes minutes. */
const ABANDONED_MS = 24 * 60 * 60 * 1000;
/** How long to wait for the lock. It is held for one read of a small file and one rename. */
const LOCK_WAIT_MS = 10_000;

/**
 * Runs disk work for a key. An error of the operating system becomes `store/unavailable`
 * with the cause kept, or `store/invalid-key` where a file stands in the place of a folder
 * or the other way round, which object storage allows and a disk cannot hold.
 */
export async function onDisk<T>(key: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = codeOf(error);
    if (error instanceof LightedgeError || code === undefined) throw error;
    if (code === "ENOTDIR" || code === "EISDIR" || code === "EEXIST") {
      throw new LightedgeError(
        "store/invalid-key",
        `${key} cannot be stored in a folder: another key is a folder of it, or it of another.`,
        { blob: key },
        error,
      );
    }
    throw new LightedgeError(
      "store/unavailable",
      `The disk failed on ${key} (${code}). Check the free space and the rights of the store's folder.`,
      { blob: key },
      error,
    );
  }
}

/** The code of an operating system error, such as ENOENT. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** The result, or null where the thing is not there. */
export async function orAbsent<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw error;
  }
}

/**
 * Makes the store's own folder and those above it, one by one: Node's way of making all at once says ENOENT of a
 * disk that is read-only, and never ends in /proc. Throws `store/unavailable` naming the folder.
 */
export async function makeRoot(root: string): Promise<void> {
  const found = await orAbsent(stat(root));
  if (found?.isDirectory()) return;
  const above = dirname(root);
  if (found === null && above !== root) await makeRoot(above);
  try {
    await mkdir(root);
  } catch (error) {
    const code = codeOf(error);
    // Another process may have been faster.
    if (code === "EEXIST" && (await orAbsent(stat(root)))?.isDirectory()) return;
    const why = found === null ? `cannot be made (${code})` : "is a file";
    throw new LightedgeError(
      "store/unavailable",
      `The store's folder ${root} ${why}. Correct --store, or the rights of the folder above.`,
      {},
      error,
    );
  }
  // Its entry in the folder above must reach the disk too; where that may not be read, it has to do without.
  await syncFolder(above).catch(() => undefined);
}

/**
 * Makes the folder for a file below `root`, which must be a real path, so that it
 * survives power loss. Throws `store/invalid-key` if a symbolic link stands on the way.
 */
export async function makeFolder(root: string, folder: string, key: string): Promise<void> {
  let existing = folder;
  let real = await orAbsent(realpath(existing));
  while (real === null && existing.length > root.length) {
    existing = dirname(existing);
    real = await orAbsent(realpath(existing));
  }
  if (real !== null && real !== existing) throw linked(key);
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  // Each new folder is an entry of the one above, which must reach the disk too.
  for (let at = folder; at.length >= first.length; at = dirname(at)) await syncFolder(dirname(at));
}

/** The error for a key that a symbolic link leads away from the store's own folder. */
export function linked(key: string): LightedgeError {
  return new LightedgeError(
    "store/invalid-key",
    `A symbolic link stands on the way to ${key}; a store holds plain files and folders only.`,
    { blob: key },
  );
}

/** Makes the entries of a folder durable: without it a rename may be lost with the power. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes bytes durably to a new file outside all keys, on the same file system as `root`. Gives its path. */
export async function writeTemporary(root: string, body: Uint8Array): Promise<string> {
  const folder = join(root, TEMPORARY_FOLDER);
  await mkdir(folder, { recursive: true });
  const path = join(folder, randomUUID());
  const handle = await open(path, "wx");
  try {
    await handle.writeFile(body);
    await handle.sync();
  } catch (error) {
    // A full disk must not be left fuller.
    await rm(path, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  return path;
}

/** Removes temporary files of runs that died more than a day ago. Never fails: it is nobody's task. */
export async function sweepTemporary(root: string): Promise<void> {
  const folder = join(root, TEMPORARY_FOLDER);
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    const age = await stat(path).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > ABANDONED_MS) await rm(path, { force: true }).catch(() => undefined);
  }
}

/**
 * Runs work that no other writer of this folder runs at the same time, in this process or
 * another. The lock is SQLite's on an empty database, hence one of the kernel's, which
 * lets go when its holder dies however it dies. The usual lock file that names its owner
 * has to be judged stale by somebody, and two who judge at once can both come to hold it.
 * The work is synchronous because waiting for the lock blocks the thread: work that gave
 * the thread away could be waited for by its own process, for ever.
 */
export function withLock<T>(root: string, work: () => T): T {
  const database = new DatabaseSync(join(root, LOCK_FILE), { timeout: LOCK_WAIT_MS });
  try {
    database.exec("BEGIN EXCLUSIVE");
    return work();
  } finally {
    database.close();
  }
}

/** Bytes of a file from `offset`: `length` of them, or fewer where the file ends. */
export async function readBytes(
  handle: FileHandle,
  offset: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, offset + filled);
    if (bytesRead === 0) return bytes.subarray(0, filled);
    filled += bytesRead;
  }
  return bytes;
}
