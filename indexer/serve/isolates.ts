/**
 * In how many isolates the shard objects of a region live, and which lives where. The platform spreads objects over its
 * machines; workerd keeps all of a class in one isolate, whose budget would have to hold the whole index.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadManifest } from "../../shared/format/load.ts";
import { residentBytesOf } from "../../shared/format/manifest.ts";
import { MEMORY_LIMITS } from "../../shared/limits.ts";
import type { ReadStore } from "../../shared/store/store.ts";
import { readExisting } from "../../shared/versions/current.ts";
import type { ServeOptions } from "./options.ts";

/** Isolates of one region, and of all together, at most: each takes some 10 MB before it holds anything. */
const MOST = 16;
const MOST_IN_ALL = 24;
/** Room for the shards of the next version beside those of this one. */
const ROOM = 1.5;
/** Times that a store is asked before it is taken for empty. */
const TRIES = 5;

/**
 * Isolates that hold the shards of all indexes served within the budget of each, unless the options say how many; 1 where the
 * Worker itself can hold them. Cost: two reads an index.
 */
export async function isolatesOf(options: ServeOptions): Promise<number> {
  const {
    store,
    indexes,
    regions = [],
    shardIsolates,
    residentBytes = MEMORY_LIMITS.residentBytes,
  } = options;
  if (shardIsolates !== undefined) return shardIsolates;
  let bytes = 0;
  for (const index of indexes) {
    const needed = await neededBytes(store, index);
    if (needed > residentBytes) bytes += needed;
  }
  if (bytes === 0) return 1;
  const most = Math.max(2, Math.min(MOST, Math.floor(MOST_IN_ALL / Math.max(1, regions.length))));
  return Math.min(most, 1 + Math.ceil((bytes * ROOM) / residentBytes));
}

/** Resident bytes of an index; 0 where there is none, or no word of it: then it is not served either. */
async function neededBytes(store: ReadStore, index: string): Promise<number> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    try {
      const { pointer } = await readExisting(store, index);
      return residentBytesOf(await loadManifest(store, pointer.manifest));
    } catch {
      // The store may be one that fails now and then, as it was told to; serving says what is wrong with it.
    }
  }
  return 0;
}

/** Which isolate each object lives in. The next one for each new name, so that the shards of a version spread evenly. */
export class IsolateTable {
  readonly #count: number;
  readonly #file: string | undefined;
  readonly #isolates: Record<string, number>;

  /** `folder` is where objects keep their storage: what lies there must be found in the same isolate again. */
  constructor(count: number, folder: string | undefined) {
    this.#count = count;
    this.#file = folder === undefined ? undefined : join(folder, "isolates.json");
    this.#isolates = this.#read();
  }

  /** The isolate of an object in a region, from 0. */
  of(region: string, name: string): number {
    const key = `${region}/${name}`;
    const known = this.#isolates[key];
    if (known !== undefined && known < this.#count) return known;
    const before = Object.keys(this.#isolates).filter((other) => other.startsWith(`${region}/`)).length;
    this.#isolates[key] = before % this.#count;
    this.#write();
    return this.#isolates[key];
  }

  #read(): Record<string, number> {
    if (this.#file === undefined || !existsSync(this.#file)) return {};
    // Safe: only this class writes it, and an isolate that does not know an object loads it anew.
    return JSON.parse(readFileSync(this.#file, "utf8")) as Record<string, number>;
  }

  #write(): void {
    if (this.#file === undefined) return;
    mkdirSync(join(this.#file, ".."), { recursive: true });
    writeFileSync(this.#file, `${JSON.stringify(this.#isolates, null, 1)}\n`);
  }
}
