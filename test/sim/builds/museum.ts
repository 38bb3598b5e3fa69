/**
 * Every version that ever was, kept aside with all its objects, and what it must hold: what its run read from
 * the source, and the writes at the edge that were acknowledged before the run began.
 */
import type { SourceDocument } from "../../../indexer/sources/source.ts";
import type { InboxEntry } from "../../../shared/format/inbox.ts";
import { documentOf } from "../../helpers/tiny-corpus.ts";
import { audit } from "../auditor.ts";
import type { Ledger, LedgerVersion } from "../ledger.ts";
import { type Objects, storeOf } from "../objects.ts";
import { openTiny, TINY } from "../tiny.ts";

/** What a run makes current: what the source held, or the content of an older version. */
export type Run =
  | { readonly kind: "build"; readonly source: readonly SourceDocument[]; readonly acknowledged: number }
  | { readonly kind: "roll back"; readonly seq: number };

/** A write at the edge, and whether whoever sent it was told that it is safe. */
export interface EdgeWrite {
  readonly entry: InboxEntry;
  /** Its place among the acknowledged, from 0; infinity where it was not. */
  place: number;
}

interface Kept {
  readonly version: LedgerVersion;
  readonly objects: Objects;
}

const QUERIES = ["wave harbour", "king treaty", "rocket", "bread"];

/** The versions of the tiny index. */
export class Museum {
  readonly #ledger: Ledger;
  readonly #runs = new Map<string, Run>();
  readonly #kept: Kept[] = [];
  readonly #documents: (readonly SourceDocument[])[] = [];
  /** All writes that were sent. */
  readonly writes: EdgeWrite[] = [];

  /** Follows what the ledger sees. */
  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    ledger.onVersion = (index, version) => {
      const pointer = `indexes/${index}/current.json`;
      this.#kept.push({ version, objects: ledger.objectsOf([...version.keys, pointer, "registry.json"]) });
    };
  }

  /** How many writes were acknowledged so far. */
  get acknowledged(): number {
    return this.writes.filter(({ place }) => place < Number.POSITIVE_INFINITY).length;
  }

  /** A run has drawn this id and may commit with it. */
  drawn(commitId: string, run: Run): void {
    this.#runs.set(commitId, run);
  }

  /** The run was told that version `seq` is its own. */
  told(seq: number, run: Run): void {
    const { version } = this.#kept[seq - 1] ?? {};
    if (version === undefined || this.#runs.get(version.commitId) !== run) {
      this.#ledger.violations.push(`Version ${seq} was acknowledged to a run that did not make it.`);
    }
  }

  /** The run was told that nothing of it was committed. */
  refused(run: Run): void {
    for (const { version } of this.#kept) {
      if (this.#runs.get(version.commitId) === run) {
        this.#ledger.violations.push(`Version ${version.seq} stands, and its run was told that it does not.`);
      }
    }
  }

  /** Audits every version against what it must hold. Cost: some 50 ms for each. */
  async audit(): Promise<void> {
    for (const { version, objects } of this.#kept) {
      const run = this.#runs.get(version.commitId);
      const name = `Version ${version.seq}`;
      if (run === undefined) {
        this.#ledger.violations.push(`${name} has a commit id that nobody drew.`);
        return;
      }
      const store = storeOf(objects);
      const documents =
        run.kind === "build"
          ? [...run.source, ...(await this.#written(objects, run.acknowledged, name))]
          : this.#documents[run.seq - 1]!;
      this.#documents.push(documents);
      const wrong = await audit(store, documents, QUERIES);
      this.#ledger.violations.push(...wrong.map((what) => `${name}: ${what}`));
    }
  }

  /** What answers to a query a version gives, for those who read it when it was current. */
  async answer(seq: number, q: string): Promise<string> {
    return answerOf(storeOf(this.#kept[seq - 1]!.objects), q);
  }

  /** The documents of writes that a version holds, each held against what it may hold. */
  async #written(objects: Objects, acknowledged: number, name: string): Promise<readonly SourceDocument[]> {
    const index = await openTiny(storeOf(objects));
    const documents: SourceDocument[] = [];
    for (const id of new Set(this.writes.map(({ entry }) => entry.id))) {
      const own = this.writes.filter(({ entry }) => entry.id === id);
      const safe = own.filter(({ place }) => place < acknowledged).map(({ entry }) => entry.write);
      const newest = safe.reduce((a, b) => (b > a ? b : a), "");
      const found = await index.document(id);
      const text = found?.fields.text;
      const allowed = own.filter(({ entry }) => entry.write >= newest).map(({ entry }) => textOf(entry));
      if (newest === "") allowed.push(undefined);
      if (!allowed.includes(text as string | undefined)) {
        this.#ledger.violations.push(
          `${name} says ${String(text)} for ${id}, which was last written otherwise.`,
        );
      }
      if (found !== null) documents.push(documentOf(id, found.fields));
    }
    return documents;
  }
}

/** What the current version of a store answers to a query, with its name. */
export async function answerOf(store: Parameters<typeof openTiny>[0], q: string): Promise<string> {
  const index = await openTiny(store);
  const { hits } = await index.search({ q, mode: "hybrid", limit: 10, offset: 0, explain: false });
  return JSON.stringify([index.version, hits]);
}

/** What a document says once this write is taken in; undefined where it is gone. */
function textOf(entry: InboxEntry): string | undefined {
  return entry.op === "put" ? String(entry.fields.text) : undefined;
}

/** The index that all this is about. */
export const INDEX = TINY;
