/**
 * The oracle of the simulator: sees every write and every delete as it lands, and knows from that
 * alone what must be true. It shares no code with the product: it reads JSON as JSON and hashes with
 * another library.
 */
import { createHash } from "node:crypto";

/** A version as its pointer was written. */
export interface LedgerVersion {
  readonly seq: number;
  readonly commitId: string;
  /** Digest of the manifest it replaced, as the pointer has it. */
  readonly parent: string | null;
  /** Digest of the manifest. */
  readonly manifest: string;
  /** When the pointer was written, by the store's clock. */
  readonly at: number;
  /** Keys of the manifest and of all it names. */
  readonly keys: ReadonlySet<string>;
}

/** What garbage collection has promised to leave alone. */
export interface Retention {
  /** Time in ms for which a version stands after it was replaced. */
  readonly graceMs: number;
  /** Newest versions that stand whatever their age, the current one among them. */
  readonly keep: number;
}

const POINTER = /^indexes\/([^/]+)\/current\.json$/u;
const COLLECTED = /^blobs\/[0-9a-f]{64}$|^indexes\/[^/]+\/manifests\/[0-9a-f]{64}\.json$/u;
/** What is deleted by whoever has made sure that it may be: a trial of the store, and writes that were taken in. */
const DELETED = /^probe\/|^indexes\/[^/]+\/inbox\//u;

interface PlainPointer {
  readonly seq: number;
  readonly commit_id: string;
  readonly parent: string | null;
  readonly manifest: { readonly key: string; readonly sha256: string };
}

interface PlainManifest {
  readonly index: string;
  readonly parent: string | null;
  readonly blobs: readonly { readonly key: string; readonly bytes: number }[];
}

/** What is in the store, what the versions of every index are, and what broke a promise. */
export class Ledger {
  readonly #retention: Retention;
  readonly #objects = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly #histories = new Map<string, LedgerVersion[]>();
  readonly #commitIds = new Set<string>();
  /** Objects that were deleted so far. */
  deletes = 0;
  /** One sentence for each broken promise. */
  readonly violations: string[] = [];
  /** Called with each new version, once it is in the history. */
  onVersion: (index: string, version: LedgerVersion) => void = () => {};

  constructor(retention: Retention) {
    this.#retention = retention;
  }

  /** The versions of an index in the order in which they became current. */
  history(index: string): readonly LedgerVersion[] {
    return this.#histories.get(index) ?? [];
  }

  /** Names of all indexes that ever had a version. */
  get indexes(): readonly string[] {
    return [...this.#histories.keys()];
  }

  /** The bytes under a key as text, or undefined. */
  text(key: string): string | undefined {
    const body = this.#objects.get(key);
    return body === undefined ? undefined : Buffer.from(body).toString("utf8");
  }

  /** These objects as they are now, those that are there. */
  objectsOf(keys: Iterable<string>): ReadonlyMap<string, Uint8Array<ArrayBuffer>> {
    const found = new Map<string, Uint8Array<ArrayBuffer>>();
    for (const key of keys) {
      const body = this.#objects.get(key);
      if (body !== undefined) found.set(key, body);
    }
    return found;
  }

  /** An object was written. */
  wrote(key: string, body: Uint8Array<ArrayBuffer>, at: number): void {
    const digest = /[0-9a-f]{64}/u.exec(key)?.[0];
    if (digest !== undefined && sha256(body) !== digest) this.#broken(`${key} was written with other bytes.`);
    this.#objects.set(key, body.slice());
    const index = POINTER.exec(key)?.[1];
    if (index !== undefined) this.#commit(index, at);
  }

  /** An object was deleted, or would have been had it been there. */
  deleted(key: string, at: number): void {
    if (!this.#objects.has(key)) return;
    if (!COLLECTED.test(key) && !DELETED.test(key)) this.#broken(`${key} was deleted, which nobody may.`);
    const holder = this.#holder(key, at);
    if (holder !== undefined) this.#broken(`${key} was deleted, which ${holder} needs.`);
    this.#objects.delete(key);
    this.deletes++;
  }

  /** Objects that nothing needs any more at this time. */
  orphans(at: number): readonly string[] {
    return [...this.#objects.keys()].filter(
      (key) => COLLECTED.test(key) && this.#holder(key, at) === undefined,
    );
  }

  /** The version that a promise keeps this object for, if there is one. */
  #holder(key: string, at: number): string | undefined {
    for (const [index, versions] of this.#histories) {
      for (const [place, version] of versions.entries()) {
        const successor = versions[place + 1];
        const stands =
          place >= versions.length - this.#retention.keep ||
          (successor !== undefined && at - successor.at < this.#retention.graceMs);
        if (stands && version.keys.has(key)) return `${index} version ${version.seq}`;
      }
    }
    return undefined;
  }

  /** A pointer was written: the version must follow the one before, and be whole. */
  #commit(index: string, at: number): void {
    const pointer: PlainPointer = JSON.parse(this.text(`indexes/${index}/current.json`)!);
    const versions = this.#histories.get(index) ?? [];
    this.#histories.set(index, versions);
    const before = versions.at(-1);
    const name = `${index} version ${pointer.seq}`;
    if (before !== undefined && isTouch(before, pointer)) {
      this.#commitIds.add(pointer.commit_id);
      return;
    }
    if (pointer.seq !== (before?.seq ?? 0) + 1) this.#broken(`${name} follows version ${before?.seq ?? 0}.`);
    if (pointer.parent !== (before?.manifest ?? null)) this.#broken(`${name} names another parent.`);
    if (this.#commitIds.has(pointer.commit_id)) {
      this.#broken(`${name} has a commit id that was there before.`);
    }
    this.#commitIds.add(pointer.commit_id);
    const keys = new Set([pointer.manifest.key]);
    const text = this.text(pointer.manifest.key);
    if (text === undefined) this.#broken(`${name} has no manifest.`);
    else {
      const manifest: PlainManifest = JSON.parse(text);
      if (manifest.index !== index) this.#broken(`${name} has the manifest of ${manifest.index}.`);
      if (manifest.parent !== pointer.parent) this.#broken(`The manifest of ${name} names another parent.`);
      for (const { key, bytes } of manifest.blobs) {
        keys.add(key);
        if (this.#objects.get(key)?.length !== bytes) this.#broken(`${name} lacks ${key}.`);
      }
    }
    const version: LedgerVersion = {
      seq: pointer.seq,
      commitId: pointer.commit_id,
      parent: pointer.parent,
      manifest: pointer.manifest.sha256,
      at,
      keys,
    };
    versions.push(version);
    this.onVersion(index, version);
  }

  #broken(sentence: string): void {
    this.violations.push(sentence);
  }
}

/** Whether a pointer differs from that of the version before in its commit id alone, which locks out writers that sleep. */
function isTouch(before: LedgerVersion, { seq, commit_id, parent, manifest }: PlainPointer): boolean {
  return (
    seq === before.seq &&
    manifest.sha256 === before.manifest &&
    parent === before.parent &&
    commit_id !== before.commitId
  );
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
