/**
 * A shard in the SQLite storage of its object: what it wakes from, and where its cold sections are read. All of it is
 * checked when it is read: pieces by SHA-256, rows of vectors and documents by a checksum that can be had at once.
 * `complete` is written last; what a fill left behind that did not come so far is wiped by the next.
 */
import { LightedgeError } from "../../shared/errors.ts";
import { invalid } from "../../shared/format/bytes.ts";
import type { Envelope } from "../../shared/format/envelope.ts";
import { COLD_SECTIONS, type ShardFile, type ShardMeta } from "../../shared/format/shard.ts";
import type { SectionSink } from "../../shared/format/streamed.ts";
import { type Sha256, sha256, sha256Bytes, toHex } from "../../shared/hash.ts";
import { MIB } from "../../shared/limits.ts";
import { checksum } from "./checksum.ts";
import { DOCUMENTS_A_ROW, documentRow, vectorsPerRow } from "./rows.ts";

/** Changes with any change of what is stored; what has another is wiped. */
const LAYOUT = 1;

/** Bytes of a piece: SQLite takes rows up to 2 MB. */
const PIECE_BYTES = MIB;

const TABLES = ["facts", "pieces", "vectors", "documents", "versions"] as const;

/** What a complete tier says of itself. */
export interface TierFacts {
  readonly sha256: Sha256;
  readonly meta: ShardMeta;
  /** Sections in `pieces`, with their lengths. */
  readonly sections: readonly { readonly name: string; readonly bytes: number }[];
}

