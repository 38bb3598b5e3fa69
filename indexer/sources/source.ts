import type { LightedgeError } from "../../shared/errors.ts";
import type { SourceDocument } from "../../shared/segment/document.ts";

export type { Section, SourceDocument } from "../../shared/segment/document.ts";

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
