/**
 * A shard in the SQLite storage of its object: what it wakes from, and where its cold sections are read. All of it is
 * checked when it is read: the loaded shard by SHA-256, rows by a checksum that can be had at once.
 * `complete` is written last; what a fill left behind that did not come so far is wiped by the next.
 */
import type { HotShard } from "../../shared/engine/resident.ts";
import { HOT_LAYOUT, restoreSnapshot, type Snapshot } from "../../shared/engine/snapshot.ts";
import { LightedgeError } from "../../shared/errors.ts";
import type { SectionSink } from "../../shared/format/streamed.ts";
import { type Sha256, sha256, sha256Bytes, toHex } from "../../shared/hash.ts";
import type { Kernels } from "../../shared/kernels/kernels.ts";
import { MIB } from "../../shared/limits.ts";
import {
  beginRow,
  CHUNK_WORDS,
  chunkAt,
  chunksPerRow,
  type RowFacts,
  type RowSpace,
  sealRow,
} from "./rows.ts";

/** Changes with any change of what is stored, and with how shards lie in memory; what has another is wiped. */
const LAYOUT = `3.${HOT_LAYOUT}`;

/** Bytes of a piece: SQLite takes rows up to 2 MB. */
const PIECE_BYTES = MIB;

/** Of this layout and of those before it. */
const TABLES = ["pieces", "rows", "vectors", "documents"] as const;

/** What a complete tier says of itself. */
export interface TierFacts {
  readonly sha256: Sha256;
  /** The loaded shard's text, and the lengths of its arrays and of its memory: `snapshot.ts`. */
  readonly text: string;
  readonly arrays: readonly number[];
  readonly memory: number;
}

/** Gives memory back now that was copied into SQLite: a shard's rows are 20 MB of buffers, which hardly bring a collection about. */
function giveBack(bytes: Uint8Array<ArrayBuffer>): void {
  bytes.buffer.transfer(0);
}

/** Number of the kernel memory among the parts; arrays come from 0 on. */
const MEMORY = -1;

