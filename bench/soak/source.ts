/** A source that changes with every run: most documents stay, some say something new, some come and some go. */
import { Random } from "../../indexer/random.ts";
import type { SourceDocument } from "../../indexer/sources/source.ts";
import { documentOf, ODD_DOCUMENTS, tinyDocuments } from "../../test/helpers/tiny-corpus.ts";
import { TOPICS } from "../../test/helpers/tiny-encoder.ts";

/** How much of a source changes from one state to the next. */
export interface Change {
  readonly changed: number;
  readonly added: number;
  readonly removed: number;
}

/** Few enough that runs stay incremental, enough that hardly a query has the same answer twice. */
export const USUAL_CHANGE: Change = { changed: 25, added: 6, removed: 6 };

const WORDS = [...TOPICS.flat(), ..."the of and to in".split(" ")];

/** Ordinary documents that change and never go. */
const LASTING = 24;

/** A query of one to six words that many documents have. */
export function drawQuery(random: Random): string {
  const length = 1 + random.below(6);
  return Array.from({ length }, () => random.pick(WORDS)).join(" ");
}

/** States of a source, one for each run. The same seed gives the same states. */
export class ChangingSource {
  readonly #random: Random;
  readonly #documents = new Map<string, SourceDocument>();
  #made = 0;

  constructor(seed: number, count: number) {
    this.#random = new Random(seed);
    for (const document of ODD_DOCUMENTS) this.#documents.set(document.id, document);
    while (this.#documents.size < count) this.#put(this.#nextId());
  }

  /** What the source holds now. Later changes do not reach it. */
  state(): readonly SourceDocument[] {
    return [...this.#documents.values()];
  }

  /** Ids of documents that every state has; of most of them with another text now and then. */
  lasting(): readonly string[] {
    return [...this.#documents.keys()].slice(0, ODD_DOCUMENTS.length + LASTING);
  }

  /** Changes the source; ids that go never come back. */
  change({ changed, added, removed }: Change = USUAL_CHANGE): void {
    const ordinary = [...this.#documents.keys()].slice(ODD_DOCUMENTS.length);
    const passing = ordinary.slice(LASTING);
    for (let n = 0; n < changed; n++)
      this.#put(this.#random.pick(n % 5 === 0 ? ordinary.slice(0, LASTING) : ordinary));
    for (let n = 0; n < removed; n++) this.#documents.delete(this.#random.pick(passing));
    for (let n = 0; n < added; n++) this.#put(this.#nextId());
  }

  #put(id: string): void {
    // The generator puts the odd documents first; one behind them is an ordinary one.
    const [{ fields }] = tinyDocuments(ODD_DOCUMENTS.length + 1, this.#random.bits()).slice(-1) as [
      SourceDocument,
    ];
    this.#documents.set(id, documentOf(id, fields));
  }

  /** Ids in no order, so that new documents belong between old ones. */
  #nextId(): string {
    return `d${(Math.imul(this.#made++, 0x9e3779b1) >>> 0).toString(36)}`;
  }
}
