/**
 * The contract of object storage, in words and types. Every store keeps it and one
 * suite proves it: `test/contract/store.ts`.
 */

/** What is known of a stored object. */
export interface ObjectInfo {
  readonly key: string;
  /** Length in bytes. */
  readonly bytes: number;
  /** Opaque version of the content, for `putIfMatch`. Equal contents may have equal tags. */
  readonly etag: string;
  /**
   * When it was last written, by the store's own clock, in ms since 1970; whole seconds on some
   * stores. Ages are differences of two such times: the clocks of writers and readers are not asked.
   */
  readonly modified: number;
}

/** A whole object. */
export interface StoredObject extends ObjectInfo {
  readonly body: Uint8Array<ArrayBuffer>;
}

/**
 * Reading. All that a Worker ever holds. Bytes that are given out have a buffer to themselves and
 * are the caller's, who may detach it.
 */
export interface ReadStore {
  /** The object, or null where there is none. Reads see every write that was answered before them. */
  get(key: string): Promise<StoredObject | null>;
  /**
   * Exactly `length` bytes from `offset`, or null where there is no such object. A range
   * that the object does not fill is `blob/corrupt`, never a short answer.
   */
  getRange(key: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | null>;
  /** The object's facts without its body, or null. */
  head(key: string): Promise<ObjectInfo | null>;
}

/** What became of a conditional write. */
export type PutOutcome =
  | { readonly kind: "written"; readonly etag: string }
  /** The condition did not hold; nothing was written. */
  | { readonly kind: "conflict" };

/** Writing. Only the indexer holds one. A put is all or nothing: readers see the old bytes or the new. */
export interface WriteStore extends ReadStore {
  /** Writes whatever was there before. */
  put(key: string, body: Uint8Array<ArrayBuffer>): Promise<ObjectInfo>;
  /** Writes only where nothing is. */
  putIfAbsent(key: string, body: Uint8Array<ArrayBuffer>): Promise<PutOutcome>;
  /** Writes only over the version with this tag. */
  putIfMatch(key: string, body: Uint8Array<ArrayBuffer>, etag: string): Promise<PutOutcome>;
  /** All keys that begin with this prefix, in code-unit order, page by page without the caller seeing pages. */
  list(prefix: string): AsyncIterable<ObjectInfo>;
  /** Removes the object if it is there. */
  delete(key: string): Promise<void>;
}