/** The second tier of one shard. */
export class SecondTier {
  readonly #storage: DurableObjectStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  get sql(): SqlStorage {
    return this.#storage.sql;
  }

  /** What is there of this shard; null where nothing is, or not all, or something else. */
  async facts(wanted: Sha256): Promise<TierFacts | null> {
    const text = this.fact("complete");
    if (text === null || this.fact("layout") !== LAYOUT) return null;
    if ((await sha256(text)) !== this.fact("complete.sha256")) return null;
    // Written by `fill`, and its digest is right.
    const facts = JSON.parse(text) as TierFacts;
    return facts.sha256 === wanted ? facts : null;
  }

  /** Wipes what was there, and makes room for a shard. */
  begin(): void {
    this.#storage.transactionSync(() => {
      for (const table of TABLES) this.sql.exec(`DROP TABLE IF EXISTS ${table}`);
      this.sql.exec("CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL)");
      // What is known of the object's life and of versions outlasts its content.
      this.sql.exec("DELETE FROM facts WHERE name NOT IN ('address', 'unneeded')");
      this.sql.exec(
        "CREATE TABLE pieces (part INTEGER, at INTEGER, sha256 BLOB NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (part, at))",
      );
      this.sql.exec("CREATE TABLE rows (at INTEGER PRIMARY KEY, bytes BLOB NOT NULL)");
      this.sql.exec(
        "CREATE TABLE IF NOT EXISTS versions (at INTEGER PRIMARY KEY, manifest TEXT UNIQUE NOT NULL, entry TEXT NOT NULL, dead BLOB NOT NULL, digest TEXT NOT NULL)",
      );
      this.setFact("layout", LAYOUT);
    });
  }

  /** Takes the section of vectors as it arrives, and stores it in rows with what `facts` says of them. Every section was checked. */
  rowSink(facts: RowFacts): SectionSink {
    const { padded, chunks } = facts.meta;
    const perRow = chunksPerRow(padded);
    const open = new Map<number, { readonly space: RowSpace; missing: number }>();
    return (offset, part) => {
      for (let at = 0; at < part.length; ) {
        const chunk = Math.floor((offset + at) / padded);
        const row = Math.floor(chunk / perRow);
        const filling = open.get(row) ?? {
          space: beginRow(facts, row),
          missing: padded * Math.min(perRow, chunks - row * perRow),
        };
        // The rest of this chunk, as far as it is here.
        const inside = offset + at - chunk * padded;
        const length = Math.min(padded - inside, part.length - at);
        const start = 4 * (chunkAt(chunk - row * perRow, padded) + CHUNK_WORDS);
        filling.space.bytes.set(part.subarray(at, at + length), start + inside);
        filling.missing -= length;
        at += length;
        if (filling.missing > 0) {
          open.set(row, filling);
          continue;
        }
        open.delete(row);
        sealRow(filling.space, row);
        this.sql.exec("INSERT INTO rows VALUES (?, ?)", row, filling.space.bytes);
        giveBack(filling.space.bytes);
      }
    };
  }

  /** Stores the loaded shard, and marks the tier as complete. */
  async complete(shard: Sha256, { text, arrays, memory }: Snapshot): Promise<TierFacts> {
    for (const [number, array] of arrays.entries()) await this.#putPieces(number, array);
    await this.#putPieces(MEMORY, memory);
    const facts: TierFacts = {
      ...{ sha256: shard, text },
      ...{ arrays: arrays.map(({ length }) => length), memory: memory.length },
    };
    const whole = JSON.stringify(facts);
    const digest = await sha256(whole);
    this.#storage.transactionSync(() => {
      this.setFact("complete.sha256", digest);
      this.setFact("complete", whole);
    });
    return facts;
  }

  async #putPieces(part: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const piece = bytes.slice(at, at + PIECE_BYTES);
      this.sql.exec("INSERT INTO pieces VALUES (?, ?, ?, ?)", part, at, await sha256Bytes(piece), piece);
      giveBack(piece);
    }
  }

  /** The shard as it was loaded, in these kernels. Throws `blob/corrupt` where bits differ from what was stored. */
  async restore(facts: TierFacts, kernels: Kernels): Promise<HotShard> {
    const arrays: Uint8Array<ArrayBuffer>[] = [];
    for (const [number, bytes] of facts.arrays.entries()) {
      const array = new Uint8Array(bytes);
      await this.#readPieces(number, array);
      arrays.push(array);
    }
    return restoreSnapshot(facts.text, arrays, facts.memory, kernels, (space) =>
      this.#readPieces(MEMORY, space),
    );
  }

  async #readPieces(part: number, into: Uint8Array<ArrayBuffer>): Promise<void> {
    for (let at = 0; at < into.length; at += PIECE_BYTES) {
      const query = "SELECT sha256, bytes FROM pieces WHERE part = ? AND at = ?";
      const [[digest, bytes] = []] = [...this.sql.exec(query, part, at).raw()];
      const what = `part ${part} at ${at}`;
      if (!(digest instanceof ArrayBuffer) || !(bytes instanceof ArrayBuffer)) throw damaged(what);
      const found = new Uint8Array(bytes);
      if (found.length !== Math.min(PIECE_BYTES, into.length - at)) throw damaged(what);
      if (toHex(await sha256Bytes(found)) !== toHex(new Uint8Array(digest))) throw damaged(what);
      into.set(found, at);
      // Given back now: a shard is some ten of these, and nothing else makes a collection come soon.
      bytes.transfer(0);
    }
  }

  /** What was kept of a version, or null. */
  version(manifest: Sha256) {
    if (!this.#exists()) return null;
    const query = "SELECT entry, dead, digest FROM versions WHERE manifest = ?";
    const [row] = [...this.sql.exec(query, manifest).raw()];
    if (row === undefined) return null;
    const [entry, dead, digest] = row;
    if (typeof entry !== "string" || !(dead instanceof ArrayBuffer) || typeof digest !== "string")
      return null;
    return { entry, dead: new Uint8Array(dead), digest };
  }

  /** Keeps a version, and no more than the `most` that were kept last. */
  putVersion(
    manifest: Sha256,
    entry: string,
    dead: Uint8Array<ArrayBuffer>,
    digest: Sha256,
    most: number,
  ): void {
    const query = "INSERT OR REPLACE INTO versions (manifest, entry, dead, digest) VALUES (?, ?, ?, ?)";
    this.sql.exec(query, manifest, entry, dead, digest);
    this.sql.exec(
      "DELETE FROM versions WHERE at NOT IN (SELECT at FROM versions ORDER BY at DESC LIMIT ?)",
      most,
    );
  }

  /** A text under a name, or null. */
  fact(name: string): string | null {
    if (!this.#exists()) return null;
    const [row] = [...this.sql.exec("SELECT value FROM facts WHERE name = ?", name).raw()];
    return row === undefined ? null : String(row[0]);
  }

  setFact(name: string, value: string): void {
    this.sql.exec("INSERT OR REPLACE INTO facts VALUES (?, ?)", name, value);
  }

  #exists(): boolean {
    const query = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'facts'";
    return this.sql.exec(query).one()["count(*)"] === 1;
  }
}

/** A part of the tier that is not as it was stored. */
class TierDamage extends LightedgeError {}

/** The error for a part of the tier that is not as it was stored. */
export function damaged(what: string): LightedgeError {
  return new TierDamage("blob/corrupt", `The shard object's own storage is damaged: ${what}.`);
}

/** Whether an error is one of `damaged`, and not of a blob in the store. */
export function isDamaged(error: unknown): error is LightedgeError {
  return error instanceof TierDamage;
}
