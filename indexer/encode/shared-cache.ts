/**
 * Encodings in the store, for machines that share no disk: immutable packs in the form of the local cache,
 * each under the digest of its bytes. Nothing refers to them, so they may be deleted at any time,
 * which costs encoding again; and none is ever changed.
 */
import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inTurns } from "../../shared/in-turns.ts";
import type { ObjectInfo, WriteStore } from "../../shared/store/store.ts";
import { createContent } from "../store/content.ts";
import type { FetchPacks } from "./cache.ts";
import { PACK_BYTES, type SealedPack } from "./packs.ts";

/** Packs on their way at once: each is held whole, to be verified. */
const DOWNLOADS = 3;
/** Packs longer than this were not written by us. */
const MOST_BYTES = 4 * PACK_BYTES;
const NAME = /^[0-9a-f]{64}\.pack$/;

/** Where the packs of an encoder lie. */
export function packPrefix(encoderHash: string): string {
  return `encodings/${encoderHash.slice(0, 16)}/`;
}

/**
 * Brings the packs of the store into the folder that lacks them, by name, and resolves to the names of all that
 * are in both now. One whose bytes are not those that its name says is left out with a warning: it
 * costs encodings, not an answer.
 */
export async function fetchPacks(
  store: WriteStore,
  encoderHash: string,
  folder: string,
  warn: (message: string) => void,
): Promise<ReadonlySet<string>> {
  const prefix = packPrefix(encoderHash);
  const present = new Set<string>();
  const wanted: ObjectInfo[] = [];
  for await (const info of store.list(prefix)) {
    const name = info.key.slice(prefix.length);
    if (!NAME.test(name)) continue;
    if (existsSync(join(folder, name))) present.add(name);
    else if (info.bytes > MOST_BYTES)
      warn(`${info.key} has ${info.bytes} bytes, which no pack has; left out.`);
    else wanted.push(info);
  }
  await mkdir(folder, { recursive: true });
  const fetchOne = async ({ key }: ObjectInfo): Promise<void> => {
    const name = key.slice(prefix.length);
    // Null where it was deleted since it was listed.
    const body = (await store.get(key))?.body;
    if (body === undefined) return;
    if (nameOf(body) !== name) return warn(`${key} is damaged; what is in it is encoded again.`);
    const temporary = join(folder, `${randomBytes(8).toString("hex")}.temporary`);
    await writeFile(temporary, body);
    await rename(temporary, join(folder, name));
    present.add(name);
  };
  await inTurns(wanted, DOWNLOADS, fetchOne);
  return present;
}

/** For `cachedEncoder`: packs of the store when the first text is not in the local cache. */
export function fetchFrom(
  store: WriteStore,
  encoderHash: string,
  warn: (message: string) => void,
): FetchPacks {
  return (folder) => fetchPacks(store, encoderHash, folder, warn);
}

/** Puts a pack into the store. Whether it was not there yet. */
export async function uploadPack(
  store: WriteStore,
  encoderHash: string,
  { name, bytes }: SealedPack,
): Promise<boolean> {
  return createContent(store, `${packPrefix(encoderHash)}${name}`, bytes);
}

function nameOf(bytes: Uint8Array): string {
  return `${createHash("sha256").update(bytes).digest("hex")}.pack`;
}
