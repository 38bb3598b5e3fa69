/** The values that travel between stages and across the wire. All of them are plain and readonly. */

/** Which side of the index ranks: both, the embedding alone, or the postings alone. */
export type Mode = "hybrid" | "dense" | "sparse";
/** The modes in the order they are offered. */
export const MODES = ["hybrid", "dense", "sparse"] as const satisfies readonly Mode[];

/** How two rankings become one; `shared/engine/fuse.ts` gives the formulas. */
export type FusionRule = "minmax" | "rrf" | "dbsf";
/** The fusion rules, the default first. */
export const FUSION_RULES = ["minmax", "rrf", "dbsf"] as const satisfies readonly FusionRule[];

/** A field value of a document as it was given: JSON without nesting deeper than lists of scalars. */
export type FieldValue = string | number | boolean | null | readonly (string | number | boolean)[];
/** The fields of a document by name, `title` and `text` among them where the source has them. */
export type Fields = Readonly<Record<string, FieldValue>>;

/** A validated search request: every bound of `REQUEST_LIMITS` holds. */
export interface SearchRequest {
  /** Well-formed Unicode, at least one character that is not white space. */
  readonly q: string;
  readonly mode: Mode;
  /** Hits wanted, 1 to 100. */
  readonly limit: number;
  /** Hits to leave out first; `offset + limit` is at most 1,000. */
  readonly offset: number;
  /** Task whose query table is used; the index's first when absent. */
  readonly task?: string;
  /** Fusion rule; the index's own when absent. Only for hybrid. */
  readonly fusion?: FusionRule;
  /** Share of the dense side in the fusion, 0 to 1; the index's own when absent. */
  readonly weight?: number;
  /** Whether hits say what each query word gave to their scores. */
  readonly explain: boolean;
  /** Names of the fields wanted in hits; all when absent. */
  readonly fields?: readonly string[];
  /** Whether misspelt words are searched for as the words they were meant to be; so when absent. */
  readonly typos?: boolean;
  /** Whether an answer without the documents of some shard is refused rather than given; not so when absent. */
  readonly strict?: boolean;
}

/** A stretch of a document's text with the query's words in it. */
export interface Snippet {
  /** Plain text, never markup: show it as text. */
  readonly text: string;
  /** `[start, end)` pairs in UTF-16 units of `text`, ascending, not overlapping. */
  readonly marks: readonly (readonly [number, number])[];
}

/** Where the best passage of a document lies in its `text` field. */
export interface Passage {
  /** UTF-16 units, `[start, end)`. */
  readonly start: number;
  readonly end: number;
  /** The nearest heading above, and its anchor in the page, where the source has them. */
  readonly heading?: string;
  readonly anchor?: string;
}

/** What one word of the query gave to a hit. */
export interface WordShare {
  /** The word as typed, and its place in `q`: `[start, end)` in UTF-16 units. */
  readonly word: string;
  readonly start: number;
  readonly end: number;
  /** Part of the hit's dense score: the shares of all words add up to it. May be negative. */
  readonly dense: number;
  /** Part of the hit's sparse score: the shares of all words add up to it. */
  readonly sparse: number;
}

/** How a hit's score came about. */
export interface Explanation {
  readonly words: readonly WordShare[];
  /** Each side's score after normalisation, and its weight in the fused score. */
  readonly fusion: {
    readonly rule: FusionRule | "none";
    readonly weight: number;
    readonly dense: number;
    readonly sparse: number;
  };
}

/** One document of an answer, represented by its best passage. */
export interface Hit {
  readonly id: string;
  /** The number the ranking is by; comparable within one answer only. */
  readonly score: number;
  /** Cosine of query and best passage, -1 to 1. */
  readonly dense: number;
  /** Sum over query tokens of count x weight x impact, at least 0. */
  readonly sparse: number;
  readonly fields: Fields;
  readonly snippet: Snippet;
  readonly passage: Passage;
  readonly explain?: Explanation;
}

/** A word of the query that was taken for misspelt. */
export interface Correction {
  /** The word as typed, and its place in `q`: `[start, end)` in UTF-16 units. */
  readonly word: string;
  readonly start: number;
  readonly end: number;
  /** The word of the corpus that was searched for in its place, folded. */
  readonly used: string;
}

/** Where an index answers from: the memory of the isolate that took the request, or Durable Objects. */
export type Placement = "isolate" | "objects";

/** A nearer region that did not answer. */
export interface PassedRegion {
  readonly region: string;
  /** Code of `shared/errors.ts`. */
  readonly code: string;
}

/** An answer to a search request. */
export interface SearchAnswer {
  readonly index: string;
  /** `seq` and the first 8 digits of the manifest's digest, as `7-1a2b3c4d`. */
  readonly version: string;
  /** Whole seconds since that version was built, by the clock of who serves it; the engine alone does not say. */
  readonly age_s?: number;
  /** Whole seconds since the region's pointer was last read; there only where it could not be read since. */
  readonly stale_s?: number;
  readonly region: string;
  /** Absent where the engine alone answers. */
  readonly placement?: Placement;
  /** Absent where the nearest region answered. */
  readonly failover?: { readonly from: readonly PassedRegion[] };
  readonly mode: Mode;
  /** Milliseconds from validated request to finished answer. Workers' clock stands still while computing, so 0 is common there. */
  readonly took_ms: number;
  /** Documents that paging can reach: the ranked candidates, at most 1,000. */
  readonly total: number;
  /** Whether documents of some shards are missing: those of `missing_shards`, ordinals ascending. */
  readonly partial: boolean;
  readonly missing_shards?: readonly number[];
  readonly hits: readonly Hit[];
  /** Absent where every word was searched for as typed. */
  readonly corrections?: readonly Correction[];
  readonly warnings?: readonly string[];
}
