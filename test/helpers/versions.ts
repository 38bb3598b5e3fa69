/** Versions of a few texts, published by the product's own code on a clock that the test moves, and an audit of what is left of them. */
import { collectGarbage, type GcOptions, type GcPorts, type GcReport } from "../../indexer/store/gc.ts";
import type { PublishPorts } from "../../indexer/store/publish.ts";
import { type Published, Publisher, publishVersion } from "../../indexer/store/publish-version.ts";
import { type RolledBack, rollback } from "../../indexer/store/rollback.ts";
import type { WrittenFile } from "../../shared/format/envelope.ts";
import { type BlobEntry, blobsOf, type Manifest } from "../../shared/format/manifest.ts";
import { type Sha256, sha256 } from "../../shared/hash.ts";
import { MemoryStore } from "../../shared/store/memory.ts";
import type { ReadStore, WriteStore } from "../../shared/store/store.ts";
import { readClock } from "../../shared/versions/clock.ts";
import { readPointer } from "../../shared/versions/current.ts";
import { history } from "../../shared/versions/history.ts";
import { readRegistry } from "../../shared/versions/registry.ts";
import { FRESH_MS, GRACE_MS } from "../../shared/versions/times.ts";

/** A minute and an hour in ms. */
export const MINUTE = 60_000;
/** An hour in ms. */
export const HOUR = 60 * MINUTE;
/** The shortest grace, and the age at which nothing is too young for it any more. */
export const GRACE = GRACE_MS.least;
/** Older than anything that a collection with `GRACE` leaves for its youth. */
export const OLD = GRACE + FRESH_MS + MINUTE;

const ZEROS = "0".repeat(64) as Sha256;
/** The shortest file that a manifest can name. */
const SHORTEST = 64;

/** A store with a clock, and everything that happens on it. */
export class VersionsWorld {
  /** By the store's clock, in ms. */
  now = Date.UTC(2026, 0, 31);
  readonly store = new MemoryStore(() => this.now);
  /** Pauses so far, in ms. */
  readonly pauses: number[] = [];
  #drawn = 0;

  /** What writers are given: bytes that are never the same twice, pauses by this clock. */
  readonly ports: PublishPorts = {
    randomBytes: (length) => this.#draw(length),
    pause: async (milliseconds) => void this.#sleep(milliseconds),
  };
  /** What collections are given. */
  readonly gcPorts: GcPorts = {
    randomBytes: (length) => this.#draw(length),
    pause: async (milliseconds) => void this.#sleep(milliseconds),
    monotonic: () => this.now,
  };

  #draw(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    new DataView(bytes.buffer).setUint32(0, ++this.#drawn);
    return bytes;
  }

  #sleep(milliseconds: number): void {
    this.pauses.push(milliseconds);
    this.now += milliseconds;
  }

  /** Lets time pass. */
  pass(milliseconds: number): this {
    this.now += milliseconds;
    return this;
  }

  /** Publishes a version whose documents are these texts. */
  async publish(
    texts: readonly string[],
    index = "docs",
    store: WriteStore = this.store,
  ): Promise<Published> {
    const base = await readPointer(store, index);
    const publisher = new Publisher(store);
    const put = async (text: string) => publisher.put(await fileOf(text));
    const table = await put("table");
    const blobs: BlobEntry[] = [
      { role: "tokenizer", ...(await put("tokenizer")) },
      { role: "table", task: "search", ...table },
    ];
    for (const [ordinal, text] of texts.entries()) {
      blobs.push({ role: "shard", ordinal, ...(await put(`shard of ${text}`)) });
      blobs.push({ role: "documents", ordinal, ...(await put(text)) });
    }
    const content = {
      index,
      model: { name: "none", encoder: ZEROS, dimension: 1, vocabulary: 1, max_tokens: 1 },
      tasks: [{ name: "search", query_prompt: "", table: table.sha256 }],
      fusion: { rule: "minmax", weight: 0.5 },
      counts: { documents: texts.length, chunks: texts.length, rejected: 0 },
      fields: [],
      blobs,
    } as const;
    return publishVersion(store, content, base, new Date(this.now), this.ports);
  }

  /** Publishes versions of these texts of `docs`, an hour between them; the last is an hour old. */
  async publishAll(...versions: readonly (readonly string[])[]): Promise<void> {
    for (const texts of versions) {
      await this.publish(texts);
      this.pass(HOUR);
    }
  }

  /** Goes back to an older version. */
  rollback(to: string, index = "docs", store: WriteStore = this.store): Promise<RolledBack> {
    return rollback(store, index, to, new Date(this.now), this.ports);
  }

  /** Collects with the shortest grace, keeping the current version alone, unless told otherwise. */
  collect(options: Partial<GcOptions> = {}, store: WriteStore = this.store): Promise<GcReport> {
    return collectGarbage(store, { graceMs: GRACE, keep: 1, ...options }, this.gcPorts);
  }

  /** The texts of the current version, every byte checked; null where there is none. */
  async texts(index = "docs"): Promise<readonly string[] | null> {
    for await (const link of history(this.store, index)) {
      if (link.kind !== "version") throw new Error(`${link.version} is ${link.kind}.`);
      return textsOf(this.store, link.manifest);
    }
    return null;
  }

  /** All keys. */
  async keys(prefix = ""): Promise<readonly string[]> {
    const keys: string[] = [];
    for await (const { key } of this.store.list(prefix)) keys.push(key);
    return keys;
  }

  /** The keys of all blobs. */
  async blobs(): Promise<readonly string[]> {
    return this.keys("blobs/");
  }
}

