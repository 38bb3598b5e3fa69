import type { LightedgeError } from "../../shared/errors.ts";
import type { Fields } from "../../shared/types.ts";

/** A document as read and validated: every limit of `DOCUMENT_LIMITS` holds and all texts are well-formed Unicode. */
export interface SourceDocument {
  /** Unique within its source. May look like a path or a property name: never use it as a file name or an object key. */
  readonly id: string;
  /** An object without a prototype. `title` and `text`, strings where present, are what is searched. */
  readonly fields: Fields;
  /** The headings inside `fields.text` in its order; empty for plain text. */
  readonly sections: readonly Section[];
}

/**
 * A heading and the stretch of `fields.text` under it, down to the next heading of
 * any level. The stretch begins with the heading's own words, except for the one that
 * repeats the title, which is left out of the text. Stretches are ascending, each
 * ending where the next begins; one may be empty.
 */
export interface Section {
  /** UTF-16 units, `[start, end)`. */
  readonly start: number;
  readonly end: number;
  /** 1 to 6, as in h1 to h6. */
  readonly level: number;
  readonly heading: string;
  /** Fragment of the heading in the rendered page, without `#`; unique within the document as far as the page's own are. */
  readonly anchor: string;
}

/** Where a record was read: the path as given (joined with the path inside a folder) and its first line, from 1. */
export interface Place {
  readonly file: string;
  /** 1 for a record that is a whole file. */
  readonly line: number;
}

/** A document, with where it was read if the source knows. */
export interface DocumentRecord {
  readonly kind: "document";
  readonly document: SourceDocument;
  readonly place?: Place;
}

/** A record that is not indexed. */
export interface RejectedRecord extends Place {
  readonly kind: "rejected";
  /** A `source/invalid`; its message opens with `file:line:`, so that it can be printed on its own. */
  readonly reason: LightedgeError;
}

/** What a source yields, one for each record it holds. */
export type SourceRecord = DocumentRecord | RejectedRecord;

/** A collection that can be read from start to end, as often as wanted. */
export interface Source {
  /** The format and place for a log line: `jsonl products.jsonl`. */
  readonly description: string;
  /**
   * The records in the order of the source, the same on every run. Memory stays flat
   * but for the set of ids. Throws only when the source cannot be read on at all;
   * a bad record is yielded as rejected and the next one follows.
   */
  records(): AsyncIterable<SourceRecord>;
}

/** Names for columns or JSON fields where a collection has its own; only for formats with named fields. */
export interface FieldOptions {
  readonly titleField?: string;
  /** A record without this field is rejected: a misspelt name would otherwise give an index without text. */
  readonly textField?: string;
  readonly idField?: string;
}
