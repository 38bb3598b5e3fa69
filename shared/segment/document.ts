/** A document as it comes to be indexed, from a source or from a write at the edge. */
import { canonicalJson, sha256 } from "../hash.ts";
import type { Fields } from "../types.ts";

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

/**
 * 128 bits of what a document says, in 32 hexadecimal digits: its fields and headings, the order of the
 * fields aside. Two documents of one id with the same digest are the same and need not be made again.
 */
export async function contentDigest({ fields, sections }: SourceDocument): Promise<string> {
  return (await sha256(canonicalJson([fields, sections]))).slice(0, 32);
}
