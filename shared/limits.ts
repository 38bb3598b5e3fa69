/** Every limit of the product, each with its unit, its reason and who checks it. */

/** Bytes in a KiB and a MiB. */
export const KIB = 1024;
/** Bytes in a MiB. */
export const MIB = 1024 * KIB;

/** Limits on one search request; checked by `edge/request.ts` before any storage is touched. */
export const REQUEST_LIMITS = {
  /** UTF-8 bytes of a request body. A query is text somebody typed; 64 KiB is forty pages of it. */
  bodyBytes: 64 * KIB,
  /** Nesting of a JSON body. The request type needs three levels. */
  bodyDepth: 8,
  /** UTF-8 bytes of a query. Ten thousand words are refused; a long paragraph passes. */
  queryBytes: 8 * KIB,
  /** Tokens of a query that count (LightRetriever, arXiv 2505.12260, uses 512); later ones are dropped with a warning. */
  queryTokens: 512,
  /** Hits in one answer. */
  limit: 100,
  /** `offset + limit`: how deep a ranking can be read. It is the size of each side's candidate pool. */
  window: 1000,
  /** Queries in one batch request. */
  batch: 16,
  /** Names in the `fields` list. */
  fields: 32,
  /**
   * Shards of one index: a query asks all of them, twice where they live in objects, and a Worker has 1,000 calls for a
   * request. 64 hold four million chunks; a rebuild makes one of many small ones. Checked by `shared/engine/open.ts`.
   */
  shards: 64,
} as const;

/** Limits on what one isolate keeps in memory; checked by `shared/engine/open.ts`. */
export const MEMORY_LIMITS = {
  /**
   * Bytes for tables and shards of all open indexes. Workers give an isolate 128 MB for everything:
   * what 16 searches at once, their answers and a load on its way take has to fit beside them. With
   * 31 MiB the whole process stays below 128 MiB under load, with 47 it does not (docs/operations.md).
   */
  residentBytes: 32 * MIB,
  /**
   * Bytes for writes at the edge that wait, their texts and vectors, of all open indexes, where the above leaves so
   * much; a quarter of it in any case. A document takes some four times its text.
   */
  waitingBytes: 16 * MIB,
  /**
   * Bytes of one query table that is kept whole, and of what is kept of a larger one: its rows that are used least are read
   * from the store when a query has them. Leaves 12 MiB for lexicon, tokenizer and centroids.
   */
  tableBytes: 20 * MIB,
  /**
   * Bytes of documents, and of their decompressed blocks, kept for answers in any case: those of a deep page. More are
   * kept as long as `residentBytes` has room for them; 24 MiB beside it took a process of 128 MiB to its end.
   */
  documentCacheBytes: 6 * MIB,
} as const;

/** Limits on shards in Durable Objects; kept by `shared/engine/remote-shards.ts` and the objects. */
export const SHARD_LIMITS = {
  /** Milliseconds for all calls of one search, less where a request has a deadline: a shard that has to be loaded from the store first takes a second or two. */
  patienceMs: 10_000,
  /** Milliseconds for having a shard made ready, when nobody waits for an answer: those of an isolate are loaded one after the other. */
  readyMs: 120_000,
  /** Calls that an object has taken and not answered, at most. One takes milliseconds; more than these would wait a second. */
  callsAtOnce: 64,
  /** Versions whose dead documents an object keeps: the current one, one on its way, and two that are being left. */
  versions: 4,
} as const;

/** Limits on stored files; checked by `shared/format` when writing and again when reading. */
export const FORMAT_LIMITS = {
  /** Bytes of a pointer file. */
  pointerBytes: 4 * KIB,
  /** Indexes of one store, and bytes of the two records that name them all, which are read whole: some 65 and 200 an index. */
  indexes: 50_000,
  registryBytes: 4 * MIB,
  clockBytes: 12 * MIB,
  /** Bytes of a manifest. */
  manifestBytes: 4 * MIB,
  /** Bytes of the first read of a blob, which must hold its whole directory. */
  firstReadBytes: 16 * KIB,
  /** Bytes of a block, the unit of a digest. */
  blockBytes: 64 * KIB,
  /** Chunks of a shard: a row number is 16 bits in postings. */
  shardChunks: 65_536,
  /** Resident bytes a shard is built to stay below: several may share one 128 MB isolate. */
  shardBytes: 32 * MIB,
  /** Numbers in a vector. */
  dimension: 4096,
  /** Tokens in a vocabulary. */
  vocabulary: 1_000_000,
  /** Pairs of tokens with a table row of their own. */
  phrases: 65_536,
  /** Clusters of an index: the nearest are found by looking at all of their centroids, 1.5 MiB of them at 384 numbers. */
  clusters: 4096,
  /** Words of a lexicon: some 2 MB of memory, and the rarest of a larger corpus are seldom what somebody meant. */
  lexiconWords: 200_000,
} as const;

/** Limits on documents; checked by `indexer/sources` with the file and line in the message. */
export const DOCUMENT_LIMITS = {
  /** UTF-8 bytes of an id. */
  idBytes: 512,
  /** UTF-8 bytes of one document with all its fields. Longer texts should be split where their author splits them. */
  documentBytes: MIB,
  /** Fields of a document. */
  fields: 64,
  /** Bytes of one line of a JSONL or CSV file, so that a file with no line ends cannot fill memory. */
  lineBytes: 4 * MIB,
} as const;

/** Limits on writes at the edge that wait to be folded; checked by the Worker before it takes one. */
export const INBOX_LIMITS = {
  /** Bytes of one entry, and of the body it comes in: a document of 1 MiB in JSON, half of its characters escaped. */
  entryBytes: 2 * MIB,
  /** Writes of one index that no version holds yet. Each is read at every cold start. */
  waiting: 1000,
  /** Bytes of their entries together: an isolate keeps their texts and vectors in memory. */
  waitingBytes: 4 * MIB,
  /** Documents of an overlay, and writes in its list. */
  overlayEntries: 1_000_000,
} as const;
