/**
 * What each version must say: the changes of the runs, one after the other, in the order in which they
 * were committed. A run is known by the commit ids that it drew, so one that never heard whether it
 * had committed is known as well.
 */
import { type Content, contentOf, NOTHING, spelled } from "./content.ts";
import type { Ledger, LedgerVersion } from "./ledger.ts";

/** What a run makes of the versions before it, the newest last. */
export type Intent = (before: readonly Content[]) => Content;

interface Run {
  readonly index: string;
  readonly intent: Intent;
}

/** The contents of all versions, as they are and as they must be. */
export class Model {
  readonly #ledger: Ledger;
  readonly #runs = new Map<string, Run>();
  readonly #contents = new Map<string, Content[]>();

  /** Follows what the ledger sees. */
  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    ledger.onVersion = (index, version) => this.#check(index, version);
  }

  /** A run has drawn this id and may commit with it. */
  drawn(commitId: string, run: Run): void {
    this.#runs.set(commitId, run);
  }

  /** The versions' contents so far. */
  contents(index: string): readonly Content[] {
    return this.#contents.get(index) ?? [];
  }

  /** What a version says, by the digest of its manifest. */
  contentOf(index: string, manifest: string): Content | undefined {
    const place = this.#ledger.history(index).findIndex((version) => version.manifest === manifest);
    return this.contents(index)[place];
  }

  /** The run was told that it committed version `seq`. */
  acknowledged(index: string, seq: number, intent: Intent): void {
    const version = this.#ledger.history(index)[seq - 1];
    if (version === undefined) this.#broken(`${index} version ${seq} was acknowledged and is not there.`);
    else if (this.#runs.get(version.commitId)?.intent !== intent) {
      this.#broken(`${index} version ${seq} was acknowledged to a run that did not make it.`);
    }
  }

  /** The run was told that nothing of it was committed. */
  refused(index: string, intent: Intent): void {
    for (const { seq, commitId } of this.#ledger.history(index)) {
      if (this.#runs.get(commitId)?.intent === intent) {
        this.#broken(`${index} version ${seq} stands, and its run was told that it does not.`);
      }
    }
  }

  /** The run was told that version `seq` says what it wanted already. */
  unchanged(index: string, seq: number, intent: Intent): void {
    const contents = this.contents(index).slice(0, seq);
    if (spelled(intent(contents)) !== spelled(contents.at(-1) ?? NOTHING)) {
      this.#broken(`${index} version ${seq} was taken for what a run wanted, and is not.`);
    }
  }

  #check(index: string, { seq, commitId, manifest }: LedgerVersion): void {
    const contents = this.#contents.get(index) ?? [];
    this.#contents.set(index, contents);
    const run = this.#runs.get(commitId);
    const found = this.#read(index, manifest);
    if (run === undefined) this.#broken(`${index} version ${seq} has a commit id that nobody drew.`);
    else if (run.index !== index) this.#broken(`${index} version ${seq} was meant for ${run.index}.`);
    else if (found === undefined || spelled(found) !== spelled(run.intent(contents))) {
      this.#broken(`${index} version ${seq} does not say what its run made of the version before.`);
    }
    contents.push(found ?? NOTHING);
  }

  /** What the stored version says, read without any of the product's code. */
  #read(index: string, digest: string): Content | undefined {
    const manifest = this.#ledger.text(`indexes/${index}/manifests/${digest}.json`);
    if (manifest === undefined) return undefined;
    const { blobs } = JSON.parse(manifest) as { blobs: readonly { role: string; key: string }[] };
    const texts = (role: string) =>
      blobs.filter((blob) => blob.role === role).map(({ key }) => this.#ledger.text(key));
    const [table] = texts("table");
    const buckets = texts("documents").filter((text) => text !== undefined);
    return table === undefined ? undefined : contentOf(table, buckets);
  }

  #broken(sentence: string): void {
    this.#ledger.violations.push(sentence);
  }
}