/** Sections of a shard that are in memory while its tier is filled. */
export type FillSections = Pick<ShardFile, "meta" | "owners" | "scales" | "ids" | "idStarts" | "places">;

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
    if (text === null || this.fact("layout") !== String(LAYOUT)) return null;
    if ((await sha256(text)) !== this.fact("complete.sha256")) return null;
    // Written by `fill`, and its digest is right.
    const facts = JSON.parse(text) as TierFacts;
    return facts.sha256 === wanted ? facts : null;
  }

  /** Wipes what was there, and makes room for a shard. */
  begin(): void {
    this.#storage.transactionSync(() => {
      for (const table of TABLES) this.sql.exec(`DROP TABLE IF EXISTS ${table}`);
      this.sql.exec("CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL)");
      this.sql.exec(
        "CREATE TABLE pieces (section TEXT, at INTEGER, sha256 BLOB NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (section, at))",
      );
      this.sql.exec("CREATE TABLE vectors (at INTEGER PRIMARY KEY, bytes BLOB NOT NULL)");
      this.sql.exec("CREATE TABLE documents (at INTEGER PRIMARY KEY, bytes BLOB NOT NULL)");
      this.sql.exec(
        "CREATE TABLE versions (at INTEGER PRIMARY KEY, manifest TEXT UNIQUE NOT NULL, entry TEXT NOT NULL, dead BLOB NOT NULL, digest TEXT NOT NULL)",
      );
      this.setFact("layout", String(LAYOUT));
    });
  }

  /** Takes the section of vectors as it arrives. */
  vectorSink({ padded, chunks }: ShardMeta): SectionSink {
    const perRow = vectorsPerRow(padded);
    const vectorBytes = padded;
    const open = new Map<number, { readonly bytes: Uint8Array<ArrayBuffer>; missing: number }>();
    return (offset, part) => {
      for (let at = 0; at < part.length; ) {
        const chunk = Math.floor((offset + at) / vectorBytes);
        const row = Math.floor(chunk / perRow);
        const start = row * perRow * vectorBytes;
        const count = Math.min(perRow, chunks - row * perRow);
        const length = Math.min(start + count * vectorBytes - (offset + at), part.length - at);
        const filling = open.get(row) ?? {
          bytes: new Uint8Array(count * (vectorBytes + 4)),
          missing: count * vectorBytes,
        };
        filling.bytes.set(part.subarray(at, at + length), offset + at - start);
        filling.missing -= length;
        open.set(row, filling);
        if (filling.missing === 0) {
          this.#putVectors(row, count, vectorBytes, filling.bytes);
          open.delete(row);
        }
        at += length;
      }
    };
  }

  /** Vectors back to back, then a checksum of each. */
  #putVectors(row: number, count: number, vectorBytes: number, bytes: Uint8Array<ArrayBuffer>): void {
    const words = new Uint32Array(bytes.buffer);
    const each = vectorBytes / 4;
    for (let i = 0; i < count; i++)
      words[count * each + i] = checksum(words, i * each, (i + 1) * each, row * 256 + i);
    this.sql.exec("INSERT INTO vectors VALUES (?, ?)", row, bytes);
  }

  /** Stores all else and completes the tier. `meta` was checked, and so was every section. */
  async finish(
    sha256Of: Sha256,
    shard: FillSections,
    envelope: Envelope,
    names: readonly string[],
  ): Promise<void> {
    const cold: readonly string[] = COLD_SECTIONS;
    const sections = names
      .filter((name) => !cold.includes(name))
      .map((name) => ({ name, bytes: envelope.section(name).length }));
    for (const { name, bytes } of sections) {
      const section = envelope.section(name);
      for (let at = 0; at < bytes; at += PIECE_BYTES) {
        const piece = section.slice(at, at + PIECE_BYTES);
        this.sql.exec("INSERT INTO pieces VALUES (?, ?, ?, ?)", name, at, await sha256Bytes(piece), piece);
      }
    }
    const { documents } = shard.meta;
    for (let row = 0; row * DOCUMENTS_A_ROW < documents; row++)
      this.sql.exec("INSERT INTO documents VALUES (?, ?)", row, documentRow(shard, row));
    const text = JSON.stringify({ sha256: sha256Of, meta: shard.meta, sections } satisfies TierFacts);
    const digest = await sha256(text);
    this.#storage.transactionSync(() => {
      this.setFact("complete.sha256", digest);
      this.setFact("complete", text);
    });
  }

  /** The stored sections, each in the space given for it. Throws `blob/corrupt` where bits differ from what was stored. */
  async readSections(
    facts: TierFacts,
    space: (name: string, bytes: number) => Uint8Array<ArrayBuffer>,
  ): Promise<Envelope> {
    const spaces = new Map<string, Uint8Array<ArrayBuffer>>();
    for (const { name, bytes } of facts.sections) {
      const into = space(name, bytes);
      spaces.set(name, into);
      for (let at = 0; at < bytes; at += PIECE_BYTES) {
        const found = this.#piece(name, at);
        const length = Math.min(PIECE_BYTES, bytes - at);
        if (found === null || found.bytes.length !== length) throw damaged(`the section ${name} at ${at}`);
        if (toHex(await sha256Bytes(found.bytes)) !== toHex(found.digest))
          throw damaged(`the section ${name} at ${at}`);
        into.set(found.bytes, at);
      }
    }
    return {
      kind: "shard",
      meta: { ...facts.meta },
      section(name) {
        const bytes = spaces.get(name);
        if (bytes === undefined) throw invalid(`The second tier has no section ${name}.`);
        return bytes;
      },
    };
  }

  #piece(section: string, at: number) {
    const query = "SELECT sha256, bytes FROM pieces WHERE section = ? AND at = ?";
    const [row] = [...this.sql.exec(query, section, at).raw()];
    if (row === undefined) return null;
    const [digest, bytes] = row;
    if (!(digest instanceof ArrayBuffer) || !(bytes instanceof ArrayBuffer)) return null;
    return { digest: new Uint8Array(digest), bytes: new Uint8Array(bytes) };
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

/** The error for a part of the tier that is not as it was stored. */
export function damaged(what: string): LightedgeError {
  return new LightedgeError("blob/corrupt", `The shard object's own storage is damaged: ${what}.`);
}