/** The texts that a version's documents are, every byte of every blob checked. */
export async function textsOf(store: ReadStore, manifest: Manifest): Promise<readonly string[]> {
  for (const blob of manifest.blobs) await readChecked(store, blob);
  return Promise.all(blobsOf(manifest, "documents").map((blob) => readChecked(store, blob)));
}

/** A blob's key for a text that `publish` was given. */
export async function keyOf(text: string): Promise<string> {
  return `blobs/${(await fileOf(text)).sha256}`;
}

/** The keys of what a version of these texts consists of, in order. */
export async function keysOf(...texts: readonly string[]): Promise<readonly string[]> {
  const all = ["tokenizer", "table", ...texts, ...texts.map((text) => `shard of ${text}`)];
  return (await Promise.all([...new Set(all)].map(keyOf))).sort();
}

const files = new Map<string, Promise<WrittenFile>>();

/** A text as it is stored. */
export function fileOf(text: string): Promise<WrittenFile> {
  const known = files.get(text) ?? makeFile(text);
  files.set(text, known);
  return known;
}

async function makeFile(text: string): Promise<WrittenFile> {
  const bytes = new TextEncoder().encode(text.padEnd(SHORTEST));
  return { bytes, sha256: await sha256(bytes), head: { bytes: SHORTEST, sha256: ZEROS } };
}

/**
 * What is wrong with a store: every registered index whose chain does not lead, whole and to the bit, down to its first
 * version or to one that a collection has let go of.
 */
export async function audit(store: ReadStore): Promise<readonly string[]> {
  const problems: string[] = [];
  const { released } = await readClock(store);
  for (const index of (await readRegistry(store))?.registry.indexes ?? []) {
    let expected: number | undefined;
    for await (const link of history(store, index)) {
      if (expected !== undefined && link.seq !== expected)
        problems.push(`${index}: ${link.version} is out of turn.`);
      expected = link.seq - 1;
      if (link.seq <= (released[index] ?? 0)) continue;
      if (link.kind !== "version") problems.push(`${index}: ${link.version} is ${link.kind}.`);
      else
        await textsOf(store, link.manifest).catch((error: Error) =>
          problems.push(`${index}: ${error.message}`),
        );
    }
  }
  return problems;
}

async function readChecked(store: ReadStore, blob: BlobEntry): Promise<string> {
  const found = await store.get(blob.key);
  if (found === null) throw new Error(`${blob.role} ${blob.key} is missing.`);
  if ((await sha256(found.body)) !== blob.sha256) throw new Error(`${blob.role} ${blob.key} is damaged.`);
  return new TextDecoder().decode(found.body).trimEnd();
}
